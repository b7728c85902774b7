"""Measure ways to lay jobs out in PostgreSQL: ``python docs/decisions/postgres_layouts.py DSN``.

Bare statements, nothing decoded or decided: each layout writes jobs, claims and completes them in batches,
with the indexes that claims, leases, retention and listings need. Prints microseconds of CPU per job, of the
server's process and of this one, and bytes of the write-ahead log. The server must run on this machine (for
/proc). It makes the schema ``layouts`` and drops it. What came out, and what was chosen:
docs/decisions/postgres.md.
"""

from __future__ import annotations

import secrets
import sys
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final, NamedTuple, cast

import psycopg

from actorq.backends.postgres import arrays
from actorq.backends.postgres.connection import Connection, Statement, complete
from actorq.clock import random_bits, wall_clock
from actorq.core.ids import IdMint

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

BATCH: Final = 100
JOBS: Final = 10_000
ROUNDS: Final = 3

COLUMNS: Final = """
    id uuid PRIMARY KEY, queue integer NOT NULL, status smallint NOT NULL, priority integer NOT NULL,
    attempt integer NOT NULL, version integer NOT NULL, available_at bigint NOT NULL,
    created_at bigint NOT NULL, updated_at bigint NOT NULL, expires_at bigint, dedupe_key text,
    token text, worker text, claimed_at bigint, leased_until bigint, completed_at bigint, settled text,
    payload bytea NOT NULL, rest text NOT NULL
"""
PENDING: Final = "CREATE INDEX ON layouts.jobs (queue, priority DESC, id) WHERE status = 0"
RUNNING: Final = "CREATE INDEX ON layouts.jobs (leased_until) WHERE status = 2"
LISTING: Final = "CREATE INDEX ON layouts.jobs (queue, status, id)"

NOW: Final = "(SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now) AS clock"
ENQUEUE: Final = f"""
    INSERT INTO layouts.jobs (
        id, queue, status, priority, attempt, version, available_at, created_at, updated_at, payload, rest
    )
    SELECT new.id, 1, 0, 0, 0, 1, now, now, now, new.payload, '{{}}'
    FROM unnest($1::uuid[], $2::bytea[]) AS new (id, payload), {NOW}
"""  # noqa: S608 - made of constants
CLAIM: Final = f"""
    WITH picked AS MATERIALIZED (
        SELECT id, row_number() OVER () AS place FROM (
            SELECT id FROM layouts.jobs WHERE queue = 1 AND status = 0
            ORDER BY priority DESC, id LIMIT cardinality($1::text[]) FOR UPDATE SKIP LOCKED
        ) AS best
    )
    UPDATE layouts.jobs SET
        status = 2, attempt = attempt + 1, version = version + 1, updated_at = now, token = new.token,
        worker = 'w', claimed_at = now, leased_until = now + 30000000
    FROM picked JOIN unnest($1::text[]) WITH ORDINALITY AS new (token, place) USING (place), {NOW}
    WHERE jobs.id = picked.id
    RETURNING jobs.id::text, jobs.token, jobs.payload, jobs.rest
"""  # noqa: S608 - made of constants
UPDATE: Final = f"""
    UPDATE layouts.jobs SET
        status = 3, version = version + 1, updated_at = now, completed_at = now, settled = new.token,
        token = NULL, worker = NULL, claimed_at = NULL, leased_until = NULL
    FROM unnest($1::uuid[], $2::text[]) AS new (id, token), {NOW}
    WHERE jobs.id = new.id AND jobs.token = new.token
"""  # noqa: S608 - made of constants
MOVE: Final = f"""
    WITH gone AS (
        DELETE FROM layouts.jobs USING unnest($1::uuid[], $2::text[]) AS new (id, token)
        WHERE jobs.id = new.id AND jobs.token = new.token
        RETURNING jobs.*
    )
    INSERT INTO layouts.ended (
        id, queue, status, priority, attempt, version, available_at, created_at, updated_at,
        completed_at, settled, payload, rest
    )
    SELECT
        id, queue, 3, priority, attempt, version + 1, available_at, created_at, now, now, token,
        payload, rest
    FROM gone, {NOW}
"""  # noqa: S608 - made of constants


class Layout(NamedTuple):
    """Tables, and the statements of a life."""

    name: str
    tables: Sequence[str]
    enqueue: str
    claim: str
    complete: str


ONE_TABLE: Final = Layout(
    "one table",
    (
        f"CREATE TABLE layouts.jobs ({COLUMNS})", PENDING, RUNNING, LISTING,
        "CREATE INDEX ON layouts.jobs (queue, status, completed_at) WHERE status > 2",
    ),
    ENQUEUE, CLAIM, UPDATE,
)  # fmt: skip

TWO_TABLES: Final = Layout(
    "live and ended",
    (
        f"CREATE TABLE layouts.jobs ({COLUMNS})", PENDING, RUNNING, LISTING,
        f"CREATE TABLE layouts.ended ({COLUMNS})",
        "CREATE INDEX ON layouts.ended (queue, status, id)",
        "CREATE INDEX ON layouts.ended (queue, status, completed_at)",
    ),
    ENQUEUE, CLAIM, MOVE,
)  # fmt: skip

NARROW_TABLES: Final = """
    CREATE TABLE layouts.jobs (
        id uuid PRIMARY KEY, queue integer, priority integer, created_at bigint, payload bytea, rest text
    );
    CREATE TABLE layouts.ready (
        queue integer, priority integer, id uuid, attempt integer, version integer, updated_at bigint
    );
    CREATE UNIQUE INDEX ON layouts.ready (queue, priority DESC, id);
    CREATE TABLE layouts.leases (
        id uuid PRIMARY KEY, queue integer, token text, worker text, claimed_at bigint,
        leased_until bigint, attempt integer, version integer
    );
    CREATE INDEX ON layouts.leases (leased_until);
    CREATE TABLE layouts.ended (
        id uuid PRIMARY KEY, queue integer, status smallint, completed_at bigint, attempt integer,
        version integer, settled text
    );
    CREATE INDEX ON layouts.ended (queue, status, id);
    CREATE INDEX ON layouts.ended (queue, status, completed_at)
"""

NARROW_ROWS: Final = Layout(
    "body apart, a narrow row a state",
    NARROW_TABLES.split(";"),
    f"""
    WITH new AS (
        INSERT INTO layouts.jobs
        SELECT new.id, 1, 0, now, new.payload, '{{}}'
        FROM unnest($1::uuid[], $2::bytea[]) AS new (id, payload), {NOW}
        RETURNING id, queue, priority, created_at
    )
    INSERT INTO layouts.ready SELECT queue, priority, id, 0, 1, created_at FROM new
    """,  # noqa: S608 - made of constants
    f"""
    WITH picked AS MATERIALIZED (
        SELECT best.*, row_number() OVER () AS place FROM (
            SELECT ctid AS at, * FROM layouts.ready WHERE queue = 1
            ORDER BY priority DESC, id LIMIT cardinality($1::text[]) FOR UPDATE SKIP LOCKED
        ) AS best
    ),
    gone AS (DELETE FROM layouts.ready WHERE ctid = ANY (ARRAY(SELECT at FROM picked))),
    leased AS (
        INSERT INTO layouts.leases
        SELECT id, queue, new.token, 'w', now, now + 30000000, attempt + 1, version + 1
        FROM picked JOIN unnest($1::text[]) WITH ORDINALITY AS new (token, place) USING (place), {NOW}
        RETURNING *
    )
    SELECT jobs.id::text, leased.token, jobs.payload, jobs.rest
    FROM leased JOIN layouts.jobs USING (id)
    """,  # noqa: S608 - made of constants
    f"""
    WITH gone AS (
        DELETE FROM layouts.leases USING unnest($1::uuid[], $2::text[]) AS new (id, token)
        WHERE leases.id = new.id AND leases.token = new.token
        RETURNING leases.*
    )
    INSERT INTO layouts.ended
    SELECT id, queue, 3, now, attempt, version + 1, token FROM gone, {NOW}
    """,  # noqa: S608 - made of constants
)


class Cost(NamedTuple):
    """What a job costs, in microseconds of CPU: of the server's process, of this one."""

    server: float
    client: float


class Bench:
    """One connection, and a hand on the clocks."""

    def __init__(self, dsn: str, layout: Layout) -> None:
        """Make the tables anew."""
        self._dsn = dsn
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute("DROP SCHEMA IF EXISTS layouts CASCADE")
            connection.execute("CREATE SCHEMA layouts")
            for table in layout.tables:
                connection.execute(table.encode())
            connection.execute("CHECKPOINT")
        self._connection = Connection(complete(dsn))

    def measure(self, step: Callable[[], Sequence[Statement]], note: Callable[[Any], None]) -> Cost:
        """Run the statements of all batches; ``note`` is given the rows of each."""
        server, client = 0, 0.0
        for _ in range(JOBS // BATCH):
            cpu, own = self._server_cpu(), time.process_time()
            (result,) = self._connection.exchange(step())
            note(result.rows(tuple))
            client += time.process_time() - own
            server += self._server_cpu() - cpu
        return Cost(server / JOBS / 1_000, client / JOBS * 1e6)

    def log_position(self) -> int:
        """Return how many bytes were ever written to the write-ahead log."""
        with psycopg.connect(self._dsn) as connection:
            query = "SELECT (pg_current_wal_lsn() - '0/0')::bigint"
            ((position,),) = cast("list[tuple[int]]", connection.execute(query).fetchall())
        return position

    def close(self) -> None:
        """Leave nothing behind."""
        self._connection.close()
        with psycopg.connect(self._dsn, autocommit=True) as connection:
            connection.execute("DROP SCHEMA layouts CASCADE")

    def _server_cpu(self) -> int:
        text = Path(f"/proc/{self._connection.pid}/schedstat").read_text("utf-8")
        return int(text.split()[0])


def life(dsn: str, layout: Layout, payload: bytes) -> tuple[list[Cost], int]:
    """Take jobs through their lives; return what each step costs, and the bytes of the log per job."""
    bench = Bench(dsn, layout)
    mint = IdMint(wall_clock, random_bits)
    taken: list[tuple[str, str]] = []

    def enqueue() -> list[Statement]:
        ids = arrays.uuids([mint.mint() for _ in range(BATCH)])
        return [Statement(layout.enqueue.encode(), (ids, arrays.byteas([payload] * BATCH)))]

    def claim() -> list[Statement]:
        tokens = arrays.texts([secrets.token_hex(16) for _ in range(BATCH)])
        return [Statement(layout.claim.encode(), (tokens,))]

    def finish() -> list[Statement]:
        batch = [taken.pop() for _ in range(BATCH)]
        values = (
            arrays.uuids([id_ for id_, _ in batch]),
            arrays.texts([token for _, token in batch]),
        )
        return [Statement(layout.complete.encode(), values)]

    def note(rows: list[tuple[str, str, bytes, str]]) -> None:
        taken.extend((row[0], row[1]) for row in rows)

    position = bench.log_position()
    costs = [
        bench.measure(enqueue, lambda _: None),
        bench.measure(claim, note),
        bench.measure(finish, lambda _: None),
    ]
    written = (bench.log_position() - position) // JOBS
    bench.close()
    return costs, written


def say(line: str) -> None:
    """Write a line of the table."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Measure all layouts with small and larger payloads, and print a table."""
    dsn = sys.argv[1]
    say("payload  layout                             enqueue      claim        complete     log B")
    for size in (100, 1_000, 10_000):
        for layout in (ONE_TABLE, TWO_TABLES, NARROW_ROWS):
            runs = [life(dsn, layout, secrets.token_bytes(size)) for _ in range(ROUNDS)]
            steps = [
                Cost(*(median(costs[step][side] for costs, _ in runs) for side in range(2)))
                for step in range(3)
            ]
            cells = "".join(f"{cost.server:5.1f} +{cost.client:4.1f}  " for cost in steps)
            say(f"{size:7}  {layout.name:34} {cells} {median(w for _, w in runs):6.0f}")


if __name__ == "__main__":
    main()
