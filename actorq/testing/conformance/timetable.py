"""Words for tests of schedules: defining, firing and reading them on a bench."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypedDict, Unpack

from msgspec.structs import replace

from actorq.core.commands import ListJobs
from actorq.core.job import NewJob
from actorq.core.schedule import (
    DeclareSchedule,
    DeleteSchedule,
    NewSchedule,
    PauseSchedule,
    PutSchedule,
    Schedule,
)
from actorq.core.ticks import Timing
from actorq.testing.conformance.answers import public
from actorq.testing.conformance.audit import list_all
from actorq.testing.conformance.bench import QUEUE

if TYPE_CHECKING:
    from actorq.core.job import Job
    from actorq.core.results import Sweep
    from actorq.core.schedule import CatchUp, ScheduleChange
    from actorq.errors import ActorqError
    from actorq.testing.conformance.bench import Bench

NAME: Final = "nightly"
"""The schedule that a test means when it names none."""

JOB: Final = NewJob(id="", queue_name=QUEUE, payload="{}")
"""What a schedule makes unless a test says otherwise."""

SECONDLY: Final = Timing(every=1.0)
"""The shortest interval that there is."""


class Plan(TypedDict, total=False):
    """What a test may say of a schedule: the fields of ``NewSchedule``."""

    name: str
    job: NewJob
    timing: Timing
    catch_up: CatchUp
    catch_up_window: float
    paused: bool


def wanted(**plan: Unpack[Plan]) -> NewSchedule:
    """Describe a schedule: every second, a small job of the usual queue, unless said."""
    return replace(NewSchedule(name=NAME, job=JOB, timing=SECONDLY), **plan)


def ask(bench: Bench, wish: ScheduleChange) -> Schedule | ActorqError:
    """Ask for one change."""
    (answer,) = bench.backend.change_schedules([wish])
    return answer


def changed(bench: Bench, wish: ScheduleChange) -> Schedule:
    """Ask for one change, which must be made."""
    answer = ask(bench, wish)
    assert isinstance(answer, Schedule), answer
    return answer


def put(bench: Bench, **plan: Unpack[Plan]) -> Schedule:
    """Define a schedule."""
    return changed(bench, PutSchedule(new=wanted(**plan)))


def declare(bench: Bench, **plan: Unpack[Plan]) -> Schedule:
    """Define a schedule as code does."""
    return changed(bench, DeclareSchedule(new=wanted(**plan)))


def pause(bench: Bench, *, paused: bool = True) -> Schedule:
    """Pause the usual schedule, or resume it."""
    return changed(bench, PauseSchedule(name=NAME, paused=paused))


def delete(bench: Bench) -> Schedule:
    """Remove the usual schedule."""
    return changed(bench, DeleteSchedule(name=NAME))


def find(bench: Bench, name: str = NAME) -> Schedule | None:
    """Read a schedule, if it is there."""
    (found,) = bench.backend.get_schedules([name])
    return found


def get(bench: Bench, name: str = NAME) -> Schedule:
    """Read a schedule, which must be there."""
    found = find(bench, name)
    assert found is not None
    return found


def fire(bench: Bench, limit: int = 100) -> list[Job]:
    """Run one round, and return the jobs that it made."""
    return [public(job) for job in fired(bench, limit).jobs]


def fired(bench: Bench, limit: int = 100) -> Sweep:
    """Run one round."""
    return bench.backend.fire_schedules(limit)


def made(bench: Bench, queue: str = QUEUE) -> list[Job]:
    """Return the jobs of a queue, in the order in which they were made."""
    jobs = list_all(bench.backend, ListJobs(queue_name=queue, limit=200))
    return sorted(jobs, key=lambda job: job.id)


def next_of(schedule: Schedule) -> int:
    """Return the next tick, which there must be."""
    assert schedule.next_tick is not None
    return schedule.next_tick


def ticks_of(jobs: list[Job]) -> list[int]:
    """Return for which ticks jobs were made."""
    return [job.tick for job in jobs if job.tick is not None]
