"""Schedules: how they are defined, and what their ticks make, each in one transaction (I19)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

import msgspec

from actorq.backends.sqlite.enqueue import enqueue
from actorq.backends.sqlite.statements import statement
from actorq.backends.sqlite.sweeps import next_in
from actorq.core import defining, firing
from actorq.core.results import Sweep
from actorq.core.schedule import decode, encode

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from actorq.backends.sqlite.work import Work
    from actorq.core.job import NewJob
    from actorq.core.schedule import Schedule, ScheduleChange
    from actorq.errors import ActorqError

NEXT: Final = statement("schedules", "next")
_BY_NAME: Final = statement("schedules", "by_name")
_PAGE: Final = statement("schedules", "page")
_DUE: Final = statement("schedules", "due")
_PUT: Final = statement("schedules", "put")
_DELETE: Final = statement("schedules", "delete")


def get(sqlite: sqlite3.Connection, names: Sequence[str]) -> list[Schedule | None]:
    """Return the schedules of these names, None where there is none."""
    found = {one.name: one for one, _ in _load(sqlite, names).values()}
    return [found.get(name) for name in names]


def page(sqlite: sqlite3.Connection, after: str, limit: int) -> list[Schedule]:
    """Return the schedules that follow a name."""
    return [decode(record) for record in _select(sqlite, _PAGE, after, limit)]


def change(work: Work, wishes: Sequence[ScheduleChange]) -> list[Schedule | ActorqError]:
    """Answer each wish by what those before it have left."""
    loaded = _load(work.sqlite, {wish.name for wish in wishes})
    current: dict[str, Schedule | None] = {name: one for name, (one, _) in loaded.items()}
    answers: list[Schedule | ActorqError] = []
    for wish in wishes:
        before = current.get(wish.name)
        after, answer = defining.change(before, wish, work.now)
        current[wish.name] = after
        answers.append(answer)
    for name, after in current.items():
        before, record = loaded.get(name, (None, None))
        if after is not before:
            _write(work.sqlite, name, after, record)
    return answers


def fire(work: Work, limit: int) -> tuple[Sequence[NewJob], Sweep]:
    """Make the jobs of ticks that have come, and advance their schedules; return what was asked for."""
    due = [(decode(record), record) for record in _select(work.sqlite, _DUE, work.now, limit)]
    kept = {schedule.name: record for schedule, record in due}
    made = firing.plan([schedule for schedule, _ in due], work.now, limit)
    items = made.jobs
    answers = enqueue(work, items, careful=True) if items else []
    for after in made.settle(answers):
        _write(work.sqlite, after.name, after, kept[after.name])
    jobs = tuple(one.job for one in firing.created(answers))
    return items, Sweep(jobs, next_in(work.sqlite, NEXT, work.now))


def _load(sqlite: sqlite3.Connection, names: Iterable[str]) -> dict[str, tuple[Schedule, bytes]]:
    wanted = msgspec.json.encode(list(names)).decode()
    found = ((decode(record), record) for record in _select(sqlite, _BY_NAME, wanted))
    return {schedule.name: (schedule, record) for schedule, record in found}


def _select(sqlite: sqlite3.Connection, sql: str, *values: object) -> list[bytes]:
    rows = cast("list[tuple[bytes]]", sqlite.execute(sql, values).fetchall())
    return [record for (record,) in rows]


def _write(
    sqlite: sqlite3.Connection, name: str, after: Schedule | None, record: bytes | None
) -> None:
    if after is None:
        sqlite.execute(_DELETE, (name,))
    else:
        sqlite.execute(_PUT, (name, after.due_at, encode(after, record)))
