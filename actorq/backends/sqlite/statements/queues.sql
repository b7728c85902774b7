-- name: all
SELECT id, name, settings, accepted, pruned, pending, delayed, running, completed, dead, cancelled
FROM queues
ORDER BY name

-- name: by_name
SELECT id, name, settings, accepted, pruned, pending, delayed, running, completed, dead, cancelled
FROM queues
WHERE name IN (SELECT value FROM json_each(?))

-- name: insert
INSERT INTO queues (name, settings) VALUES (?, ?) RETURNING id

-- name: set
UPDATE queues SET settings = ? WHERE id = ?

-- name: count
UPDATE queues SET
    accepted = accepted + ?, pruned = pruned + ?,
    pending = pending + ?, delayed = delayed + ?, running = running + ?,
    completed = completed + ?, dead = dead + ?, cancelled = cancelled + ?
WHERE id = ?

-- name: oldest_pending
SELECT min(created_at) FROM (
    SELECT created_at FROM jobs INDEXED BY jobs_listing
    WHERE queue = ? AND status = 0
    ORDER BY id
    LIMIT ?
)
