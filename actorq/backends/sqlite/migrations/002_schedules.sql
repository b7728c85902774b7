-- Schedules: each a record as core encodes it, and what the index needs of it.

CREATE TABLE schedules (
    name TEXT PRIMARY KEY,
    -- When it is next to be looked at; NULL while it is paused or over.
    due_at INTEGER,
    record BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX schedules_due ON schedules (due_at) WHERE due_at IS NOT NULL;
