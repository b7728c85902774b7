-- Enqueue inside the caller's own transaction, from any language and driver:
--
--     BEGIN;
--     INSERT INTO orders ...;
--     SELECT * FROM actorq.enqueue('mail', '{"order": 7}', dedupe_key => 'order 7');
--     COMMIT;
--
-- The job exists if and only if the transaction commits. What the contract says of a job holds here as at
-- every other door; what it refuses is refused with SQLSTATE 22023, and the other refusals are AQ409 (a
-- job holds the dedupe key) and AQ429 (the queue is full). Durations are seconds.

-- Makes a UUIDv7: milliseconds, then the microseconds within, then 62 random bits.
CREATE FUNCTION {schema}.mint_id(instant bigint) RETURNS uuid LANGUAGE sql VOLATILE AS $$
    SELECT encode(
        substring(int8send(instant / 1000) FROM 3)
            || substring(int4send((28672 + (instant % 1000) * 4096 / 1000)::integer) FROM 3)
            || substring(uuid_send(gen_random_uuid()) FROM 9),
        'hex'
    )::uuid
$$;

-- Raises unless `fine`: NULL is not fine.
CREATE FUNCTION {schema}.require(fine boolean, place text, words text) RETURNS void
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF fine IS NOT TRUE THEN
        RAISE EXCEPTION '%: %', place, words USING ERRCODE = '22023';
    END IF;
END
$$;

-- Checks what does not depend on the store (contract, section 1).
CREATE FUNCTION {schema}.check_job(
    queue_name text, payload text, max_retries integer, delivery text, delay double precision,
    metadata jsonb, task text, timeout double precision, backoff jsonb, dedupe_key text,
    dedupe_window double precision, on_duplicate text
) RETURNS void LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    century constant double precision := 3153600000;
    entry record;
BEGIN
    PERFORM {schema}.require(
        queue_name ~ '^[A-Za-z0-9_][A-Za-z0-9_.:-]{0,127}$' AND queue_name !~ '\n',
        'queue_name', 'must match [A-Za-z0-9_][A-Za-z0-9_.:-]{0,127}'
    );
    PERFORM {schema}.require(
        octet_length(payload) <= 1048576, 'payload', 'must be a text of at most 1048576 bytes'
    );
    PERFORM {schema}.require(
        max_retries BETWEEN 0 AND 1000, 'max_retries', 'must be an integer from 0 to 1000'
    );
    PERFORM {schema}.require(
        delivery IN ('at_least_once', 'at_most_once'), 'delivery',
        'must be at_least_once or at_most_once'
    );
    PERFORM {schema}.require(
        delay IS NULL OR delay BETWEEN 0 AND century, 'delay', 'must be seconds, 0 or more'
    );
    PERFORM {schema}.require(
        task IS NULL OR length(task) BETWEEN 1 AND 200, 'task', 'must have 1 to 200 characters'
    );
    PERFORM {schema}.require(
        timeout IS NULL OR timeout BETWEEN 0.001 AND century, 'timeout', 'must be seconds, more than 0'
    );
    PERFORM {schema}.require(
        dedupe_key IS NULL OR length(dedupe_key) BETWEEN 1 AND 255, 'dedupe_key',
        'must have 1 to 255 characters'
    );
    PERFORM {schema}.require(
        dedupe_window BETWEEN 0 AND century, 'dedupe_window', 'must be seconds, 0 or more'
    );
    PERFORM {schema}.require(
        on_duplicate IN ('return', 'reject', 'replace'), 'on_duplicate',
        'must be return, reject or replace'
    );
    PERFORM {schema}.require(
        jsonb_typeof(metadata) = 'object', 'metadata', 'must be an object of texts'
    );
    PERFORM {schema}.require(
        (SELECT count(*) FROM jsonb_object_keys(metadata)) <= 64, 'metadata',
        'must have at most 64 entries'
    );
    FOR entry IN SELECT pair.key, pair.value FROM jsonb_each(metadata) AS pair LOOP
        PERFORM {schema}.require(
            octet_length(entry.key) BETWEEN 1 AND 128, 'metadata', 'a key must have 1 to 128 bytes'
        );
        PERFORM {schema}.require(
            jsonb_typeof(entry.value) = 'string' AND octet_length(entry.value #>> '{}') <= 4096,
            'metadata', 'a value must be a text of at most 4096 bytes'
        );
    END LOOP;
    IF backoff IS NOT NULL THEN
        PERFORM {schema}.require(
            jsonb_typeof(backoff) = 'object' AND backoff - '{base,factor,max}'::text[] = '{}'
                AND coalesce(jsonb_typeof(backoff -> 'base'), 'number') = 'number'
                AND coalesce(jsonb_typeof(backoff -> 'factor'), 'number') = 'number'
                AND coalesce(jsonb_typeof(backoff -> 'max'), 'number') = 'number'
                AND coalesce((backoff ->> 'base')::numeric, 1) BETWEEN 0 AND century::numeric
                AND coalesce((backoff ->> 'factor')::numeric, 2) BETWEEN 1 AND 1000
                AND coalesce((backoff ->> 'max')::numeric, 3600) BETWEEN 0 AND century::numeric,
            'backoff', 'must be an object of base and max in seconds and a factor from 1 to 1000'
        );
    END IF;
END
$$;

-- Finds the queue, or makes it.
CREATE FUNCTION {schema}.find_queue(wanted text, OUT id integer, OUT max_depth bigint)
LANGUAGE plpgsql AS $$
BEGIN
    LOOP
        SELECT queues.id, (queues.settings ->> 'max_depth')::bigint INTO id, max_depth
        FROM {schema}.queues WHERE queues.name = wanted;
        EXIT WHEN FOUND;
        INSERT INTO {schema}.queues (name) VALUES (wanted) ON CONFLICT (name) DO NOTHING;
    END LOOP;
END
$$;

-- Widens the bounds of the table of drift, if the time in an id that the caller made asks for it.
CREATE FUNCTION {schema}.cover_drift(job_id uuid, instant bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    minted constant bigint :=
        ('x' || lpad(encode(substring(uuid_send(job_id) FOR 6), 'hex'), 16, '0'))::bit(64)::bigint
        * 1000;
BEGIN
    UPDATE {schema}.drift SET
        least = least(drift.least, 2 * (instant - minted)),
        greatest = greatest(drift.greatest, 2 * (instant - minted))
    WHERE instant - minted NOT BETWEEN drift.least AND drift.greatest;
END
$$;

-- Lets a waiting holder of a dedupe key take over payload, priority and due time, as core's
-- `replace_waiting` says. The row is locked.
CREATE FUNCTION {schema}.replace_waiting(
    holder uuid, new_payload bytea, new_priority integer, due bigint, instant bigint
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    old record;
    new_status constant integer := CASE WHEN due > instant THEN 1 ELSE 0 END;
BEGIN
    SELECT jobs.queue, jobs.status, jobs.priority INTO old FROM {schema}.jobs WHERE jobs.id = holder;
    UPDATE {schema}.jobs SET
        payload = CASE WHEN octet_length(new_payload) <= 1500 THEN new_payload END,
        priority = new_priority,
        available_at = due,
        status = new_status,
        updated_at = instant,
        version = version + 1,
        woken = CASE
            WHEN new_status <> 0 THEN NULL
            WHEN old.status <> 0 OR old.priority <> new_priority THEN pg_current_xact_id()
            ELSE woken
        END
    WHERE jobs.id = holder;
    PERFORM {schema}.replace_bodies(ARRAY[holder], ARRAY[new_payload]);
    IF new_status <> old.status THEN
        PERFORM {schema}.count_moves(
            ARRAY[old.queue], '{0}', '{0}', ARRAY[1 - 2 * new_status], ARRAY[2 * new_status - 1],
            '{0}', '{0}', '{0}', '{0}'
        );
    END IF;
END
$$;

CREATE FUNCTION {schema}.enqueue(
    queue_name text,
    payload text,
    priority integer DEFAULT 0,
    max_retries integer DEFAULT 3,
    delivery text DEFAULT 'at_least_once',
    delay double precision DEFAULT NULL,
    available_at timestamptz DEFAULT NULL,
    metadata jsonb DEFAULT '{}',
    task text DEFAULT NULL,
    backoff jsonb DEFAULT NULL,
    timeout double precision DEFAULT NULL,
    expires_at timestamptz DEFAULT NULL,
    dedupe_key text DEFAULT NULL,
    dedupe_window double precision DEFAULT 0,
    on_duplicate text DEFAULT 'return',
    id uuid DEFAULT NULL
) RETURNS TABLE (job_id uuid, outcome text)
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
AS $$
#variable_conflict use_variable
DECLARE
    latest constant timestamptz := '9999-12-31 23:59:59Z';
    place record;
    held record;
    instant bigint;
    due bigint;
    waiting bigint;
    fresh_id uuid;
    body constant bytea := convert_to(payload, 'UTF8');
    rest constant text := jsonb_strip_nulls(jsonb_build_object(
        'max_retries', nullif(max_retries, 3), 'delivery', nullif(delivery, 'at_least_once'),
        'metadata', nullif(metadata, '{}'), 'task', task, 'backoff', backoff, 'timeout', timeout
    ));
BEGIN
    PERFORM {schema}.check_job(
        queue_name, payload, max_retries, delivery, delay, metadata, task, timeout, backoff,
        dedupe_key, dedupe_window, on_duplicate
    );
    PERFORM {schema}.require(priority IS NOT NULL, 'priority', 'must be an integer');
    PERFORM {schema}.require(
        delay IS NULL OR available_at IS NULL, 'delay', 'excludes available_at: say one of them'
    );
    PERFORM {schema}.require(
        dedupe_key IS NOT NULL OR dedupe_window = 0, 'dedupe_window',
        'means nothing without a dedupe_key'
    );
    PERFORM {schema}.require(
        coalesce(available_at BETWEEN 'epoch' AND latest, true)
            AND coalesce(expires_at BETWEEN 'epoch' AND latest, true),
        'available_at, expires_at', 'must lie between the years 1970 and 9999'
    );
    -- Whoever takes the id or the key while this looks for it is met at the next look.
    FOR attempt IN 1 .. 20 LOOP
        place := {schema}.find_queue(queue_name);
        IF place.max_depth IS NOT NULL THEN
            PERFORM FROM {schema}.queues WHERE queues.id = place.id FOR UPDATE;
        END IF;
        instant := {schema}.now_us();
        due := coalesce(
            (extract(epoch FROM available_at) * 1000000)::bigint,
            instant + coalesce(round(delay * 1000000)::bigint, 0)
        );
        fresh_id := coalesce(id, {schema}.mint_id(instant));
        IF id IS NOT NULL AND EXISTS (
            SELECT FROM {schema}.jobs WHERE jobs.id = fresh_id
            UNION ALL
            SELECT FROM {schema}.ended WHERE ended.id = fresh_id
        ) THEN
            RETURN QUERY SELECT fresh_id, 'created';
            RETURN;
        END IF;
        IF dedupe_key IS NOT NULL THEN
            IF on_duplicate = 'replace' THEN
                PERFORM FROM {schema}.jobs
                WHERE jobs.queue = place.id AND jobs.dedupe_key = enqueue.dedupe_key FOR UPDATE;
            END IF;
            SELECT jobs.id, jobs.status INTO held FROM {schema}.jobs
            WHERE jobs.queue = place.id AND jobs.dedupe_key = enqueue.dedupe_key;
            IF NOT FOUND THEN
                SELECT ended.id, ended.status INTO held FROM {schema}.ended
                WHERE ended.queue = place.id AND ended.dedupe_key = enqueue.dedupe_key
                    AND ended.dedupe_until > ended.completed_at AND ended.dedupe_until > instant
                ORDER BY ended.id
                LIMIT 1;
            END IF;
            IF held.id IS NOT NULL THEN
                IF on_duplicate = 'reject' THEN
                    RAISE EXCEPTION 'job % holds the dedupe key %', held.id, dedupe_key
                        USING ERRCODE = 'AQ409';
                END IF;
                IF on_duplicate = 'replace' AND held.status <= 1 THEN
                    PERFORM {schema}.replace_waiting(held.id, body, priority, due, instant);
                    IF due <= instant THEN
                        PERFORM pg_notify('{channel}', queue_name);
                    END IF;
                    RETURN QUERY SELECT held.id, 'replaced';
                ELSE
                    RETURN QUERY SELECT held.id, 'duplicate';
                END IF;
                RETURN;
            END IF;
        END IF;
        IF place.max_depth IS NOT NULL THEN
            SELECT coalesce(sum(lines.pending + lines.delayed), 0) INTO waiting FROM (
                SELECT pending, delayed FROM {schema}.standing WHERE queue = place.id
                UNION ALL
                SELECT pending, delayed FROM {schema}.moves WHERE queue = place.id
            ) AS lines;
            IF waiting >= place.max_depth THEN
                RAISE EXCEPTION 'queue % is full: % jobs wait already', queue_name, place.max_depth
                    USING ERRCODE = 'AQ429';
            END IF;
        END IF;
        BEGIN
            PERFORM {schema}.add_jobs(
                ARRAY[fresh_id], ARRAY[place.id], ARRAY[CASE WHEN due > instant THEN 1 ELSE 0 END],
                ARRAY[priority], ARRAY[due],
                ARRAY[(extract(epoch FROM expires_at) * 1000000)::bigint], ARRAY[dedupe_key],
                ARRAY[CASE
                    WHEN dedupe_key IS NOT NULL
                    THEN instant + round(dedupe_window * 1000000)::bigint
                END],
                ARRAY[body], ARRAY[rest], dedupe_key IS NOT NULL, instant, 1
            );
        EXCEPTION WHEN unique_violation OR SQLSTATE 'AQ001' THEN
            CONTINUE;
        END;
        PERFORM {schema}.count_moves(
            ARRAY[place.id], '{1}', '{0}', ARRAY[CASE WHEN due > instant THEN 0 ELSE 1 END],
            ARRAY[CASE WHEN due > instant THEN 1 ELSE 0 END], '{0}', '{0}', '{0}', '{0}'
        );
        IF id IS NOT NULL THEN
            PERFORM {schema}.cover_drift(fresh_id, instant);
        END IF;
        IF due <= instant THEN
            PERFORM pg_notify('{channel}', queue_name);
        END IF;
        RETURN QUERY SELECT fresh_id, 'created';
        RETURN;
    END LOOP;
    RAISE EXCEPTION 'others were in the way again and again' USING ERRCODE = '40001';
END
$$;
