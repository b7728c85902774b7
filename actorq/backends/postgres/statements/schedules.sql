-- name: read
SELECT record FROM {schema}.schedules WHERE name = ANY ($1::text[])

-- name: lock
SELECT record FROM {schema}.schedules WHERE name = ANY ($1::text[]) ORDER BY name FOR UPDATE

-- name: add
-- A name that is not there yet cannot be locked: of two that make it, one fails here and looks again.
INSERT INTO {schema}.schedules (name, due_at, record)
SELECT new.name, new.due_at, new.record
FROM unnest($1::text[], $2::bigint[], $3::bytea[]) AS new (name, due_at, record)
ORDER BY new.name

-- name: page
SELECT record FROM {schema}.schedules WHERE name > $1::text ORDER BY name LIMIT $2::bigint

-- name: due
SELECT record FROM {schema}.schedules
WHERE due_at IS NOT NULL AND due_at <= (SELECT {schema}.now_us())
ORDER BY due_at, name
LIMIT $1::bigint
FOR UPDATE SKIP LOCKED

-- name: next
SELECT {schema}.now_us(), (SELECT min(due_at) FROM {schema}.schedules WHERE due_at IS NOT NULL)

-- name: put
UPDATE {schema}.schedules SET due_at = new.due_at, record = new.record
FROM unnest($1::text[], $2::bigint[], $3::bytea[]) AS new (name, due_at, record)
WHERE schedules.name = new.name

-- name: delete
DELETE FROM {schema}.schedules WHERE name = ANY ($1::text[])
