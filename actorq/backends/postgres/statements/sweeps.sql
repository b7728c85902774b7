-- name: upcoming
SELECT * FROM {schema}.upcoming($1)

-- name: run_out
SELECT {live}
FROM {schema}.jobs
WHERE status = 2
    AND look_at >= $2::bigint
    AND look_at <= (SELECT {schema}.now_us())
    AND leased_until <= (SELECT {schema}.now_us())
ORDER BY leased_until
LIMIT $1::bigint
FOR UPDATE SKIP LOCKED

-- name: look_later
UPDATE {schema}.jobs SET look_at = leased_until
WHERE id IN (
    SELECT id FROM {schema}.jobs
    WHERE status = 2
        AND look_at >= $2::bigint AND look_at <= $1::bigint AND leased_until > $1::bigint
    LIMIT 1000
    FOR UPDATE SKIP LOCKED
)

-- name: next_expiry
SELECT min(look_at) FROM {schema}.jobs WHERE status = 2 AND look_at > $1::bigint

-- name: due
SELECT {live}
FROM {schema}.jobs
WHERE status = 1 AND available_at <= (SELECT {schema}.now_us())
ORDER BY available_at
LIMIT $1::bigint
FOR UPDATE SKIP LOCKED

-- name: lapsed
SELECT {live}
FROM {schema}.jobs
WHERE status <= 1 AND expires_at IS NOT NULL AND expires_at <= (SELECT {schema}.now_us())
ORDER BY expires_at
LIMIT $1::bigint
FOR UPDATE SKIP LOCKED

-- name: next_promotion
SELECT least(
    (SELECT min(available_at) FROM {schema}.jobs WHERE status = 1 AND available_at > $1::bigint),
    (
        SELECT min(expires_at) FROM {schema}.jobs
        WHERE status <= 1 AND expires_at IS NOT NULL AND expires_at > $1::bigint
    )
)

-- name: fold
WITH alone AS MATERIALIZED (
    SELECT pg_try_advisory_xact_lock(hashtextextended('actorq fold {channel}', 0)) AS locked
),
folded AS (
    DELETE FROM {schema}.moves
    WHERE ctid = ANY (
        ARRAY(SELECT ctid FROM {schema}.moves WHERE (SELECT locked FROM alone) LIMIT 20000)
    )
    RETURNING *
)
INSERT INTO {schema}.standing AS standing (
    queue, accepted, pruned, pending, delayed, running, completed, dead, cancelled
)
SELECT
    queue, sum(accepted), sum(pruned), sum(pending), sum(delayed), sum(running), sum(completed),
    sum(dead), sum(cancelled)
FROM folded
GROUP BY queue
ORDER BY queue
ON CONFLICT (queue) DO UPDATE SET
    accepted = standing.accepted + excluded.accepted,
    pruned = standing.pruned + excluded.pruned,
    pending = standing.pending + excluded.pending,
    delayed = standing.delayed + excluded.delayed,
    running = standing.running + excluded.running,
    completed = standing.completed + excluded.completed,
    dead = standing.dead + excluded.dead,
    cancelled = standing.cancelled + excluded.cancelled
