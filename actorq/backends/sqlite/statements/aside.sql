-- name: those_of_rows
SELECT queue, status FROM jobs WHERE seq IN (SELECT value FROM json_each(?))

-- name: put
UPDATE jobs SET
    status = 6, due_at = NULL, lapses_at = NULL, dedupe_key = NULL, held_until = NULL, token = NULL
WHERE seq IN (SELECT value FROM json_each(?))

-- name: by_id
SELECT
    seq, queue, format, state,
    coalesce(body, (SELECT large.body FROM bodies AS large WHERE large.seq = jobs.seq))
FROM jobs
WHERE id IN (SELECT value FROM json_each(?)) AND status = 6

-- name: first
SELECT
    seq, queue, format, state,
    coalesce(body, (SELECT large.body FROM bodies AS large WHERE large.seq = jobs.seq))
FROM queues
CROSS JOIN jobs INDEXED BY jobs_listing
WHERE jobs.queue = queues.id AND jobs.status = 6
LIMIT ?

-- name: count
SELECT count(*), min(jobs.seq) FROM queues
CROSS JOIN jobs INDEXED BY jobs_listing
WHERE jobs.queue = queues.id AND jobs.status = 6
