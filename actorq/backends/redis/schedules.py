"""Schedules: how they are defined, and what their ticks make (I19).

A schedule lives in the shard of its own name: so the name alone finds it, and its queue may be changed. On
a single server, which is one shard, one script makes the jobs and advances the schedule. Over many
shards that script notes the jobs in the schedule's outbox instead; from there they are delivered under an
idempotency key of schedule and tick, by whoever comes by, and the schedule fires no further until they are.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec.structs import replace

from actorq.backends.redis import desk, timetable
from actorq.backends.redis.drafts import commit
from actorq.backends.redis.writes import Writes
from actorq.core import defining, firing
from actorq.core.instants import SECOND_US
from actorq.core.job import Idempotency
from actorq.core.results import Sweep
from actorq.errors import ActorqError, BackendUnavailable, QueueFull

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actorq.backends.redis.access import Access
    from actorq.backends.redis.desk import Answer
    from actorq.core.job import Job, TickJob
    from actorq.core.schedule import Schedule, ScheduleChange

RETRY_US: Final = SECOND_US
"""After how long a job is delivered again whose queue was full or whose node was away."""


class Fired(NamedTuple):
    """What a round did in one shard: jobs made, schedules with jobs to be delivered, when to come again."""

    jobs: tuple[Job, ...]
    noted: list[str]
    next_in: float | None


def get(access: Access, names: Sequence[str]) -> list[Schedule | None]:
    """Return the schedules of these names, None where there is none."""
    found = timetable.find(access, names)
    return [found[name].schedule if name in found else None for name in names]


def page(access: Access, after: str, limit: int) -> list[Schedule]:
    """Return the schedules that follow a name."""
    names = timetable.names_after(access, after, limit)
    return [schedule for schedule in get(access, names) if schedule is not None]


def change(access: Access, wishes: Sequence[ScheduleChange]) -> list[Schedule | ActorqError]:
    """Answer each wish by what those before it have left."""

    def attempt() -> tuple[list[Schedule | ActorqError], Writes | None]:
        now, _ = access.read([])
        lines = timetable.find(access, [wish.name for wish in wishes])
        current: dict[str, Schedule | None] = {n: line.schedule for n, line in lines.items()}
        answers: list[Schedule | ActorqError] = []
        for wish in wishes:
            before = current.get(wish.name)
            current[wish.name], answer = defining.change(before, wish, now)
            answers.append(answer)
        writes = Writes(access.keys, now)
        changed = [
            timetable.replace(writes, name, lines.get(name), after)
            for name, after in current.items()
        ]
        return answers, writes if any(changed) else None

    return commit(access, attempt) if wishes else []


def fire_here(access: Access, limit: int) -> Sweep:
    """Make the jobs of ticks that have come, on a single server."""
    fired = fire(access, limit, is_whole=True)
    return Sweep(fired.jobs, fired.next_in)


def fire(access: Access, limit: int, *, is_whole: bool) -> Fired:
    """Advance the schedules of one shard, and make their jobs if it is the whole store, or note them."""

    def attempt() -> tuple[tuple[list[Answer], list[str], timetable.Due], Writes | None]:
        due = timetable.due(access, limit)
        lines = {line.schedule.name: line for line in due.lines if not line.outbox}
        made = firing.plan([line.schedule for line in lines.values()], due.now, limit)
        writes = Writes(access.keys, due.now)
        answers: list[Answer] = []
        outboxes: dict[str, tuple[TickJob, ...]] = {}
        if is_whole and made.jobs:
            answers, decided = desk.attempt(access, made.jobs)
            writes = decided or writes
            settled = made.settle(answers)
        else:
            outboxes = {one.schedule.name: _named(one.jobs) for one in made.planned}
            settled = made.settle([None] * len(made.jobs))
        for after in settled:
            outbox = outboxes.get(after.name, ())
            timetable.write(writes, after.name, lines[after.name], after, outbox, due.now)
        noted = [line.schedule.name for line in due.lines if line.outbox]
        noted += [name for name, jobs in outboxes.items() if jobs]
        return (answers, noted, due), writes if made.planned else None

    answers, noted, due = commit(access, attempt)
    if due.lines:
        # What was looked at stands elsewhere by now.
        due = timetable.due(access, 0)
    jobs = tuple(one.job for one in firing.created(answers))
    return Fired(jobs, noted, _seconds(due))


def noted(access: Access, name: str) -> Sequence[TickJob]:
    """Return the jobs that are to be delivered for a schedule."""
    line = timetable.find(access, [name]).get(name)
    return () if line is None else line.outbox


def delivered(access: Access, name: str, answers: dict[str, Answer]) -> float | None:
    """Cross out the jobs that were answered, but for those to be tried again; tell when to come again."""
    again = {
        job_id
        for job_id, answer in answers.items()
        if isinstance(answer, QueueFull | BackendUnavailable)
    }

    def attempt() -> tuple[None, Writes | None]:
        now, _ = access.read([])
        line = timetable.find(access, [name]).get(name)
        if line is None or not any(job.id in answers for job in line.outbox):
            # It was removed, or somebody else has delivered the same.
            return None, None
        left = [job for job in line.outbox if job.id not in answers or job.id in again]
        schedule = line.schedule
        for job in line.outbox:
            schedule = firing.counted(schedule, answers.get(job.id))
        writes = Writes(access.keys, now)
        timetable.write(writes, name, line, schedule, left, now + RETRY_US)
        return None, writes

    commit(access, attempt)
    return _seconds(timetable.due(access, 0))


def _named(jobs: Sequence[TickJob]) -> tuple[TickJob, ...]:
    """Return jobs under an idempotency key: however often one is delivered, it is made once."""
    return tuple(replace(job, idempotency=_key_of(job)) for job in jobs)


def _key_of(job: TickJob) -> Idempotency:
    key = sha256(f"schedule\0{job.schedule}\0{job.tick}".encode()).hexdigest()
    return Idempotency(key=key, fingerprint=key)


def _seconds(due: timetable.Due) -> float | None:
    return None if due.next_at is None else max(0, due.next_at - due.now) / SECOND_US
