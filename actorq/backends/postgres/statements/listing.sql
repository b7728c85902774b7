-- name: everywhere
SELECT id::text, created_at, CASE WHEN $4::integer = 1 THEN rest::text END
FROM (
    (
        SELECT id, created_at, rest FROM {schema}.jobs
        WHERE id >= $1::uuid AND id < $2::uuid
        ORDER BY id DESC
        LIMIT $3::bigint
    )
    UNION ALL
    (
        SELECT id, created_at, rest FROM {schema}.ended
        WHERE id >= $1::uuid AND id < $2::uuid
        ORDER BY id DESC
        LIMIT $3::bigint
    )
) AS newest
ORDER BY newest.id DESC
LIMIT $3::bigint

-- name: of_kinds
-- Only those kinds can be on a page of n jobs that have the n greatest ids.
WITH heads AS (
    SELECT kinds.queue, kinds.status, head.id
    FROM (
        SELECT queues.id AS queue, statuses.status
        FROM {schema}.queues
        CROSS JOIN unnest($6::integer[]) AS statuses (status)
        WHERE $5::integer IS NULL OR queues.id = $5::integer
    ) AS kinds
    CROSS JOIN LATERAL (
        (
            SELECT jobs.id FROM {schema}.jobs
            WHERE kinds.status <= 2 AND jobs.queue = kinds.queue
                AND jobs.status = kinds.status AND jobs.format > 0
                AND jobs.id >= $1::uuid AND jobs.id < $2::uuid
            ORDER BY jobs.id DESC
            LIMIT 1
        )
        UNION ALL
        (
            SELECT ended.id FROM {schema}.ended
            WHERE kinds.status >= 3 AND ended.queue = kinds.queue
                AND ended.status = kinds.status AND ended.format > 0
                AND ended.id >= $1::uuid AND ended.id < $2::uuid
            ORDER BY ended.id DESC
            LIMIT 1
        )
    ) AS head
    ORDER BY head.id DESC
    LIMIT $3::bigint
)
SELECT newest.id::text, newest.created_at, CASE WHEN $4::integer = 1 THEN newest.rest::text END
FROM heads
CROSS JOIN LATERAL (
    (
        SELECT jobs.id, jobs.created_at, jobs.rest FROM {schema}.jobs
        WHERE heads.status <= 2 AND jobs.queue = heads.queue
            AND jobs.status = heads.status AND jobs.format > 0
            AND jobs.id >= $1::uuid AND jobs.id < $2::uuid
        ORDER BY jobs.id DESC
        LIMIT $3::bigint
    )
    UNION ALL
    (
        SELECT ended.id, ended.created_at, ended.rest FROM {schema}.ended
        WHERE heads.status >= 3 AND ended.queue = heads.queue
            AND ended.status = heads.status AND ended.format > 0
            AND ended.id >= $1::uuid AND ended.id < $2::uuid
        ORDER BY ended.id DESC
        LIMIT $3::bigint
    )
) AS newest
ORDER BY newest.id DESC
LIMIT $3::bigint

-- name: drift
SELECT least, greatest FROM {schema}.drift

-- name: widen_drift
UPDATE {schema}.drift SET least = least(least, $1::bigint), greatest = greatest(greatest, $2::bigint)
