-- name: names
SELECT id, name FROM {schema}.queues

-- name: look
SELECT * FROM {schema}.look($1)

-- name: all
SELECT id, name, settings::text FROM {schema}.queues ORDER BY name

-- name: lock
SELECT id, name, settings::text
FROM {schema}.queues
WHERE id = ANY ($1::integer[])
ORDER BY id
FOR UPDATE

-- name: create
INSERT INTO {schema}.queues (name)
SELECT wanted.name FROM unnest($1::text[]) AS wanted (name)
ON CONFLICT (name) DO NOTHING
RETURNING id

-- name: withdraw
DELETE FROM {schema}.queues WHERE id = ANY ($1::integer[])

-- name: set
UPDATE {schema}.queues SET settings = new.settings::json
FROM unnest($1::integer[], $2::text[]) AS new (id, settings)
WHERE queues.id = new.id

-- name: figures
SELECT
    queue, sum(accepted)::bigint, sum(pruned)::bigint, sum(pending)::bigint, sum(delayed)::bigint,
    sum(running)::bigint, sum(completed)::bigint, sum(dead)::bigint, sum(cancelled)::bigint
FROM (
    SELECT * FROM {schema}.standing WHERE queue = ANY ($1::integer[])
    UNION ALL
    SELECT * FROM {schema}.moves WHERE queue = ANY ($1::integer[])
) AS lines
GROUP BY queue

-- name: oldest_pending
SELECT wanted.queue, (
    SELECT min(created_at) FROM (
        SELECT jobs.created_at FROM {schema}.jobs
        WHERE jobs.queue = wanted.queue AND jobs.status = 0 AND jobs.format > 0
        ORDER BY jobs.id
        LIMIT $2::bigint
    ) AS first
)
FROM unnest($1::integer[]) AS wanted (queue)

-- name: check
UPDATE {schema}.probe SET checked_at = {schema}.now_us() RETURNING checked_at

-- name: notify
SELECT pg_notify($1::text, names.name) FROM unnest($2::text[]) AS names (name)

-- name: listen
LISTEN {schema}
