"""Measure ways to lay jobs out in SQLite: ``python docs/decisions/sqlite_layouts.py [FOLDER]``.

Bare statements, nothing decoded or decided: each layout writes jobs, claims and completes them in
batches, with the indexes that claims, leases, retention and listings need. Prints microseconds of CPU and
bytes written per job. What came out, and what was chosen: docs/decisions/sqlite.md.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import time
from itertools import chain
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final, NamedTuple, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

BATCH: Final = 100
JOBS: Final = 10_000
ROUNDS: Final = 5
STATE_BYTES: Final = {"pending": 60, "running": 210, "completed": 165}
"""The sizes of what changes in a record, as the store's own encoding has them."""

BODY_BYTES: Final = 130
"""What does not change, beside the payload."""

INLINE_BYTES: Final = 1_024
"""Beyond it a body lies in a table of its own."""

INDEXES: Final = """
CREATE INDEX pending ON jobs (queue, priority DESC, id) WHERE status = 0;
CREATE INDEX delayed ON jobs (due_at) WHERE status = 1;
CREATE INDEX running ON jobs (due_at) WHERE status = 2;
CREATE INDEX ended ON jobs (queue, status, due_at) WHERE status NOT IN (0, 1, 2);
CREATE INDEX listing ON jobs (queue, status, id);
"""
COLUMNS: Final = "queue INTEGER, status INTEGER, priority INTEGER, due_at INTEGER, token TEXT"


def job_id(number: int) -> str:
    """Return an id of the usual form; they rise."""
    return f"01a20f3c-9fa8-7165-8c8b-{number:012d}"


def state(of: str) -> bytes:
    """Return the part of a record that changes."""
    return bytes(STATE_BYTES[of])


def body(payload: bytes) -> bytes:
    """Return the part of a record that does not."""
    return bytes(BODY_BYTES) + payload


def run(sqlite: sqlite3.Connection, sql: str, rows: Sequence[tuple[object, ...]]) -> None:
    """Run a statement that has one row of values, repeated for many, by one call."""
    row = sql[sql.index("(?") : sql.index("?)") + 2]
    many = sql.replace(row, ", ".join([row] * len(rows)))
    sqlite.execute(many, list(chain.from_iterable(rows)))


def run_each(sqlite: sqlite3.Connection, sql: str, rows: Sequence[tuple[object, ...]]) -> None:
    """Run a statement row by row."""
    sqlite.executemany(sql, rows)


class TwoBlobs:
    """State and body apart; a body that is large in a table of its own."""

    schema = (
        f"CREATE TABLE jobs (seq INTEGER PRIMARY KEY, id TEXT UNIQUE, {COLUMNS}, state, body);"
        f"CREATE TABLE bodies (seq INTEGER PRIMARY KEY, body); {INDEXES}"
    )
    key = "seq"
    run = staticmethod(run)

    def enqueue(self, sqlite: sqlite3.Connection, numbers: range, payload: bytes) -> None:
        """Write jobs of these numbers."""
        content = body(payload)
        inline = content if len(content) <= INLINE_BYTES else None
        rows = [(n, job_id(n), 1, 0, 0, state("pending"), inline) for n in numbers]
        self.run(
            sqlite,
            "INSERT INTO jobs (seq, id, queue, status, priority, state, body)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            rows,
        )
        if inline is None:
            large = [(n, content) for n in numbers]
            self.run(sqlite, "INSERT INTO bodies (seq, body) VALUES (?, ?)", large)

    def claim(self, sqlite: sqlite3.Connection, count: int) -> list[object]:
        """Claim the best jobs; return what names them."""
        found = sqlite.execute(
            f"SELECT {self.key}, state, coalesce(body, (SELECT b.body FROM bodies AS b"  # noqa: S608 - a column of this file
            f" WHERE b.{self.key} = jobs.{self.key})) FROM jobs"
            " WHERE queue = 1 AND status = 0 ORDER BY priority DESC, id LIMIT ?",
            (count,),
        ).fetchall()
        names = [cast("tuple[object]", row)[0] for row in found]
        self.update(
            sqlite,
            "status = 2, due_at = {2}, token = {3}, state = {4}",
            [(name, place, f"{place:032x}", state("running")) for place, name in enumerate(names)],
        )
        return names

    def complete(self, sqlite: sqlite3.Connection, names: Sequence[object]) -> None:
        """Complete claimed jobs."""
        marks = ", ".join("?" * len(names))
        sqlite.execute(
            f"SELECT {self.key}, state, coalesce(body, (SELECT b.body FROM bodies AS b"  # noqa: S608 - a column of this file
            f" WHERE b.{self.key} = jobs.{self.key})) FROM jobs WHERE {self.key} IN ({marks})",
            names,
        ).fetchall()
        self.update(
            sqlite,
            "status = 3, due_at = {2}, token = NULL, state = {3}",
            [(name, place, state("completed")) for place, name in enumerate(names)],
        )

    def update(self, sqlite: sqlite3.Connection, what: str, rows: list[tuple[object, ...]]) -> None:
        """Write changed jobs; ``{n}`` is the n-th value of a row."""
        sets = what.format(*(f"new.column{number}" for number in range(10)))
        marks = ", ".join("?" * len(rows[0]))
        self.run(
            sqlite,
            f"UPDATE jobs SET {sets} FROM (VALUES ({marks})) AS new"  # noqa: S608 - columns of this file
            f" WHERE jobs.{self.key} = new.column1",
            rows,
        )


class RowByRow(TwoBlobs):
    """The same, by one call to SQLite for each row."""

    run = staticmethod(run_each)

    def update(self, sqlite: sqlite3.Connection, what: str, rows: list[tuple[object, ...]]) -> None:
        """Write changed jobs."""
        sets = what.format(*(["?"] * 10))
        moved = [(*row[1:], row[0]) for row in rows]
        sqlite.executemany(f"UPDATE jobs SET {sets} WHERE {self.key} = ?", moved)  # noqa: S608 - columns of this file


class OneBlob(TwoBlobs):
    """The whole record in one blob, which each step writes again."""

    schema = (
        f"CREATE TABLE jobs (seq INTEGER PRIMARY KEY, id TEXT UNIQUE, {COLUMNS}, record); {INDEXES}"
    )

    def __init__(self) -> None:
        """Know the payload, which goes along with each step."""
        self.content = b""

    def enqueue(self, sqlite: sqlite3.Connection, numbers: range, payload: bytes) -> None:
        """Write jobs of these numbers."""
        self.content = body(payload)
        record = state("pending") + self.content
        run(
            sqlite,
            "INSERT INTO jobs (seq, id, queue, status, priority, record) VALUES (?, ?, ?, ?, ?, ?)",
            [(n, job_id(n), 1, 0, 0, record) for n in numbers],
        )

    def claim(self, sqlite: sqlite3.Connection, count: int) -> list[object]:
        """Claim the best jobs; return what names them."""
        found = sqlite.execute(
            "SELECT seq, record FROM jobs WHERE queue = 1 AND status = 0"
            " ORDER BY priority DESC, id LIMIT ?",
            (count,),
        ).fetchall()
        names = [cast("tuple[object]", row)[0] for row in found]
        record = state("running") + self.content
        self.update(
            sqlite,
            "status = 2, due_at = {2}, token = {3}, record = {4}",
            [(name, place, f"{place:032x}", record) for place, name in enumerate(names)],
        )
        return names

    def complete(self, sqlite: sqlite3.Connection, names: Sequence[object]) -> None:
        """Complete claimed jobs."""
        marks = ", ".join("?" * len(names))
        sqlite.execute(f"SELECT seq, record FROM jobs WHERE seq IN ({marks})", names).fetchall()  # noqa: S608 - marks only
        record = state("completed") + self.content
        self.update(
            sqlite,
            "status = 3, due_at = {2}, token = NULL, record = {3}",
            [(name, place, record) for place, name in enumerate(names)],
        )


class ById(TwoBlobs):
    """The table ordered by the id itself, without a number for each row; bodies apart if large."""

    schema = (
        f"CREATE TABLE jobs (id TEXT PRIMARY KEY, {COLUMNS}, state, body) WITHOUT ROWID;"
        f"CREATE TABLE bodies (id TEXT PRIMARY KEY, body) WITHOUT ROWID; {INDEXES}"
    )
    key = "id"

    def enqueue(self, sqlite: sqlite3.Connection, numbers: range, payload: bytes) -> None:
        """Write jobs of these numbers."""
        content = body(payload)
        inline = content if len(content) <= INLINE_BYTES else None
        run(
            sqlite,
            "INSERT INTO jobs (id, queue, status, priority, state, body) VALUES (?, ?, ?, ?, ?, ?)",
            [(job_id(n), 1, 0, 0, state("pending"), inline) for n in numbers],
        )
        if inline is None:
            large = [(job_id(n), content) for n in numbers]
            run(sqlite, "INSERT INTO bodies (id, body) VALUES (?, ?)", large)


class Cost(NamedTuple):
    """Microseconds of CPU a job for each step, and bytes written a job."""

    enqueue: float
    claim: float
    complete: float
    written: float


def measure(layout: TwoBlobs, folder: Path, payload: bytes) -> Cost:
    """Take jobs through their life, batch by batch, and return what one of them cost."""
    path = folder / "jobs.db"
    sqlite = sqlite3.connect(path, isolation_level=None, cached_statements=256)
    sqlite.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")
    sqlite.executescript("PRAGMA secure_delete = OFF; PRAGMA cache_size = -8192;" + layout.schema)
    before = written()
    claimed: list[list[object]] = []
    batches = [range(start, start + BATCH) for start in range(0, JOBS, BATCH)]
    steps: list[Callable[[int], object]] = [
        lambda number: layout.enqueue(sqlite, batches[number], payload),
        lambda _: claimed.append(layout.claim(sqlite, BATCH)),
        lambda number: layout.complete(sqlite, claimed[number]),
    ]
    costs: list[float] = []
    for step in steps:
        started = time.process_time()
        for number in range(len(batches)):
            sqlite.execute("BEGIN IMMEDIATE")
            step(number)
            sqlite.execute("COMMIT")
        costs.append((time.process_time() - started) / JOBS * 1e6)
    sqlite.close()
    for file in folder.iterdir():
        file.unlink()
    return Cost(costs[0], costs[1], costs[2], (written() - before) / JOBS)


def written() -> int:
    """Return how many bytes this process has sent to disks so far; 0 where nobody counts them."""
    counters = Path("/proc/self/io")
    lines = counters.read_text(encoding="ascii").splitlines() if counters.exists() else []
    return sum(int(line.split()[1]) for line in lines if line.startswith("write_bytes"))


def main() -> None:
    """Measure every layout in turns, and print the medians."""
    place = sys.argv[1] if len(sys.argv) > 1 else None
    layouts = (TwoBlobs, RowByRow, OneBlob, ById)
    with TemporaryDirectory(dir=place) as name:
        for size in (100, 10_000):
            rounds = [
                [measure(layout(), Path(name), os.urandom(size)) for layout in layouts]
                for _ in range(ROUNDS)
            ]
            for layout, costs in zip(layouts, zip(*rounds, strict=True), strict=True):
                enqueue, claim, complete, sent = (median(each) for each in zip(*costs, strict=True))
                sys.stdout.write(
                    f"{size:6} B  {layout.__name__:10} enqueue {enqueue:5.1f}  claim {claim:5.1f}  "
                    f"complete {complete:5.1f} us  written {sent:8.0f} B\n"
                )


if __name__ == "__main__":
    main()
