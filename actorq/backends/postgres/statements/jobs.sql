-- name: clock
SELECT {schema}.now_us()

-- name: lock
SELECT {live} FROM {schema}.jobs WHERE id = ANY ($1::uuid[]) ORDER BY id FOR UPDATE

-- name: lock_ended
SELECT {ended} FROM {schema}.ended WHERE id = ANY ($1::uuid[]) ORDER BY id FOR UPDATE

-- name: read
SELECT {live} FROM {schema}.jobs WHERE id = ANY ($1::uuid[])
UNION ALL
SELECT {ended} FROM {schema}.ended WHERE id = ANY ($1::uuid[])

-- name: holders
SELECT {live}
FROM unnest($1::integer[], $2::text[]) AS wanted (queue, dedupe_key)
JOIN {schema}.jobs ON jobs.queue = wanted.queue AND jobs.dedupe_key = wanted.dedupe_key
UNION ALL
SELECT {ended}
FROM unnest($1::integer[], $2::text[]) AS wanted (queue, dedupe_key)
JOIN {schema}.ended ON ended.queue = wanted.queue AND ended.dedupe_key = wanted.dedupe_key
WHERE ended.dedupe_until > ended.completed_at

-- name: lock_holders
SELECT {live}
FROM {schema}.jobs
WHERE id = ANY (
    ARRAY(
        SELECT held.id
        FROM unnest($1::integer[], $2::text[]) AS wanted (queue, dedupe_key)
        JOIN {schema}.jobs AS held
            ON held.queue = wanted.queue AND held.dedupe_key = wanted.dedupe_key
    )
)
ORDER BY id
FOR UPDATE

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
    expires_at, dedupe_until, dedupe_key, settled_token, settled_by, payload, rest
)
SELECT
    instant, created_at, instant, queue, priority, attempt, version, 0, format, id, expires_at,
    dedupe_until, dedupe_key, settled_token, settled_by, payload, rest::json
FROM gone

-- name: delete
DELETE FROM {schema}.jobs WHERE id = ANY ($1::uuid[])

-- name: delete_ended
DELETE FROM {schema}.ended WHERE id = ANY ($1::uuid[])

-- name: move
SELECT {schema}.count_moves($1, $2, $3, $4, $5, $6, $7, $8, $9)
