-- Schedules: each a record as core encodes it, and what the index needs of it.

CREATE TABLE {schema}.schedules (
    name text COLLATE "C" PRIMARY KEY,
    -- When it is next to be looked at; NULL while it is paused or over.
    due_at bigint,
    record bytea NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 1000);

CREATE INDEX schedules_due ON {schema}.schedules (due_at) WHERE due_at IS NOT NULL;
