-- name: due
SELECT
    seq, queue, format, state,
    coalesce(body, (SELECT large.body FROM bodies AS large WHERE large.seq = jobs.seq))
FROM jobs INDEXED BY jobs_delayed
WHERE status = 1 AND due_at <= ?
ORDER BY due_at
LIMIT ?

-- name: lapsed
SELECT
    seq, queue, format, state,
    coalesce(body, (SELECT large.body FROM bodies AS large WHERE large.seq = jobs.seq))
FROM jobs INDEXED BY jobs_lapsing
WHERE lapses_at IS NOT NULL AND lapses_at <= ?
ORDER BY lapses_at
LIMIT ?

-- name: run_out
SELECT
    seq, queue, format, state,
    coalesce(body, (SELECT large.body FROM bodies AS large WHERE large.seq = jobs.seq))
FROM jobs INDEXED BY jobs_running
WHERE status = 2 AND due_at <= ?
ORDER BY due_at
LIMIT ?

-- name: next_promotion
SELECT min(instant) FROM (
    SELECT min(due_at) AS instant FROM jobs INDEXED BY jobs_delayed WHERE status = 1
    UNION ALL
    SELECT min(lapses_at) FROM jobs INDEXED BY jobs_lapsing WHERE lapses_at IS NOT NULL
)

-- name: next_expiry
SELECT min(due_at) FROM jobs INDEXED BY jobs_running WHERE status = 2
