"""The floor under the SQLite store: its very statements, in the same batches, from a bare script.

The store does a scenario once on a connection that notes each statement with its parameters. The floor
is those statements again, on a new file, by a bare connection in one thread: nothing is checked, made,
decoded or decided any more.
"""

from __future__ import annotations

import time
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final, cast

import msgspec

from actorq.backends.sqlite import SqliteStore
from actorq.backends.sqlite.connection import Connection, connect
from actorq.clock import wall_clock
from actorq.core.policy import Policy
from benchmarks.floors import verbs

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from actorq.backends.sqlite.backend import SqliteBackend
    from benchmarks.floors.verbs import Step

_LIFE: Final = 2
"""Steps of one pick-up: the write and the claim."""


class _Call(msgspec.Struct, frozen=True):
    """One call of the driver; ``many`` when ``values`` are those of many rows."""

    sql: str
    values: Sequence[object]
    many: bool


class _Recording(msgspec.Struct, frozen=True):
    """The calls of a scenario, step by step: a step is one transaction."""

    prepared: list[list[_Call]]
    measured: list[list[_Call]]


class _Recorder:
    """Stands in for a connection, and notes what is asked of it."""

    def __init__(self, sqlite: sqlite3.Connection) -> None:
        self._sqlite = sqlite
        self.calls: list[_Call] = []

    def execute(self, sql: str, values: Sequence[object] = ()) -> sqlite3.Cursor:
        self.calls.append(_Call(sql, values, many=False))
        return self._sqlite.execute(sql, values)

    def executemany(self, sql: str, values: Iterable[Sequence[object]]) -> sqlite3.Cursor:
        rows = list(values)
        self.calls.append(_Call(sql, rows, many=True))
        return self._sqlite.executemany(sql, rows)

    @property
    def in_transaction(self) -> bool:
        return self._sqlite.in_transaction

    def close(self) -> None:
        self._sqlite.close()


def rate(path: Path, scenario: str, sizes: list[int]) -> float:
    """Repeat the statements of ``scenario`` in a new file; return the jobs a second."""
    recording = _record(scenario, tuple(sizes))
    sqlite = _new_file(path)
    try:
        for step in recording.prepared:
            _repeat(sqlite, step)
        started = time.perf_counter()
        for step in recording.measured:
            _repeat(sqlite, step)
        return sum(sizes) / (time.perf_counter() - started)
    finally:
        sqlite.close()


def pick_ups(path: Path, jobs: int) -> list[float]:
    """Write and claim so many jobs, one by one; return the seconds that each took."""
    steps = _record("pick-up", (1,) * jobs).measured
    sqlite = _new_file(path)
    seconds: list[float] = []
    try:
        for place in range(0, len(steps), _LIFE):
            started = time.perf_counter()
            for step in steps[place : place + _LIFE]:
                _repeat(sqlite, step)
            seconds.append(time.perf_counter() - started)
    finally:
        sqlite.close()
    return seconds


def _repeat(sqlite: sqlite3.Connection, calls: list[_Call]) -> None:
    for call in calls:
        if call.many:
            sqlite.executemany(call.sql, cast("Sequence[Sequence[object]]", call.values))
        else:
            sqlite.execute(call.sql, call.values).fetchall()


def _new_file(path: Path) -> sqlite3.Connection:
    """Make a file with the store's schema; return a connection that is set up as the store's are."""
    _store(path).open()
    return connect(path)


def _store(path: Path) -> SqliteStore:
    return SqliteStore(str(path), Policy(), wall_clock)


@lru_cache(maxsize=8)
def _record(scenario: str, sizes: tuple[int, ...]) -> _Recording:
    """Let the store do the scenario once, and note every statement."""
    work = verbs.steps(scenario, list(sizes))
    with TemporaryDirectory() as folder:
        store = _store(Path(folder) / "jobs.db")
        store.open()
        backend = store.connect()
        recorder = _listen_in(backend)
        prepared = [_noted(step, backend, recorder) for step in work.prepared]
        measured = [_noted(step, backend, recorder) for step in work.measured]
        backend.close()
    return _Recording(prepared, measured)


def _listen_in(backend: SqliteBackend) -> _Recorder:
    # The one place that reaches into the store: nothing else needs to see its statements.
    connection: Connection = getattr(backend, "_connection")  # noqa: B009 - private to the store
    recorder = _Recorder(getattr(connection, "_sqlite"))  # noqa: B009 - the same
    setattr(connection, "_sqlite", recorder)  # noqa: B010 - a stand-in is not of the declared type
    return recorder


def _noted(step: Step, backend: SqliteBackend, recorder: _Recorder) -> list[_Call]:
    recorder.calls = []
    step(backend)
    return recorder.calls
