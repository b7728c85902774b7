-- name: try_lock
SELECT locked.id::text
FROM unnest($1::uuid[]) AS wanted (id)
CROSS JOIN LATERAL (
    SELECT jobs.id FROM {schema}.jobs WHERE jobs.id = wanted.id FOR UPDATE SKIP LOCKED
) AS locked

-- name: line
-- These jobs, and whoever hears of it when one of them is cancelled as its parent was.
WITH RECURSIVE line (id) AS (
    SELECT unnest($1::uuid[])
    UNION
    SELECT child.id::uuid
    FROM line
    CROSS JOIN LATERAL (
        SELECT jobs.rest -> 'workflow' AS workflow FROM {schema}.jobs
        WHERE jobs.id = line.id AND jobs.status = 1
        OFFSET 0
    ) AS job
    CROSS JOIN LATERAL json_array_elements_text(job.workflow -> 'dependents') AS child (id)
    WHERE job.workflow ->> 'on_parent_failure' = 'cancel'
)
SELECT id::text FROM line

-- name: raise_format
UPDATE {schema}.jobs SET format = $2::integer WHERE id = ANY ($1::uuid[])
