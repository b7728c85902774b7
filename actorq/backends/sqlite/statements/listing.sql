-- name: everywhere
SELECT id FROM jobs
WHERE id < ? AND id >= ?
ORDER BY id DESC
LIMIT ?

-- name: of_queue
SELECT id FROM jobs INDEXED BY jobs_listing
WHERE queue = ? AND status = ? AND id < ? AND id >= ?
ORDER BY id DESC
LIMIT ?

-- name: heads
SELECT
    queues.id,
    wanted.value,
    (
        SELECT max(jobs.id) FROM jobs INDEXED BY jobs_listing
        WHERE jobs.queue = queues.id AND jobs.status = wanted.value AND jobs.id < ? AND jobs.id >= ?
    ) AS head
FROM queues
CROSS JOIN json_each(?) AS wanted
WHERE head IS NOT NULL
ORDER BY head DESC
LIMIT ?

-- name: drift
SELECT least, greatest FROM drift WHERE only = 1

-- name: widen_drift
UPDATE drift SET least = min(least, ?), greatest = max(greatest, ?) WHERE only = 1

-- name: probe
UPDATE drift SET least = least
