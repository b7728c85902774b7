-- name: by_name
SELECT record FROM schedules WHERE name IN (SELECT value FROM json_each(?))

-- name: page
SELECT record FROM schedules WHERE name > ? ORDER BY name LIMIT ?

-- name: due
SELECT record FROM schedules INDEXED BY schedules_due
WHERE due_at IS NOT NULL AND due_at <= ?
ORDER BY due_at, name
LIMIT ?

-- name: next
SELECT min(due_at) FROM schedules INDEXED BY schedules_due WHERE due_at IS NOT NULL

-- name: put
INSERT OR REPLACE INTO schedules (name, due_at, record) VALUES (?, ?, ?)

-- name: delete
DELETE FROM schedules WHERE name = ?
