-- Upkeep.

-- Begins a step: all of this holds for the transaction alone, for behind a pooler the session is somebody
-- else's, too. A server of ours that freezes in the middle must not keep its locks. The planner must not
-- choose by the size that a table happens to have when it makes a plan, for at first all of them are empty:
-- rows are found by index. A plan made for one batch is as good for the next. To compile one takes longer
-- than any of ours runs.
CREATE FUNCTION {schema}.begin_step(patience text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM
        set_config('statement_timeout', patience, true),
        set_config('idle_in_transaction_session_timeout', patience, true),
        set_config('enable_seqscan', 'off', true),
        set_config('enable_hashjoin', 'off', true),
        set_config('enable_mergejoin', 'off', true),
        set_config('plan_cache_mode', 'force_generic_plan', true),
        set_config('jit', 'off', true);
END
$$;

-- Tells the instant, when a lease may next run out (as far as `since` lets it look), when a waiting job is
-- next due or lapses, and whether there are moves to be added to the standing. A round that finds nothing
-- to do asks no more than this.
CREATE FUNCTION {schema}.upcoming(since bigint)
RETURNS TABLE (instant bigint, expiry bigint, promotion bigint, moved boolean)
LANGUAGE plpgsql SET enable_seqscan = off SET plan_cache_mode = force_generic_plan SET jit = off AS $$
BEGIN
    RETURN QUERY SELECT
        {schema}.now_us(),
        (
            SELECT min(jobs.look_at) FROM {schema}.jobs
            WHERE jobs.status = 2 AND jobs.look_at >= since
        ),
        least(
            (SELECT min(jobs.available_at) FROM {schema}.jobs WHERE jobs.status = 1),
            (
                SELECT min(jobs.expires_at) FROM {schema}.jobs
                WHERE jobs.status <= 1 AND jobs.expires_at IS NOT NULL
            )
        ),
        EXISTS (SELECT FROM {schema}.moves);
END
$$;
