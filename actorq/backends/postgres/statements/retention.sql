-- name: alone
SELECT pg_try_advisory_xact_lock(hashtextextended('actorq prune {channel}', 0))

-- name: prune
WITH kinds AS (
    SELECT *
    FROM unnest($1::integer[], $2::integer[], $3::bigint[], $4::bigint[])
        AS kinds (queue, status, ended_by, excess)
),
free AS (
    SELECT ended.id, ended.completed_at, kinds.queue, kinds.status, kinds.ended_by, kinds.excess
    FROM kinds
    CROSS JOIN LATERAL (
        SELECT id, completed_at FROM {schema}.ended
        WHERE ended.queue = kinds.queue AND ended.status = kinds.status
            AND (dedupe_until IS NULL OR dedupe_until <= completed_at)
        ORDER BY completed_at
        LIMIT $6::bigint
    ) AS ended
    UNION ALL
    SELECT ended.id, ended.completed_at, kinds.queue, kinds.status, kinds.ended_by, kinds.excess
    FROM kinds
    JOIN {schema}.ended ON ended.queue = kinds.queue AND ended.status = kinds.status
    WHERE ended.dedupe_until > ended.completed_at AND ended.dedupe_until <= $5::bigint
        AND (ended.completed_at <= kinds.ended_by OR kinds.excess > 0)
),
ranked AS (
    SELECT *, row_number() OVER (PARTITION BY queue, status ORDER BY completed_at, id) AS place
    FROM free
),
chosen AS (
    SELECT id FROM ranked
    WHERE completed_at <= ended_by OR place <= excess
    ORDER BY place
    LIMIT $6::bigint
),
gone AS (
    DELETE FROM {schema}.ended USING chosen WHERE ended.id = chosen.id
    RETURNING ended.queue, ended.status, ended.id, ended.payload
),
bodies_gone AS (
    DELETE FROM {schema}.bodies USING gone WHERE bodies.id = gone.id AND gone.payload IS NULL
),
moved AS (
    INSERT INTO {schema}.moves (
        queue, accepted, pruned, pending, delayed, running, completed, dead, cancelled
    )
    SELECT
        queue, 0, count(*), 0, 0, 0, -count(*) FILTER (WHERE status = 3),
        -count(*) FILTER (WHERE status = 4), -count(*) FILTER (WHERE status = 5)
    FROM gone
    GROUP BY queue
)
SELECT count(*) FROM gone

-- name: next
SELECT least(
    (
        SELECT min(first.completed_at + kinds.age)
        FROM unnest($1::integer[], $2::integer[], $3::bigint[]) AS kinds (queue, status, age)
        CROSS JOIN LATERAL (
            SELECT completed_at FROM {schema}.ended
            WHERE ended.queue = kinds.queue AND ended.status = kinds.status
                AND (dedupe_until IS NULL OR dedupe_until <= completed_at)
            ORDER BY completed_at
            LIMIT 1
        ) AS first
    ),
    (
        SELECT min(first.instant)
        FROM unnest($1::integer[], $2::integer[], $3::bigint[]) AS kinds (queue, status, age)
        CROSS JOIN LATERAL (
            SELECT greatest(dedupe_until, completed_at + kinds.age) AS instant
            FROM {schema}.ended
            WHERE ended.queue = kinds.queue AND ended.status = kinds.status
                AND dedupe_until > completed_at
            ORDER BY dedupe_until
            LIMIT 1
        ) AS first
    )
)

-- name: purge
WITH gone AS (
    DELETE FROM {schema}.jobs
    WHERE id IN (
        SELECT id FROM {schema}.jobs
        WHERE queue = $1 AND status = $2::integer AND format > 0
        ORDER BY id
        LIMIT $3::bigint
        FOR UPDATE SKIP LOCKED
    )
    RETURNING id, payload, rest
),
bodies_gone AS (
    DELETE FROM {schema}.bodies USING gone WHERE bodies.id = gone.id AND gone.payload IS NULL
)
SELECT id::text, (rest -> 'workflow' -> 'dependents')::text FROM gone

-- name: purge_ended
WITH gone AS (
    DELETE FROM {schema}.ended
    WHERE id IN (
        SELECT id FROM {schema}.ended
        WHERE queue = $1 AND status = $2::integer AND format > 0
        ORDER BY id
        LIMIT $3::bigint
        FOR UPDATE SKIP LOCKED
    )
    RETURNING id, payload
),
bodies_gone AS (
    DELETE FROM {schema}.bodies USING gone WHERE bodies.id = gone.id AND gone.payload IS NULL
)
SELECT count(*) FROM gone
