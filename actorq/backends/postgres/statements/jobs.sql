-- name: begin
SELECT {schema}.begin_step($1)

-- name: clock
SELECT {schema}.now_us()

-- name: lock
SELECT * FROM {schema}.lock_jobs($1)

-- name: lock_ended
SELECT {ended}
FROM unnest($1::uuid[]) AS wanted (id)
CROSS JOIN LATERAL (SELECT * FROM {schema}.ended WHERE ended.id = wanted.id FOR UPDATE) AS ended

-- name: read
SELECT * FROM {schema}.read_jobs($1)

-- name: holders
SELECT {live}
FROM unnest($1::integer[], $2::text[]) AS wanted (queue, dedupe_key)
CROSS JOIN LATERAL (
    SELECT * FROM {schema}.jobs
    WHERE jobs.queue = wanted.queue AND jobs.dedupe_key = wanted.dedupe_key
    OFFSET 0
) AS jobs
UNION ALL
SELECT {ended}
FROM unnest($1::integer[], $2::text[]) AS wanted (queue, dedupe_key)
CROSS JOIN LATERAL (
    SELECT * FROM {schema}.ended
    WHERE ended.queue = wanted.queue AND ended.dedupe_key = wanted.dedupe_key
        AND ended.dedupe_until > ended.completed_at
    OFFSET 0
) AS ended

-- name: lock_holders
SELECT locked.*
FROM (
    SELECT holders.id
    FROM unnest($1::integer[], $2::text[]) AS wanted (queue, dedupe_key)
    CROSS JOIN LATERAL (
        SELECT jobs.id FROM {schema}.jobs
        WHERE jobs.queue = wanted.queue AND jobs.dedupe_key = wanted.dedupe_key
        OFFSET 0
    ) AS holders
    ORDER BY holders.id
) AS held
CROSS JOIN LATERAL (SELECT FROM {schema}.jobs WHERE jobs.id = held.id FOR UPDATE) AS locked

-- name: leased_under
SELECT {live} FROM {schema}.jobs WHERE status = 2 AND token = ANY ($1::text[])

-- name: add
SELECT {schema}.add_jobs($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)

-- name: change
SELECT {schema}.change_jobs(
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17
)

-- name: end
SELECT {schema}.end_jobs($1, $2, $3, $4, $5, $6, $7, $8, $9)

-- name: revive
WITH gone AS (
    DELETE FROM {schema}.ended
    USING unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::integer[], $5::text[])
        AS new (id, instant, expires_at, version, rest)
    WHERE ended.id = new.id
    RETURNING
        new.instant, ended.created_at, ended.queue, ended.priority, ended.attempt, new.version,
        ended.format, ended.id, new.expires_at, ended.dedupe_until, ended.dedupe_key,
        ended.settled_token, ended.settled_by, ended.payload, new.rest
)
INSERT INTO {schema}.jobs (
    available_at, created_at, updated_at, queue, priority, attempt, version, status, format, id,
    expires_at, dedupe_until, dedupe_key, settled_token, settled_by, payload, rest, woken
)
SELECT
    instant, created_at, instant, queue, priority, attempt, version, 0, format, id, expires_at,
    dedupe_until, dedupe_key, settled_token, settled_by, payload, rest::json, pg_current_xact_id()
FROM gone

-- name: delete
WITH gone AS (
    DELETE FROM {schema}.jobs
    USING unnest($1::uuid[]) AS wanted (id)
    WHERE jobs.id = wanted.id
    RETURNING jobs.id
)
DELETE FROM {schema}.bodies USING gone WHERE bodies.id = gone.id

-- name: delete_ended
WITH gone AS (
    DELETE FROM {schema}.ended
    USING unnest($1::uuid[]) AS wanted (id)
    WHERE ended.id = wanted.id
    RETURNING ended.id
)
DELETE FROM {schema}.bodies USING gone WHERE bodies.id = gone.id

-- name: move
SELECT {schema}.count_moves($1, $2, $3, $4, $5, $6, $7, $8, $9)
