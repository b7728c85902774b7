-- Claims. Why they start from marks: docs/decisions/postgres.md, "Marks".

-- Tells the snapshot of now, and for each queue and priority the first of the jobs that have become
-- pending since the snapshot `seen`: those whose transaction was not finished then. Without `seen`, or
-- if these are too many, there is one row that has no queue; `complete` says which of the two it is.
CREATE FUNCTION {schema}.woken_since(seen text, most integer)
RETURNS TABLE (snapshot text, complete boolean, queue integer, priority integer, first text)
LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY
    WITH before AS MATERIALIZED (
        SELECT
            pg_snapshot_xmax(seen::pg_snapshot) AS from_on,
            ARRAY(SELECT pg_snapshot_xip(seen::pg_snapshot)) AS unfinished
    ),
    woken AS MATERIALIZED (
        (
            SELECT jobs.queue, jobs.priority, jobs.id FROM {schema}.jobs
            WHERE jobs.woken >= (SELECT from_on FROM before)
            LIMIT most + 1
        )
        UNION ALL
        (
            SELECT jobs.queue, jobs.priority, jobs.id FROM {schema}.jobs
            WHERE jobs.woken = ANY ((SELECT unfinished FROM before)::xid8[])
            LIMIT most + 1
        )
    ),
    firsts AS (
        SELECT woken.queue, woken.priority, min(woken.id::text COLLATE "C") AS id
        FROM woken
        WHERE (SELECT count(*) FROM woken) <= most
        GROUP BY woken.queue, woken.priority
    )
    SELECT
        pg_current_snapshot()::text, seen IS NOT NULL AND (SELECT count(*) FROM woken) <= most,
        firsts.queue, firsts.priority, firsts.id
    FROM (VALUES (1)) AS always (one)
    LEFT JOIN firsts ON true;
END
$$;

-- Tells the first pending job of each priority of a queue: from the marks on, or without them of all
-- priorities, the highest first, and `most` at most.
CREATE FUNCTION {schema}.first_pending(
    wanted integer, priorities integer[], marks uuid[], most integer
) RETURNS TABLE (queue integer, priority integer, first text)
LANGUAGE plpgsql AS $$
DECLARE
    below bigint := 2147483648;
    found_first uuid;
    found_priority integer;
BEGIN
    IF priorities IS NOT NULL THEN
        RETURN QUERY
        SELECT wanted, mark.priority, (
            SELECT jobs.id FROM {schema}.jobs
            WHERE jobs.queue = wanted AND jobs.status = 0 AND jobs.priority = mark.priority
                AND jobs.id >= mark.id
            ORDER BY jobs.id
            LIMIT 1
        )::text
        FROM unnest(priorities, marks) AS mark (priority, id);
        RETURN;
    END IF;
    FOR number IN 1 .. most LOOP
        SELECT jobs.priority, jobs.id INTO found_priority, found_first
        FROM {schema}.jobs
        WHERE jobs.queue = wanted AND jobs.status = 0 AND jobs.priority < below
        ORDER BY jobs.priority DESC, jobs.id
        LIMIT 1;
        EXIT WHEN NOT FOUND;
        below := found_priority;
        RETURN QUERY SELECT wanted, found_priority, found_first::text;
    END LOOP;
END
$$;

-- Claims the best pending jobs of a queue, one for each token, in the order of the tokens: from the
-- marks on, priority by priority, or without them from the beginning. Writes what core's `claim` says.
CREATE FUNCTION {schema}.claim_jobs(
    wanted integer, priorities integer[], marks uuid[], tokens text[], worker_ids text[],
    seconds double precision[], microseconds bigint[]
) RETURNS SETOF {schema}.job_record
LANGUAGE plpgsql AS $$
DECLARE
    instant bigint := {schema}.now_us();
    picked tid[];
    claimed bigint;
BEGIN
    IF priorities IS NULL THEN
        picked := ARRAY(
            SELECT jobs.ctid FROM {schema}.jobs
            WHERE jobs.queue = wanted AND jobs.status = 0
                AND (jobs.expires_at IS NULL OR jobs.expires_at > instant)
            ORDER BY jobs.priority DESC, jobs.id
            LIMIT cardinality(tokens)
            FOR UPDATE SKIP LOCKED
        );
    ELSE
        picked := ARRAY(
            SELECT best.place
            FROM unnest(priorities, marks) AS mark (priority, id)
            CROSS JOIN LATERAL (
                SELECT jobs.ctid AS place FROM {schema}.jobs
                WHERE jobs.queue = wanted AND jobs.status = 0 AND jobs.priority = mark.priority
                    AND jobs.id >= mark.id
                    AND (jobs.expires_at IS NULL OR jobs.expires_at > instant)
                ORDER BY jobs.id
                LIMIT cardinality(tokens)
                FOR UPDATE SKIP LOCKED
            ) AS best
            LIMIT cardinality(tokens)
        );
    END IF;
    IF cardinality(picked) = 0 THEN
        RETURN;
    END IF;
    INSERT INTO {schema}.moves (
        queue, accepted, pruned, pending, delayed, running, completed, dead, cancelled
    )
    VALUES (wanted, 0, 0, -cardinality(picked), 0, cardinality(picked), 0, 0, 0);
    RETURN QUERY
    UPDATE {schema}.jobs SET
        status = 2,
        attempt = jobs.attempt + 1,
        version = jobs.version + 1,
        updated_at = instant,
        token = new.token,
        worker_id = new.worker_id,
        claimed_at = instant,
        leased_until = instant + new.microseconds,
        visibility_timeout = new.seconds,
        look_at = instant + new.microseconds,
        woken = NULL
    FROM unnest(picked, tokens, worker_ids, seconds, microseconds)
        AS new (place, token, worker_id, seconds, microseconds)
    WHERE jobs.ctid = new.place
    RETURNING
        jobs.id::text, jobs.queue, jobs.status, jobs.priority, jobs.available_at, jobs.created_at,
        jobs.updated_at, jobs.expires_at, jobs.attempt, jobs.version, jobs.format, jobs.dedupe_key,
        jobs.dedupe_until, jobs.settled_token, jobs.settled_by, jobs.token, jobs.worker_id,
        jobs.claimed_at, jobs.leased_until, jobs.visibility_timeout, NULL::bigint, NULL::text,
        coalesce(
            jobs.payload, (SELECT large.payload FROM {schema}.bodies AS large WHERE large.id = jobs.id)
        ),
        jobs.rest::text;
    GET DIAGNOSTICS claimed = ROW_COUNT;
    IF claimed < cardinality(picked) THEN
        RAISE EXCEPTION 'a job has changed' USING ERRCODE = 'AQ001';
    END IF;
END
$$;
