-- The first layout. Why it is as it is: docs/decisions/postgres.md.
--
-- Instants are microseconds since the Unix epoch. Statuses are numbers, in the order of a life:
-- 0 pending, 1 delayed, 2 running, 3 completed, 4 dead, 5 cancelled.

CREATE TABLE {schema}.queues (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text COLLATE "C" NOT NULL UNIQUE,
    settings json NOT NULL DEFAULT '{}'
);

-- What every queue holds: the figures of `standing` and all `moves` that are not yet in it, added up.
-- A move is one line that a transaction adds, so no two writers ever wait for each other's count.
CREATE TABLE {schema}.standing (
    queue integer PRIMARY KEY,
    accepted bigint NOT NULL,
    pruned bigint NOT NULL,
    pending bigint NOT NULL,
    delayed bigint NOT NULL,
    running bigint NOT NULL,
    completed bigint NOT NULL,
    dead bigint NOT NULL,
    cancelled bigint NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE {schema}.moves (
    queue integer NOT NULL,
    accepted integer NOT NULL,
    pruned integer NOT NULL,
    pending integer NOT NULL,
    delayed integer NOT NULL,
    running integer NOT NULL,
    completed integer NOT NULL,
    dead integer NOT NULL,
    cancelled integer NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 5000);

-- The jobs that live: pending, delayed, running.
CREATE TABLE {schema}.jobs (
    available_at bigint NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    -- While pending, the transaction that made it so: see docs/decisions/postgres.md, "Marks".
    woken xid8,
    queue integer NOT NULL,
    priority integer NOT NULL,
    attempt integer NOT NULL DEFAULT 0,
    version integer NOT NULL DEFAULT 1,
    status smallint NOT NULL,
    format smallint NOT NULL DEFAULT 1,
    id uuid NOT NULL PRIMARY KEY,
    -- Do not start after.
    expires_at bigint,
    dedupe_until bigint,
    -- The lease, while running. `look_at` is never later than `leased_until`, and a renewal leaves it
    -- alone, so that no index is touched; the reaper brings it up to date when it looks.
    look_at bigint,
    claimed_at bigint,
    leased_until bigint,
    visibility_timeout double precision,
    token text,
    worker_id text,
    dedupe_key text COLLATE "C",
    -- The last settlement by a holder.
    settled_token text,
    settled_by text,
    -- NULL: too large to be copied along, so it is in `bodies`.
    payload bytea,
    -- All else, as JSON without the defaults.
    rest json NOT NULL DEFAULT '{}'
) WITH (
    fillfactor = 85,
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_vacuum_threshold = 2000,
    autovacuum_vacuum_cost_delay = 1,
    autovacuum_analyze_scale_factor = 0.05,
    autovacuum_analyze_threshold = 2000
);

-- Each question has one index that can answer it, and no other that the planner might take instead (why
-- it would: docs/decisions/postgres.md, "Plans"). That is what the conditions on `format` are for, which
-- hold for every row.

-- The order of claims, exactly.
CREATE INDEX jobs_pending ON {schema}.jobs (queue, priority DESC, id) WHERE status = 0;
CREATE INDEX jobs_woken ON {schema}.jobs (woken) WHERE woken IS NOT NULL;
CREATE INDEX jobs_due ON {schema}.jobs (available_at) WHERE status = 1;
CREATE INDEX jobs_lapsing ON {schema}.jobs (expires_at) WHERE status <= 1 AND expires_at IS NOT NULL;
CREATE INDEX jobs_running ON {schema}.jobs (look_at) WHERE status = 2;
CREATE INDEX jobs_listing ON {schema}.jobs (queue, status, id) WHERE format > 0;
-- At most one live job per queue and dedupe key.
CREATE UNIQUE INDEX jobs_dedupe ON {schema}.jobs (queue, dedupe_key) WHERE dedupe_key IS NOT NULL;

-- The jobs that have ended: completed, dead, cancelled. A job is in one of the two tables.
CREATE TABLE {schema}.ended (
    available_at bigint NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    completed_at bigint NOT NULL,
    queue integer NOT NULL,
    priority integer NOT NULL,
    attempt integer NOT NULL,
    version integer NOT NULL,
    status smallint NOT NULL,
    format smallint NOT NULL,
    id uuid NOT NULL PRIMARY KEY,
    expires_at bigint,
    dedupe_until bigint,
    dedupe_key text COLLATE "C",
    settled_token text,
    settled_by text,
    result text,
    payload bytea,
    rest json NOT NULL
) WITH (
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_insert_scale_factor = 0.1
);

CREATE INDEX ended_listing ON {schema}.ended (queue, status, id) WHERE format > 0;
-- What retention looks at, oldest end first; a window that outlives its job keeps it.
CREATE INDEX ended_free ON {schema}.ended (queue, status, completed_at)
    WHERE dedupe_until IS NULL OR dedupe_until <= completed_at;
CREATE INDEX ended_held ON {schema}.ended (queue, status, dedupe_until)
    WHERE dedupe_until > completed_at;
CREATE INDEX ended_window ON {schema}.ended (queue, dedupe_key)
    WHERE dedupe_until > completed_at;

-- The large payloads, of live and of ended jobs: a job that ends changes its table, and they stay.
CREATE TABLE {schema}.bodies (
    id uuid PRIMARY KEY,
    payload bytea NOT NULL
);

-- Which requests were accepted, by the digest of their idempotency key.
CREATE TABLE {schema}.replays (
    key text COLLATE "C" PRIMARY KEY,
    fingerprint text NOT NULL,
    outcome text NOT NULL,
    job_id uuid NOT NULL,
    queue_name text NOT NULL,
    created_at bigint NOT NULL,
    until bigint NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.05);

CREATE INDEX replays_until ON {schema}.replays (until);

-- How far apart the time in a job's id and its created_at were: least and greatest, ever. It starts wide
-- enough to be written but rarely.
CREATE TABLE {schema}.drift (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    least bigint NOT NULL DEFAULT -2000000,
    greatest bigint NOT NULL DEFAULT 2000000
) WITH (fillfactor = 50);

INSERT INTO {schema}.drift DEFAULT VALUES;

-- Written by every check, to prove that a write works.
CREATE TABLE {schema}.probe (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    checked_at bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

INSERT INTO {schema}.probe DEFAULT VALUES;

-- The one clock.
CREATE FUNCTION {schema}.now_us() RETURNS bigint LANGUAGE sql VOLATILE AS $$
    SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
$$;
