-- Lets a waiting holder of a dedupe key take over payload, priority and due time, as core's
-- `replace_waiting` says. The row is locked. One that waits for other jobs goes on waiting, and is due at
-- the instant at the earliest. Nobody calls this but `enqueue`, so it may be replaced.
CREATE OR REPLACE FUNCTION {schema}.replace_waiting(
    holder uuid, new_payload bytea, new_priority integer, due bigint, instant bigint
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    old record;
    waits boolean;
    new_status integer := CASE WHEN due > instant THEN 1 ELSE 0 END;
BEGIN
    SELECT jobs.queue, jobs.status, jobs.priority, jobs.available_at, jobs.rest INTO old
    FROM {schema}.jobs WHERE jobs.id = holder;
    waits := old.status = 1
        AND coalesce(json_array_length(old.rest -> 'workflow' -> 'waiting_for'), 0) > 0;
    IF waits THEN
        new_status := 1;
        -- Part by part, as the others may have what jsonb does not take.
        old.rest := (
            SELECT json_object_agg(part.key, CASE
                WHEN part.key = 'workflow'
                THEN (part.value::jsonb || jsonb_build_object('not_before', due))::json
                ELSE part.value
            END)
            FROM json_each(old.rest) AS part
        );
    END IF;
    UPDATE {schema}.jobs SET
        payload = CASE WHEN octet_length(new_payload) <= 1500 THEN new_payload END,
        priority = new_priority,
        available_at = CASE WHEN waits THEN old.available_at ELSE due END,
        rest = old.rest,
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
