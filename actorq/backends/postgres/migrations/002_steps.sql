-- The steps that are taken most, as functions. Their plans are kept by the server's session, whoever uses
-- it: nothing has to be prepared, which a pooler would not allow. And a function may see, between two of
-- its statements, what others have committed.
--
-- The planner knows how many rows live, not how many are dead; of a queue that is nearly empty it believes
-- that any way through the table is as good as any other. So rows are found in subqueries that leave it
-- no choice: by the whole key of one index, for one row of the batch after the other.

-- Tells the instant, and the queues of these names; without any there is one row that has no queue.
CREATE FUNCTION {schema}.look(wanted text[])
RETURNS TABLE (instant bigint, id integer, name text, settings text)
LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY
    SELECT {schema}.now_us(), queues.id, queues.name, queues.settings::text
    FROM (VALUES (1)) AS always (one)
    LEFT JOIN {schema}.queues ON queues.name = ANY (wanted);
END
$$;

-- A job as it is read, from whichever table.
CREATE TYPE {schema}.job_record AS (
    id text, queue integer, status smallint, priority integer, available_at bigint,
    created_at bigint, updated_at bigint, expires_at bigint, attempt integer, version integer,
    format smallint, dedupe_key text, dedupe_until bigint, settled_token text, settled_by text,
    token text, worker_id text, claimed_at bigint, leased_until bigint,
    visibility_timeout double precision, completed_at bigint, result text, payload bytea, rest text
);

-- Reads jobs, each from where it is at one moment.
CREATE FUNCTION {schema}.read_jobs(ids uuid[]) RETURNS SETOF {schema}.job_record
LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY
    SELECT found.*
    FROM unnest(ids) AS wanted (id)
    CROSS JOIN LATERAL (
        SELECT
            jobs.id::text, jobs.queue, jobs.status, jobs.priority, jobs.available_at,
            jobs.created_at, jobs.updated_at, jobs.expires_at, jobs.attempt, jobs.version,
            jobs.format, jobs.dedupe_key, jobs.dedupe_until, jobs.settled_token, jobs.settled_by,
            jobs.token, jobs.worker_id, jobs.claimed_at, jobs.leased_until,
            jobs.visibility_timeout, NULL::bigint, NULL::text,
            coalesce(
                jobs.payload, (SELECT large.payload FROM {schema}.bodies AS large WHERE large.id = jobs.id)
            ),
            jobs.rest::text
        FROM {schema}.jobs WHERE jobs.id = wanted.id
        UNION ALL
        SELECT
            ended.id::text, ended.queue, ended.status, ended.priority, ended.available_at,
            ended.created_at, ended.updated_at, ended.expires_at, ended.attempt, ended.version,
            ended.format, ended.dedupe_key, ended.dedupe_until, ended.settled_token,
            ended.settled_by, NULL, NULL, NULL, NULL, NULL, ended.completed_at, ended.result,
            coalesce(
                ended.payload,
                (SELECT large.payload FROM {schema}.bodies AS large WHERE large.id = ended.id)
            ),
            ended.rest::text
        FROM {schema}.ended WHERE ended.id = wanted.id
    ) AS found;
END
$$;

-- Locks live jobs, in the order of `ids`, and reads them; in two statements, so that what is read is as
-- it was when the last lock was given.
CREATE FUNCTION {schema}.lock_jobs(ids uuid[]) RETURNS SETOF {schema}.job_record
LANGUAGE plpgsql AS $$
DECLARE
    locked tid[] := ARRAY(
        SELECT jobs.place FROM unnest(ids) AS wanted (id)
        CROSS JOIN LATERAL (
            SELECT jobs.ctid AS place FROM {schema}.jobs WHERE jobs.id = wanted.id FOR UPDATE
        ) AS jobs
    );
BEGIN
    RETURN QUERY
    SELECT
        jobs.id::text, jobs.queue, jobs.status, jobs.priority, jobs.available_at, jobs.created_at,
        jobs.updated_at, jobs.expires_at, jobs.attempt, jobs.version, jobs.format, jobs.dedupe_key,
        jobs.dedupe_until, jobs.settled_token, jobs.settled_by, jobs.token, jobs.worker_id,
        jobs.claimed_at, jobs.leased_until, jobs.visibility_timeout, NULL::bigint, NULL::text,
        coalesce(
            jobs.payload, (SELECT large.payload FROM {schema}.bodies AS large WHERE large.id = jobs.id)
        ),
        jobs.rest::text
    FROM {schema}.jobs WHERE jobs.ctid = ANY (locked);
END
$$;

-- Adds jobs. An id or a dedupe key that is taken already fails the transaction (23505, AQ001). The look
-- at the ended jobs comes after the insert: a job that ends meanwhile is seen by one of the two.
CREATE FUNCTION {schema}.add_jobs(
    new_ids uuid[], new_queues integer[], new_statuses integer[], new_priorities integer[],
    new_available_ats bigint[], new_expires_ats bigint[], new_keys text[], new_untils bigint[],
    new_payloads bytea[], new_rests text[], keyed boolean, instant bigint, new_format integer
) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO {schema}.jobs (
        id, queue, status, priority, available_at, created_at, updated_at, expires_at,
        dedupe_key, dedupe_until, format, payload, rest, woken
    )
    SELECT
        new.id, new.queue, new.status, new.priority, new.available_at, instant, instant,
        new.expires_at, new.dedupe_key, new.dedupe_until, new_format,
        CASE WHEN octet_length(new.payload) <= 1500 THEN new.payload END, new.rest::json,
        CASE WHEN new.status = 0 THEN pg_current_xact_id() END
    FROM unnest(
        new_ids, new_queues, new_statuses, new_priorities, new_available_ats, new_expires_ats,
        new_keys, new_untils, new_payloads, new_rests
    ) AS new (
        id, queue, status, priority, available_at, expires_at, dedupe_key, dedupe_until, payload, rest
    );
    INSERT INTO {schema}.bodies (id, payload)
    SELECT new.id, new.payload FROM unnest(new_ids, new_payloads) AS new (id, payload)
    WHERE octet_length(new.payload) > 1500;
    IF EXISTS (
        SELECT FROM unnest(new_ids) AS new (id)
        CROSS JOIN LATERAL (
            SELECT FROM {schema}.ended WHERE ended.id = new.id OFFSET 0
        ) AS known
    ) THEN
        RAISE EXCEPTION 'a job of this id has ended' USING ERRCODE = 'AQ001';
    END IF;
    IF keyed AND EXISTS (
        SELECT FROM unnest(new_queues, new_keys) AS new (queue, dedupe_key)
        CROSS JOIN LATERAL (
            SELECT FROM {schema}.ended
            WHERE ended.queue = new.queue AND ended.dedupe_key = new.dedupe_key
                AND ended.dedupe_until > ended.completed_at AND ended.dedupe_until > instant
            OFFSET 0
        ) AS holder
    ) THEN
        RAISE EXCEPTION 'an ended job holds this dedupe key' USING ERRCODE = 'AQ001';
    END IF;
END
$$;

-- Puts payloads in the place of others; those that are NULL stay.
CREATE FUNCTION {schema}.replace_bodies(new_ids uuid[], new_payloads bytea[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM {schema}.bodies
    USING (
        SELECT wanted.id FROM unnest(new_ids, new_payloads) AS wanted (id, payload)
        WHERE wanted.payload IS NOT NULL
        OFFSET 0
    ) AS new
    WHERE bodies.id = new.id;
    INSERT INTO {schema}.bodies (id, payload)
    SELECT new.id, new.payload FROM unnest(new_ids, new_payloads) AS new (id, payload)
    WHERE octet_length(new.payload) > 1500;
END
$$;

-- Changes live jobs which stay alive. A payload or a rest that is NULL stays. If one of them no longer has
-- the version that it was found with, the transaction fails (AQ001).
CREATE FUNCTION {schema}.change_jobs(
    new_ids uuid[], old_versions integer[], new_statuses integer[], new_priorities integer[],
    new_available_ats bigint[], new_updated_ats bigint[], new_attempts integer[], new_versions integer[], new_tokens text[],
    new_worker_ids text[], new_claimed_ats bigint[], new_leased_untils bigint[],
    new_visibilities double precision[], new_settled_tokens text[],
    new_settled_bys text[], new_payloads bytea[], new_rests text[]
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    written bigint;
BEGIN
    UPDATE {schema}.jobs SET
        status = new.status,
        priority = new.priority,
        available_at = new.available_at,
        updated_at = new.updated_at,
        attempt = new.attempt,
        version = new.version,
        token = new.token,
        worker_id = new.worker_id,
        claimed_at = new.claimed_at,
        leased_until = new.leased_until,
        visibility_timeout = new.visibility_timeout,
        look_at = CASE
            WHEN new.leased_until IS NOT NULL THEN least(jobs.look_at, new.leased_until)
        END,
        settled_token = new.settled_token,
        settled_by = new.settled_by,
        woken = CASE
            WHEN new.status <> 0 THEN NULL
            WHEN jobs.status <> 0 OR jobs.priority <> new.priority THEN pg_current_xact_id()
            ELSE jobs.woken
        END,
        payload = CASE
            WHEN new.payload IS NULL THEN jobs.payload
            WHEN octet_length(new.payload) <= 1500 THEN new.payload
        END,
        rest = coalesce(new.rest::json, jobs.rest)
    FROM (
        SELECT wanted.*, (
            SELECT found.ctid FROM {schema}.jobs AS found
            WHERE found.id = wanted.id AND found.version = wanted.old_version
        ) AS place
        FROM unnest(
            new_ids, old_versions, new_statuses, new_priorities, new_available_ats,
            new_updated_ats, new_attempts, new_versions, new_tokens, new_worker_ids,
            new_claimed_ats, new_leased_untils, new_visibilities, new_settled_tokens,
            new_settled_bys, new_payloads, new_rests
        ) AS wanted (
            id, old_version, status, priority, available_at, updated_at, attempt, version, token,
            worker_id, claimed_at, leased_until, visibility_timeout, settled_token, settled_by,
            payload, rest
        )
        OFFSET 0
    ) AS new
    WHERE jobs.ctid = new.place;
    GET DIAGNOSTICS written = ROW_COUNT;
    IF written < cardinality(new_ids) THEN
        RAISE EXCEPTION 'a job has changed' USING ERRCODE = 'AQ001';
    END IF;
    IF cardinality(array_remove(new_payloads, NULL)) > 0 THEN
        PERFORM {schema}.replace_bodies(new_ids, new_payloads);
    END IF;
END
$$;

-- Ends live jobs. A rest that is NULL stays. If one of them no longer has the version that it was found
-- with, the transaction fails (AQ001).
CREATE FUNCTION {schema}.end_jobs(
    new_ids uuid[], old_versions integer[], new_statuses integer[], new_completed_ats bigint[],
    new_versions integer[], new_settled_tokens text[], new_settled_bys text[], new_results text[],
    new_rests text[]
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    written bigint;
BEGIN
    WITH gone AS (
        DELETE FROM {schema}.jobs
        USING (
            SELECT wanted.*, (
                SELECT found.ctid FROM {schema}.jobs AS found
                WHERE found.id = wanted.id AND found.version = wanted.old_version
            ) AS place
            FROM unnest(
                new_ids, old_versions, new_statuses, new_completed_ats, new_versions,
                new_settled_tokens, new_settled_bys, new_results, new_rests
            ) AS wanted (
                id, old_version, status, completed_at, version, settled_token, settled_by, result,
                rest
            )
            OFFSET 0
        ) AS new
        WHERE jobs.ctid = new.place
        RETURNING
            jobs.available_at, jobs.created_at, new.completed_at, jobs.queue, jobs.priority,
            jobs.attempt, new.version, new.status, jobs.format, jobs.id, jobs.expires_at,
            jobs.dedupe_until, jobs.dedupe_key, new.settled_token, new.settled_by, new.result,
            jobs.payload, coalesce(new.rest::json, jobs.rest) AS rest
    )
    INSERT INTO {schema}.ended (
        available_at, created_at, updated_at, completed_at, queue, priority, attempt, version,
        status, format, id, expires_at, dedupe_until, dedupe_key, settled_token, settled_by, result,
        payload, rest
    )
    SELECT
        available_at, created_at, completed_at, completed_at, queue, priority, attempt, version,
        status, format, id, expires_at, dedupe_until, dedupe_key, settled_token, settled_by, result,
        payload, rest
    FROM gone;
    GET DIAGNOSTICS written = ROW_COUNT;
    IF written < cardinality(new_ids) THEN
        RAISE EXCEPTION 'a job has changed' USING ERRCODE = 'AQ001';
    END IF;
END
$$;

-- Counts what became of jobs.
CREATE FUNCTION {schema}.count_moves(
    queues integer[], accepted integer[], pruned integer[], pending integer[], delayed integer[],
    running integer[], completed integer[], dead integer[], cancelled integer[]
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO {schema}.moves (
        queue, accepted, pruned, pending, delayed, running, completed, dead, cancelled
    )
    SELECT * FROM unnest(
        queues, accepted, pruned, pending, delayed, running, completed, dead, cancelled
    );
END
$$;

-- Remembers requests. A key that is remembered already fails the transaction (AQ001).
CREATE FUNCTION {schema}.remember(
    new_keys text[], new_fingerprints text[], new_outcomes text[], new_job_ids uuid[],
    new_queue_names text[], new_created_ats bigint[], new_until bigint, instant bigint
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    written bigint;
BEGIN
    INSERT INTO {schema}.replays (key, fingerprint, outcome, job_id, queue_name, created_at, until)
    SELECT new.key, new.fingerprint, new.outcome, new.job_id, new.queue_name, new.created_at, new_until
    FROM unnest(
        new_keys, new_fingerprints, new_outcomes, new_job_ids, new_queue_names, new_created_ats
    ) AS new (key, fingerprint, outcome, job_id, queue_name, created_at)
    ON CONFLICT (key) DO UPDATE SET
        fingerprint = excluded.fingerprint,
        outcome = excluded.outcome,
        job_id = excluded.job_id,
        queue_name = excluded.queue_name,
        created_at = excluded.created_at,
        until = excluded.until
    WHERE replays.until <= instant;
    GET DIAGNOSTICS written = ROW_COUNT;
    IF written < cardinality(new_keys) THEN
        RAISE EXCEPTION 'a request of this key was accepted' USING ERRCODE = 'AQ001';
    END IF;
END
$$;
