"""Schedules: how they are defined, and what their ticks make, each in one transaction (I19)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from actorq.backends.postgres import arrays
from actorq.backends.postgres.enqueue import Intake
from actorq.core import defining, firing
from actorq.core.instants import SECOND_US
from actorq.core.results import Sweep
from actorq.core.schedule import decode, encode

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from actorq.backends.postgres.connection import Result, Statement
    from actorq.backends.postgres.statements import Statements
    from actorq.backends.postgres.work import Work
    from actorq.core.schedule import Schedule, ScheduleChange
    from actorq.errors import ActorqError


class Next(NamedTuple):
    """When the next schedule is due, seen from the instant ``now``."""

    now: int
    due_at: int | None

    @property
    def seconds(self) -> float | None:
        """The seconds until then, 0 if that is over."""
        return None if self.due_at is None else max(0, self.due_at - self.now) / SECOND_US


def read_next(row: Sequence[Any]) -> Next:
    """Make it of a row."""
    return Next(*row)


def get(work: Work, names: Sequence[str]) -> list[Schedule | None]:
    """Return the schedules of these names, None where there is none."""
    (result,) = work.transaction.finish(work.statements("schedules.read", arrays.texts(names)))
    found = {name: schedule for name, (schedule, _) in _loaded(result).items()}
    return [found.get(name) for name in names]


def page(work: Work, after: str, limit: int) -> list[Schedule]:
    """Return the schedules that follow a name."""
    bounds = after.encode(), arrays.int8(limit)
    (result,) = work.transaction.finish(work.statements("schedules.page", *bounds))
    return [decode(record) for record in result.rows(_record)]


def change(work: Work, wishes: Sequence[ScheduleChange]) -> list[Schedule | ActorqError]:
    """Answer each wish by what those before it have left."""
    names = sorted({wish.name for wish in wishes})
    (result,) = work.ask(work.statements("schedules.lock", arrays.texts(names)))
    loaded = _loaded(result)
    current: dict[str, Schedule | None] = {name: one for name, (one, _) in loaded.items()}
    answers: list[Schedule | ActorqError] = []
    for wish in wishes:
        before = current.get(wish.name)
        current[wish.name], answer = defining.change(before, wish, work.now)
        answers.append(answer)
    new: list[Schedule] = []
    known: list[tuple[Schedule, bytes]] = []
    gone: list[str] = []
    for name, after in current.items():
        before, record = loaded.get(name, (None, b""))
        if after is None and before is not None:
            gone.append(name)
        elif after is not None and before is None:
            new.append(after)
        elif after is not None and after is not before:
            known.append((after, record))
    writes = _written(work.statements, "schedules.add", [(one, None) for one in new])
    writes += _written(work.statements, "schedules.put", known)
    if gone:
        writes.append(work.statements("schedules.delete", arrays.texts(gone)))
    work.finish(*writes)
    return answers


def fire(work: Work, limit: int) -> Sweep:
    """Make the jobs of ticks that have come, and advance their schedules."""
    (due,) = work.ask(work.statements("schedules.due", arrays.int8(limit)))
    loaded = _loaded(due)
    made = firing.plan([schedule for schedule, _ in loaded.values()], work.now, limit)
    items = made.jobs
    intake = Intake(work, items)
    if items:
        intake.load()
    answers = [intake.take(new) for new in items]
    after = [(one, loaded[one.name][1]) for one in made.settle(answers)]
    writes = _written(work.statements, "schedules.put", after)
    *_, result = intake.finish(*writes, work.statements("schedules.next"))
    jobs = tuple(one.job for one in firing.created(answers))
    return Sweep(jobs, result.row(read_next).seconds)


def _written(
    statements: Statements, name: str, schedules: Sequence[tuple[Schedule, bytes | None]]
) -> list[Statement]:
    """Return the statement that writes schedules over their records as they were, if there are any."""
    if not schedules:
        return []
    return [
        statements(
            name,
            arrays.texts([schedule.name for schedule, _ in schedules]),
            arrays.int8s([schedule.due_at for schedule, _ in schedules]),
            arrays.byteas([encode(schedule, record) for schedule, record in schedules]),
        )
    ]


def _loaded(result: Result) -> dict[str, tuple[Schedule, bytes]]:
    """Return schedules by name, each with its record."""
    found = ((decode(record), record) for record in result.rows(_record))
    return {schedule.name: (schedule, record) for schedule, record in found}


def _record(row: Sequence[Any]) -> bytes:
    record: bytes = row[0]
    return record
