"""Schedules: how they are defined, and what their ticks make (contract §10, I19)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from actorq.backends.memory.enqueues import enqueue
from actorq.core import defining, firing
from actorq.core.instants import SECOND_US
from actorq.core.results import Sweep
from actorq.errors import ActorqError

if TYPE_CHECKING:
    from actorq.backends.memory.data import Data
    from actorq.core.schedule import Schedule, ScheduleChange


def change(data: Data, wish: ScheduleChange, now: int) -> Schedule | ActorqError:
    """Make, define anew, pause or remove one schedule."""
    before = data.timetable.get(wish.name)
    changed = defining.change(before, wish, now)
    if changed.after is not before:
        data.put_schedule(wish.name, None if changed.after is None else apart(changed.after))
    return changed.answer if isinstance(changed.answer, ActorqError) else apart(changed.answer)


def fire(data: Data, limit: int, now: int) -> Sweep:
    """Make the jobs of the ticks that have come, and advance their schedules."""
    made = firing.plan(data.timetable.due(now, limit), now, limit)
    answers = enqueue(data, made.jobs, now)
    for after in made.settle(answers):
        data.put_schedule(after.name, after)
    next_at = data.timetable.next_due()
    jobs = tuple(one.job for one in firing.created(answers))
    return Sweep(jobs, None if next_at is None else max(0, next_at - now) / SECOND_US)


def apart(schedule: Schedule) -> Schedule:
    """Return the record with a map of metadata of its own, as ``data.apart`` does for a job."""
    job = replace(schedule.job, metadata=dict(schedule.job.metadata))
    return replace(schedule, job=job)
