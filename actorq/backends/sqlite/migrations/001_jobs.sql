-- The first layout. Why it is as it is: docs/decisions/sqlite.md.
--
-- Instants are microseconds since the Unix epoch. Statuses are numbers, in the order of a life:
-- 0 pending, 1 delayed, 2 running, 3 completed, 4 dead, 5 cancelled.

CREATE TABLE queues (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    settings BLOB NOT NULL,
    accepted INTEGER NOT NULL DEFAULT 0,
    pruned INTEGER NOT NULL DEFAULT 0,
    pending INTEGER NOT NULL DEFAULT 0,
    delayed INTEGER NOT NULL DEFAULT 0,
    running INTEGER NOT NULL DEFAULT 0,
    completed INTEGER NOT NULL DEFAULT 0,
    dead INTEGER NOT NULL DEFAULT 0,
    cancelled INTEGER NOT NULL DEFAULT 0
) STRICT;

-- A job's record is `state` (what changes with each step) and `body` (what hardly ever does). All
-- columns before them repeat what the indexes below need, and nothing reads a job from them.
CREATE TABLE jobs (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    queue INTEGER NOT NULL REFERENCES queues (id),
    status INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    -- When something is next to be done: due (delayed), lease over (running), ended at (ended).
    due_at INTEGER,
    -- The end of the time to start, while waiting.
    lapses_at INTEGER,
    -- The dedupe key, as long as the job may hold it; an ended job holds it until held_until.
    dedupe_key TEXT,
    held_until INTEGER,
    -- The token of the lease, while running.
    token TEXT,
    format INTEGER NOT NULL,
    state BLOB NOT NULL,
    -- NULL: too large to be copied along with every change of state, so it is in `bodies`.
    body BLOB
) STRICT;

CREATE TABLE bodies (
    seq INTEGER PRIMARY KEY,
    body BLOB NOT NULL
) STRICT;

-- The order of claims, exactly.
CREATE INDEX jobs_pending ON jobs (queue, priority DESC, id) WHERE status = 0;
CREATE INDEX jobs_delayed ON jobs (due_at) WHERE status = 1;
CREATE INDEX jobs_running ON jobs (due_at) WHERE status = 2;
CREATE INDEX jobs_lapsing ON jobs (lapses_at) WHERE lapses_at IS NOT NULL;
-- What retention looks at, oldest end first; a job whose window holds its key is none of it yet.
CREATE INDEX jobs_ended ON jobs (queue, status, due_at) WHERE status NOT IN (0, 1, 2) AND held_until IS NULL;
CREATE INDEX jobs_held ON jobs (held_until) WHERE held_until IS NOT NULL;
CREATE INDEX jobs_dedupe ON jobs (queue, dedupe_key) WHERE dedupe_key IS NOT NULL;
CREATE INDEX jobs_listing ON jobs (queue, status, id);

-- Which requests were accepted, by the digest of their idempotency key.
CREATE TABLE replays (
    key TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    outcome TEXT NOT NULL,
    job_id TEXT NOT NULL,
    queue_name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX replays_until ON replays (until);

-- How far apart the time in a job's id and its created_at were: least and greatest, ever.
CREATE TABLE drift (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    least INTEGER NOT NULL,
    greatest INTEGER NOT NULL
) STRICT;

INSERT INTO drift VALUES (1, 0, 0);
