-- name: claim
WITH clock AS MATERIALIZED (
    SELECT {schema}.now_us() AS now
),
picked AS MATERIALIZED (
    SELECT best.id, row_number() OVER () AS place
    FROM (
        SELECT jobs.id
        FROM {schema}.jobs
        WHERE jobs.queue = $1
            AND jobs.status = 0
            AND (jobs.expires_at IS NULL OR jobs.expires_at > (SELECT now FROM clock))
        ORDER BY jobs.priority DESC, jobs.id
        LIMIT cardinality($2::text[])
        FOR UPDATE SKIP LOCKED
    ) AS best
),
claimed AS (
    UPDATE {schema}.jobs SET
        status = 2,
        attempt = jobs.attempt + 1,
        version = jobs.version + 1,
        updated_at = clock.now,
        token = tokens.token,
        worker_id = tokens.worker_id,
        claimed_at = clock.now,
        leased_until = clock.now + tokens.microseconds,
        visibility_timeout = tokens.seconds,
        look_at = clock.now + tokens.microseconds
    FROM picked
    JOIN unnest($2::text[], $3::text[], $4::float8[], $5::bigint[]) WITH ORDINALITY
        AS tokens (token, worker_id, seconds, microseconds, place) USING (place)
    CROSS JOIN clock
    WHERE jobs.id = picked.id
    RETURNING jobs.*
),
moved AS (
    INSERT INTO {schema}.moves (
        queue, accepted, pruned, pending, delayed, running, completed, dead, cancelled
    )
    SELECT $1, 0, 0, -count(*), 0, count(*), 0, 0, 0 FROM picked HAVING count(*) > 0
)
SELECT {live} FROM claimed AS jobs
