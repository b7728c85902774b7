"""Planted: dedupe keys that are freed too early, too late, or not asked for (contract, section 6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from msgspec.structs import replace

from actorq.core import lifecycle
from actorq.core.job import Job, NewJob, OnDuplicate
from actorq.core.results import Enqueued, Outcome, PrunedReplay
from actorq.core.transitions import Status
from actorq.errors import ActorqError, DuplicateJob
from actorq.testing.simulation.store import Engine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Meet: TypeAlias = Callable[[NewJob, Job, int], Job | DuplicateJob]

Answer: TypeAlias = Enqueued | PrunedReplay | ActorqError

TTL_US: Final = 1_500_000
"""How long ``KeyByTime`` holds a key, in microseconds."""


class _Keyed(Engine):
    """Knows the jobs that ever had a key."""

    def had(self, item: NewJob) -> Iterator[Job]:
        """Yield the jobs with the key of ``item``, whatever became of them."""
        for job in list(self.data.jobs.values()):
            same = (job.queue_name, job.dedupe_key) == (item.queue_name, item.dedupe_key)
            if same and job.dedupe_key is not None:
                yield job


class KeyByTime(_Keyed):
    """Let a key be a lock beside the job, which is free after its time to live though the job lives."""

    def enqueue(self, items: Sequence[NewJob]) -> list[Answer]:
        with self.data as now:
            for job in [job for item in items for job in self.had(item)]:
                if job.created_at + TTL_US <= now:
                    self.data.holders.leave(job)
        return super().enqueue(items)


class KeyOfTheDead(_Keyed):
    """Let a job keep its key when it dies: whoever asks for the same again is told of the dead one."""

    def enqueue(self, items: Sequence[NewJob]) -> list[Answer]:
        answers: list[Answer] = []
        for item in items:
            dead = [job for job in self.had(item) if job.status is Status.DEAD]
            if dead and item.id not in self.data.jobs:
                answers.append(Enqueued(dead[0], Outcome.DUPLICATE))
            else:
                answers += super().enqueue([item])
        return answers


class CheckThenInsert(_Keyed):
    """Look whether a key is free, and write the job a moment later."""

    def enqueue(self, items: Sequence[NewJob]) -> list[Answer]:
        with self.data as now:
            free = [
                item
                for item in items
                if item.dedupe_key is not None
                and self.data.holders.find(self.data.jobs, item, now) is None
            ]
        if free:
            self.step()
        with self.data:
            for job in [job for item in free for job in self.had(item)]:
                self.data.holders.leave(job)
        return super().enqueue(items)


class RedriveTakesTheKey(Engine):
    """Redrive a job though another one holds its key by now."""

    def redrive(self, ids: Sequence[str]) -> list[Job | ActorqError]:
        answers = super().redrive(ids)
        with self.data as now:
            for place, answer in enumerate(answers):
                if isinstance(answer, DuplicateJob):
                    job = self.data.jobs[ids[place]]
                    answers[place] = self.data.write(lifecycle.redrive(job, now))
        return answers


def window_forgotten(create: Callable[[NewJob, int], Job]) -> Callable[[NewJob, int], Job]:
    """Free a dedupe key when its job has ended, whatever its window says."""

    def made(new: NewJob, now: int) -> Job:
        return replace(create(new, now), dedupe_until=None)

    return made


def running_is_replaced(meet: Meet) -> Meet:
    """Replace the payload also of a job that runs already."""

    def replaced(new: NewJob, holder: Job, now: int) -> Job | DuplicateJob:
        if new.on_duplicate is OnDuplicate.REPLACE and holder.status is Status.RUNNING:
            changed = replace(holder, payload=new.payload, version=holder.version + 1)
            return replace(changed, updated_at=now)
        return meet(new, holder, now)

    return replaced
