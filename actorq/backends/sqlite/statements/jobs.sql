-- name: insert
INSERT INTO jobs (
    seq, id, queue, created_at,
    status, priority, due_at, lapses_at, dedupe_key, held_until, token,
    format, state, body
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: update
UPDATE jobs SET
    status = new.column2,
    priority = new.column3,
    due_at = new.column4,
    lapses_at = new.column5,
    dedupe_key = new.column6,
    held_until = new.column7,
    token = new.column8,
    -- A later server's stays.
    format = max(jobs.format, new.column9),
    state = new.column10
FROM (VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)) AS new
WHERE jobs.seq = new.column1

-- name: claim
UPDATE jobs SET
    status = 2,
    due_at = new.column2,
    lapses_at = NULL,
    token = new.column3,
    state = new.column4
FROM (VALUES (?, ?, ?, ?)) AS new
WHERE jobs.seq = new.column1

-- name: complete
UPDATE jobs SET
    status = 3,
    due_at = new.column2,
    token = NULL,
    state = new.column3
FROM (VALUES (?, ?, ?)) AS new
WHERE jobs.seq = new.column1

-- name: renew
UPDATE jobs SET
    due_at = new.column2,
    state = new.column3
FROM (VALUES (?, ?, ?)) AS new
WHERE jobs.seq = new.column1

-- name: update_body
UPDATE jobs SET body = ? WHERE seq = ?

-- name: delete
DELETE FROM jobs WHERE seq = ?

-- name: put_large_body
INSERT OR REPLACE INTO bodies (seq, body) VALUES (?, ?)

-- name: delete_large_body
DELETE FROM bodies WHERE seq = ?

-- name: last_seq
SELECT max(seq) FROM jobs

-- name: by_id
SELECT
    seq, queue, format, state,
    coalesce(body, (SELECT large.body FROM bodies AS large WHERE large.seq = jobs.seq))
FROM jobs
-- Not those that were set aside.
WHERE id IN (SELECT value FROM json_each(?)) AND status < 6

-- name: by_seq
SELECT
    seq, queue, format, state,
    coalesce(body, (SELECT large.body FROM bodies AS large WHERE large.seq = jobs.seq))
FROM jobs
WHERE seq IN (SELECT value FROM json_each(?))
ORDER BY seq

-- name: holders
SELECT
    seq, queue, format, state,
    coalesce(body, (SELECT large.body FROM bodies AS large WHERE large.seq = jobs.seq))
FROM json_each(?) AS wanted
CROSS JOIN jobs INDEXED BY jobs_dedupe
WHERE queue = json_extract(wanted.value, '$[0]')
    AND dedupe_key = json_extract(wanted.value, '$[1]')
    AND dedupe_key IS NOT NULL

-- name: claimable
SELECT
    seq, queue, format, state,
    coalesce(body, (SELECT large.body FROM bodies AS large WHERE large.seq = jobs.seq))
FROM jobs INDEXED BY jobs_pending
WHERE queue = ? AND status = 0
ORDER BY priority DESC, id
LIMIT ? OFFSET ?

-- name: leased_under
SELECT
    seq, queue, format, state,
    coalesce(body, (SELECT large.body FROM bodies AS large WHERE large.seq = jobs.seq))
FROM jobs INDEXED BY jobs_running
WHERE status = 2 AND token IN (SELECT value FROM json_each(?))
