"""Memory stores with a bug planted in each: what the conformance suite must find."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING, TypeAlias

from msgspec.structs import replace

from actorq.backends.memory import MemoryStore, sweeps
from actorq.backends.memory.connection import MemoryBackend
from actorq.core import lifecycle
from actorq.core.commands import Edit, ListJobs
from actorq.core.instants import SECOND_US
from actorq.core.job import Delivery
from actorq.core.queue import QueueLength
from actorq.core.results import Claimed, Enqueued, Outcome, Settled, Sweep
from actorq.core.transitions import ENDED, LIVE, Status
from actorq.errors import ActorqError, LeaseLost, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from actorq.backends.backend import Backend
    from actorq.backends.memory.data import Data
    from actorq.core.commands import Ack, Claim, Extend, Fail
    from actorq.core.job import Job, NewJob
    from actorq.core.policy import Policy
    from actorq.core.results import PrunedReplay

Answers: TypeAlias = "list[Enqueued | PrunedReplay | ActorqError]"


class PlantedStore(MemoryStore):
    """A memory store whose connections are of a class with a bug."""

    def __init__(self, kind: type[MemoryBackend], policy: Policy, clock: Callable[[], int]) -> None:
        super().__init__(policy, clock)
        self._kind = kind

    def connect(self) -> Backend:
        return self._kind(self._data)


# ── the eleven that were there before ───────────────────────────────────────────────────────────


class PromotionNever(MemoryBackend):
    """Promotion asks for what is due and not yet due at once."""

    def promote_delayed(self, limit: int) -> Sweep:
        return super().promote_delayed(0) if limit else Sweep()


class PopThenRecord(MemoryBackend):
    """A claim takes the job out first, and notes its lease with the next call: a crash between loses it."""

    def __init__(self, data: Data) -> None:
        super().__init__(data)
        self._popped: list[Job] = []

    def dequeue(self, claims: Sequence[Claim]) -> list[Claimed]:
        answers = super().dequeue(claims)
        self._popped = [job for claimed in answers for job in claimed.jobs]
        return answers

    def ack(self, items: Sequence[Ack]) -> list[Settled | ActorqError]:
        self._popped = []
        return super().ack(items)

    def close(self) -> None:
        with self._data:
            for job in self._popped:
                self._data.remove(job)


class PriorityLost(MemoryBackend):
    """A job whose lease ran out comes back with the priority 0."""

    def requeue_expired(self, limit: int) -> Sweep:
        sweep = super().requeue_expired(limit)
        back = [job for job in sweep.jobs if job.status is Status.PENDING]
        self.update_job([Edit(id=job.id, priority=0) for job in back])
        return sweep


class TokenNotCompared(MemoryBackend):
    """Whoever says ack or fail is believed."""

    def ack(self, items: Sequence[Ack]) -> list[Settled | ActorqError]:
        return super().ack([replace(item, token=None) for item in items])

    def fail(self, items: Sequence[Fail]) -> list[Settled | ActorqError]:
        return super().fail([replace(item, token=None) for item in items])


class NoBackoff(MemoryBackend):
    """A failed job goes straight back."""

    def fail(self, items: Sequence[Fail]) -> list[Settled | ActorqError]:
        at_once = [replace(item, failure=replace(item.failure, retry_in=0.0)) for item in items]
        answers = super().fail(at_once)
        self.promote_delayed(100)
        return answers


class AtMostOnceAgain(MemoryBackend):
    """A lost at-most-once job is given out again."""

    def requeue_expired(self, limit: int) -> Sweep:
        sweep = super().requeue_expired(limit)
        with self._data as now:
            for job in sweep.jobs:
                if job.delivery is Delivery.AT_MOST_ONCE:
                    self._data.write(lifecycle.redrive(job, now))
        return sweep


class CheckThenInsert(MemoryBackend):
    """An enqueue looks whether its dedupe key is free, and writes in another step."""

    def enqueue(self, items: Sequence[NewJob]) -> Answers:
        keyed = [item for item in items if item.dedupe_key is not None]
        with self._data as now:
            found = {item.id: self._data.holders.find(self._data.jobs, item, now) for item in keyed}
        # The way from the store and back again.
        Event().wait(0.001)
        answers: Answers = []
        for item in items:
            holder = found.get(item.id)
            if holder is None:
                answers += super().enqueue([replace(item, dedupe_key=None)])
            else:
                answers.append(Enqueued(holder, Outcome.DUPLICATE))
        return answers


class EditOverwrites(MemoryBackend):
    """An edit does not mind what happened since its version."""

    def update_job(self, edits: Sequence[Edit]) -> list[Job | ActorqError]:
        return super().update_job([replace(edit, version=None) for edit in edits])


class DeadNotFound(MemoryBackend):
    """The dead letter queue is somewhere else, where ``get_job`` does not look."""

    def get_job(self, ids: Sequence[str]) -> list[Job | None]:
        found = super().get_job(ids)
        return [None if job is None or job.status is Status.DEAD else job for job in found]


class WindowForgotten(MemoryBackend):
    """A dedupe key is free when its job has ended, window or not."""

    def enqueue(self, items: Sequence[NewJob]) -> Answers:
        return super().enqueue([replace(item, dedupe_window=0.0) for item in items])


class EmptyIsAnError(MemoryBackend):
    """A dequeue that finds nothing is refused."""

    def dequeue(self, claims: Sequence[Claim]) -> list[Claimed]:
        answers = super().dequeue(claims)
        if not any(claimed.jobs for claimed in answers):
            raise NotFound("any")
        return answers


# ── and others ──────────────────────────────────────────────────────────────────────────────────


class AttemptAtTheEnd(MemoryBackend):
    """The attempt is counted when it ends, so one that takes its worker down never counts."""

    def dequeue(self, claims: Sequence[Claim]) -> list[Claimed]:
        answers = super().dequeue(claims)
        with self._data:
            for claimed in answers:
                for job in claimed.jobs:
                    self._data.write(replace(job, attempt=job.attempt - 1))
        return answers

    def ack(self, items: Sequence[Ack]) -> list[Settled | ActorqError]:
        with self._data:
            for item in items:
                job = self._data.jobs.get(item.id)
                if job is not None and job.status is Status.RUNNING:
                    self._data.write(replace(job, attempt=job.attempt + 1))
        return super().ack(items)


class KeyFreedTooLate(MemoryBackend):
    """A dedupe key is held until its job is pruned."""

    def enqueue(self, items: Sequence[NewJob]) -> Answers:
        answers: Answers = []
        for item in items:
            query = ListJobs(queue_name=item.queue_name, statuses=ENDED, limit=200)
            ended = [job for job in self.list_jobs(query).jobs if item.dedupe_key]
            same = [job for job in ended if job.dedupe_key == item.dedupe_key]
            if same:
                answers.append(Enqueued(same[0], Outcome.DUPLICATE))
            else:
                answers += super().enqueue([item])
        return answers


class PromotionEarly(MemoryBackend):
    """The promotion runs by a clock of its own, which is a second ahead."""

    def promote_delayed(self, limit: int) -> Sweep:
        with self._data as now:
            return sweeps.promote_delayed(self._data, limit, now + SECOND_US)


class StaleRenewal(MemoryBackend):
    """A renewal does not mind whose lease it is."""

    def extend(self, items: Sequence[Extend]) -> list[Job | ActorqError]:
        return super().extend([replace(item, token=None) for item in items])


class RepeatUnknown(MemoryBackend):
    """A settlement sent twice is answered as a lost lease."""

    def ack(self, items: Sequence[Ack]) -> list[Settled | ActorqError]:
        answers = super().ack(items)
        return [
            LeaseLost(answer.job.id) if isinstance(answer, Settled) and answer.repeated else answer
            for answer in answers
        ]


class SettlerForgotten(MemoryBackend):
    """The last settling token is forgotten at the next claim."""

    def dequeue(self, claims: Sequence[Claim]) -> list[Claimed]:
        answers = super().dequeue(claims)
        with self._data:
            for claimed in answers:
                for job in claimed.jobs:
                    self._data.write(replace(job, settled_token=None, settled_by=None))
        return answers


class PayloadCut(MemoryBackend):
    """A payload ends at its first U+0000."""

    def enqueue(self, items: Sequence[NewJob]) -> Answers:
        return super().enqueue(
            [replace(item, payload=item.payload.split("\0")[0]) for item in items]
        )


class LengthOfAll(MemoryBackend):
    """The length of a queue counts its delayed jobs too."""

    def get_queue_length(self, names: Sequence[str]) -> list[QueueLength]:
        lengths = super().get_queue_length(names)
        return [replace(one, pending=one.pending + one.delayed) for one in lengths]


class RedriveOfTheStarted(MemoryBackend):
    """A redrive does not ask whether an at-most-once job was ever started."""

    def redrive(self, ids: Sequence[str]) -> list[Job | ActorqError]:
        answers = super().redrive(ids)
        with self._data as now:
            for place, job_id in enumerate(ids):
                job = self._data.jobs.get(job_id)
                if job is not None and job.status is Status.DEAD and job.dedupe_key is None:
                    answers[place] = self._data.write(lifecycle.redrive(job, now))
        return answers


class PurgeOfTheRunning(MemoryBackend):
    """A purge takes jobs from under those who work on them."""

    def purge(self, queue_name: str, statuses: frozenset[Status], limit: int) -> int:
        gone = super().purge(queue_name, statuses, limit)
        with self._data:
            for job in list(self._data.jobs.values()):
                if job.queue_name == queue_name and job.status in statuses & LIVE and gone < limit:
                    self._data.remove(job)
                    gone += 1
        return gone
