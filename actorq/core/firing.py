"""Firing: which ticks of a schedule have come, the jobs that they make, and what the record is then.

Pure, for every store: it reads the schedules that are due, plans, makes the jobs, and writes what
``settle`` says, all in one step. So a tick and its job are one: both are there, or neither (I19).
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import msgspec
from msgspec.structs import replace

from actorq.core.ids import tick_id
from actorq.core.instants import SECOND_US, to_us
from actorq.core.job import TickJob
from actorq.core.results import Enqueued, Outcome, PrunedReplay
from actorq.core.schedule import CatchUp, Schedule
from actorq.core.ticks import last_tick, next_tick
from actorq.errors import ActorqError, InvalidInput, QueueFull

GRACE_US: Final = 60 * SECOND_US
"""How late a tick may be found that still fires when nothing is to be caught up."""

FULL_US: Final = SECOND_US
"""After how long a tick is tried again whose queue is full."""

STRANGE_US: Final = 60 * SECOND_US
"""After how long a schedule is looked at again which this server cannot reckon with."""

Answer = Enqueued | PrunedReplay | ActorqError


class Planned(NamedTuple):
    """What one round does for one schedule: the jobs of its ticks, and the tick that follows them.

    ``is_strange`` when this server cannot reckon with it.
    """

    schedule: Schedule
    jobs: tuple[TickJob, ...] = ()
    next_tick: int | None = None
    is_strange: bool = False


class Round(NamedTuple):
    """What one round does."""

    planned: list[Planned]
    now: int

    @property
    def jobs(self) -> list[TickJob]:
        """The jobs to be made, in order."""
        return [job for one in self.planned for job in one.jobs]

    def settle(self, answers: Sequence[Answer | None]) -> Iterator[Schedule]:
        """Give each schedule as it is to be, by what became of its jobs; None: that is yet to be seen."""
        left = iter(answers)
        for one in self.planned:
            yield _settled(one, [next(left) for _ in one.jobs], self.now)


def plan(due: Sequence[Schedule], now: int, limit: int) -> Round:
    """Plan a round at the store's instant ``now``: at most ``limit`` jobs, the longest due first.

    What is to be made up for is shared out: one schedule of many keeps no other waiting.
    """
    planned: list[Planned] = []
    share = max(1, limit // max(1, len(due)))
    made = 0
    for schedule in due:
        if made >= limit:
            break
        try:
            ticks, next_at = _come(schedule, now, min(share, limit - made))
        except InvalidInput:
            # A zone that is not known here: another server may know it.
            planned.append(Planned(schedule, is_strange=True))
            continue
        jobs = tuple(_job(schedule, tick, now, made + place) for place, tick in enumerate(ticks))
        planned.append(Planned(schedule, jobs, next_at))
        made += len(jobs)
    return Round(planned, now)


def job_of(schedule: Schedule, job_id: str, tick: int | None) -> TickJob:
    """Return the job that ``tick`` makes, or somebody who asks for it now (None)."""
    wishes = msgspec.structs.asdict(schedule.job)
    # A map of metadata of its own: what becomes of the job must not change the schedule.
    wishes |= {"id": job_id, "metadata": dict(schedule.job.metadata)}
    return TickJob(**wishes, schedule=schedule.name, tick=tick)


def created(answers: Sequence[Answer]) -> tuple[Enqueued, ...]:
    """Return those answers that tell of a job that was made just now."""
    return tuple(
        one
        for one in answers
        if isinstance(one, Enqueued) and one.outcome is Outcome.CREATED and not one.replayed
    )


def counted(schedule: Schedule, answer: Answer | None) -> Schedule:
    """Return the record that knows of one more job, if the answer tells of one."""
    if isinstance(answer, Enqueued | PrunedReplay):
        # For a held dedupe key it is the job that holds it: the tick has made none.
        is_new = answer.outcome is Outcome.CREATED
        job_id = answer.job.id if isinstance(answer, Enqueued) else answer.id
        return replace(schedule, last_job_id=job_id, fired=schedule.fired + is_new)
    return schedule


def _job(schedule: Schedule, tick: int, now: int, place: int) -> TickJob:
    return job_of(schedule, tick_id(now, place, f"{schedule.name}\0{tick}"), tick)


def _come(schedule: Schedule, now: int, room: int) -> tuple[list[int], int | None]:
    """Return the ticks that fire at ``now``, and the one after them."""
    tick, timing, anchor = schedule.next_tick, schedule.timing, schedule.anchor
    if tick is None or tick > now:
        return [], tick
    if schedule.catch_up is CatchUp.ALL:
        return _all_of(schedule, tick, now, room)
    following = next_tick(timing, anchor, tick)
    if following is not None and following <= now:
        # Several have come: only the last counts. What the schedule itself held to be next is no later.
        tick = max(tick, last_tick(timing, anchor, now) or tick)
        following = next_tick(timing, anchor, max(tick, now))
    window = GRACE_US if schedule.catch_up is CatchUp.NONE else to_us(schedule.catch_up_window)
    return [tick] if now - tick <= window else [], following


def _all_of(schedule: Schedule, first: int, now: int, room: int) -> tuple[list[int], int | None]:
    tick: int | None = first
    earliest = now - to_us(schedule.catch_up_window)
    if first < earliest:
        tick = next_tick(schedule.timing, schedule.anchor, earliest - 1)
    found: list[int] = []
    while tick is not None and tick <= now and len(found) < room:
        found.append(tick)
        tick = next_tick(schedule.timing, schedule.anchor, tick)
    return found, tick


def _settled(one: Planned, answers: Sequence[Answer | None], now: int) -> Schedule:
    after = one.schedule
    if one.is_strange:
        return replace(after, held_until=now + STRANGE_US)
    for job, answer in zip(one.jobs, answers, strict=True):
        if isinstance(answer, QueueFull):
            return replace(after, next_tick=job.tick, held_until=now + FULL_US)
        after = counted(replace(after, last_tick=job.tick), answer)
    return replace(after, next_tick=one.next_tick, held_until=None)
