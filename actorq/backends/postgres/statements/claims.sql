-- name: woken_since
SELECT * FROM {schema}.woken_since($1, $2)

-- name: first_pending
SELECT * FROM {schema}.first_pending($1, $2, $3, $4)

-- name: claim
SELECT * FROM {schema}.claim_jobs($1, $2, $3, $4, $5, $6, $7)
