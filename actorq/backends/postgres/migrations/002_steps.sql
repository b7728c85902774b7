-- The steps that write several rows and must see, between two of their statements, what others have
-- committed. A function's plans are kept by the server's session, whoever uses it: nothing has to be
-- prepared, which a pooler would not allow.

-- Adds jobs. An id or a dedupe key that is taken already fails the transaction (23505, AQ001). The look
-- at the ended jobs comes after the insert: a job that ended meanwhile is seen by one of the two.
CREATE FUNCTION {schema}.add_jobs(
    new_ids uuid[], new_queues integer[], new_statuses integer[], new_priorities integer[],
    new_available_ats bigint[], new_expires_ats bigint[], new_keys text[], new_untils bigint[],
    new_payloads bytea[], new_rests text[], keyed boolean, instant bigint, new_format integer
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO {schema}.jobs (
        id, queue, status, priority, available_at, created_at, updated_at, expires_at,
        dedupe_key, dedupe_until, format, payload, rest
    )
    SELECT
        new.id, new.queue, new.status, new.priority, new.available_at, instant, instant,
        new.expires_at, new.dedupe_key, new.dedupe_until, new_format, new.payload, new.rest::json
    FROM unnest(
        new_ids, new_queues, new_statuses, new_priorities, new_available_ats, new_expires_ats,
        new_keys, new_untils, new_payloads, new_rests
    ) AS new (
        id, queue, status, priority, available_at, expires_at, dedupe_key, dedupe_until, payload, rest
    );
    IF EXISTS (SELECT FROM {schema}.ended WHERE ended.id = ANY (new_ids)) THEN
        RAISE EXCEPTION 'a job of this id has ended' USING ERRCODE = 'AQ001';
    END IF;
    IF keyed AND EXISTS (
        SELECT FROM unnest(new_queues, new_keys) AS new (queue, dedupe_key)
        JOIN {schema}.ended ON ended.queue = new.queue AND ended.dedupe_key = new.dedupe_key
        WHERE ended.dedupe_until > ended.completed_at AND ended.dedupe_until > instant
    ) THEN
        RAISE EXCEPTION 'an ended job holds this dedupe key' USING ERRCODE = 'AQ001';
    END IF;
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
