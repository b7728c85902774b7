-- name: clock
SELECT {schema}.now_us()

-- name: lock
SELECT {live}
FROM unnest($1::uuid[]) AS wanted (id)
CROSS JOIN LATERAL (SELECT * FROM {schema}.jobs WHERE jobs.id = wanted.id FOR UPDATE) AS jobs

-- name: lock_ended
SELECT {ended}
FROM unnest($1::uuid[]) AS wanted (id)
CROSS JOIN LATERAL (SELECT * FROM {schema}.ended WHERE ended.id = wanted.id FOR UPDATE) AS ended

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
FROM (
    SELECT jobs.id
    FROM unnest($1::integer[], $2::text[]) AS wanted (queue, dedupe_key)
    JOIN {schema}.jobs ON jobs.queue = wanted.queue AND jobs.dedupe_key = wanted.dedupe_key
    ORDER BY jobs.id
) AS held
CROSS JOIN LATERAL (SELECT * FROM {schema}.jobs WHERE jobs.id = held.id FOR UPDATE) AS jobs

-- name: leased_under
SELECT {live} FROM {schema}.jobs WHERE status = 2 AND token = ANY ($1::text[])

-- name: add
SELECT {schema}.add_jobs($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)

-- name: update
UPDATE {schema}.jobs SET
    status = new.status,
    priority = new.priority,
    available_at = new.available_at,
    updated_at = new.updated_at,
    attempt = new.attempt,
    version = new.version,
    token = new.token,
    worker_id = new.worker_id,
    claimed_at = new.claimed_at,
    leased_until = new.leased_until,
    visibility_timeout = new.visibility_timeout,
    look_at = new.look_at,
    settled_token = new.settled_token,
    settled_by = new.settled_by,
    woken = CASE
        WHEN new.status = 0 AND (jobs.status <> 0 OR jobs.priority <> new.priority)
        THEN pg_current_xact_id()
        ELSE jobs.woken
    END,
    payload = coalesce(new.payload, jobs.payload),
    rest = coalesce(new.rest::json, jobs.rest)
FROM unnest(
    $1::uuid[], $2::integer[], $3::integer[], $4::bigint[], $5::bigint[], $6::integer[],
    $7::integer[], $8::text[], $9::text[], $10::bigint[], $11::bigint[], $12::float8[],
    $13::bigint[], $14::text[], $15::text[], $16::bytea[], $17::text[]
) AS new (
    id, status, priority, available_at, updated_at, attempt, version, token, worker_id, claimed_at,
    leased_until, visibility_timeout, look_at, settled_token, settled_by, payload, rest
)
WHERE jobs.id = new.id

-- name: end
WITH gone AS (
    DELETE FROM {schema}.jobs
    USING unnest(
        $1::uuid[], $2::integer[], $3::bigint[], $4::integer[], $5::text[], $6::text[], $7::text[],
        $8::text[]
    ) AS new (id, status, completed_at, version, settled_token, settled_by, result, rest)
    WHERE jobs.id = new.id
    RETURNING
        jobs.available_at, jobs.created_at, new.completed_at, jobs.queue, jobs.priority,
        jobs.attempt, new.version, new.status, jobs.format, jobs.id, jobs.expires_at,
        jobs.dedupe_until, jobs.dedupe_key, new.settled_token, new.settled_by, new.result,
        jobs.payload, coalesce(new.rest::json, jobs.rest) AS rest
)
INSERT INTO {schema}.ended (
    available_at, created_at, updated_at, completed_at, queue, priority, attempt, version, status,
    format, id, expires_at, dedupe_until, dedupe_key, settled_token, settled_by, result, payload, rest
)
SELECT
    available_at, created_at, completed_at, completed_at, queue, priority, attempt, version, status,
    format, id, expires_at, dedupe_until, dedupe_key, settled_token, settled_by, result, payload, rest
FROM gone

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
INSERT INTO {schema}.moves (
    queue, accepted, pruned, pending, delayed, running, completed, dead, cancelled
)
SELECT * FROM unnest(
    $1::integer[], $2::integer[], $3::integer[], $4::integer[], $5::integer[], $6::integer[],
    $7::integer[], $8::integer[], $9::integer[]
)
