-- name: by_key
SELECT key, fingerprint, outcome, job_id, queue_name, created_at, until
FROM replays
WHERE key IN (SELECT value FROM json_each(?))

-- name: put
INSERT OR REPLACE INTO replays (key, fingerprint, outcome, job_id, queue_name, created_at, until)
VALUES (?, ?, ?, ?, ?, ?, ?)

-- name: forget
DELETE FROM replays WHERE key IN (SELECT key FROM replays WHERE until <= ? ORDER BY until LIMIT ?)

-- name: next
SELECT min(until) FROM replays
