-- name: by_key
SELECT key, fingerprint, outcome, job_id::text, queue_name, created_at, until
FROM {schema}.replays
WHERE key = ANY ($1::text[])

-- name: remember
SELECT {schema}.remember($1, $2, $3, $4, $5, $6, $7, $8)

-- name: forget
DELETE FROM {schema}.replays
WHERE key IN (
    SELECT key FROM {schema}.replays
    WHERE until <= $1::bigint
    ORDER BY until
    LIMIT $2::bigint
    FOR UPDATE SKIP LOCKED
)

-- name: next
SELECT min(until) FROM {schema}.replays
