"""Planted: a move in two steps, where it must be one; what lies between them may be for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from msgspec.structs import replace

from actorq.backends.memory import sweeps
from actorq.backends.memory.replays import Replay
from actorq.core import lifecycle
from actorq.core.instants import to_us
from actorq.core.job import Settlement
from actorq.core.lease import Standing, standing
from actorq.core.results import Enqueued, PrunedReplay, Settled, Sweep
from actorq.core.transitions import Status
from actorq.errors import ActorqError
from actorq.testing.simulation.store import Engine

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from actorq.core.commands import Claim, Fail
    from actorq.core.job import Idempotency, NewJob
    from actorq.core.results import Claimed
    from actorq.testing.simulation.store.journal import Journal

    Sync: TypeAlias = Callable[[Journal, int], None]

Answer: TypeAlias = Enqueued | PrunedReplay | ActorqError


class PromotionInTwoSteps(Engine):
    """Take a job that is due out of the waiting ones, and put it with the ready ones a moment later."""

    def promote_delayed(self, limit: int) -> Sweep:
        with self.data as now:
            due = [self.data.jobs[job_id] for until, job_id in self.data.dues if until <= now]
            moved = [job for job in due if job.status is Status.DELAYED and job.expires_at is None]
            for job in moved[:limit]:
                self.data.dues.discard((job.available_at, job.id))
        if moved:
            self.step()
        with self.data as now:
            for job in moved[:limit]:
                if self.data.jobs.get(job.id) == job:
                    self.data.write(lifecycle.promote(job, now))
            return sweeps.promote_delayed(self.data, limit, now)


class _Torn(Engine):
    """Takes a job out before it puts it where it belongs."""

    status: Status

    def fail(self, items: Sequence[Fail]) -> list[Settled | ActorqError]:
        return [answer for item in items for answer in self._fail(item)]

    def _fail(self, item: Fail) -> list[Settled | ActorqError]:
        with self.data as now:
            job = self.data.jobs.get(item.id)
            if job is None or standing(job, item.token, Settlement.FAIL) is not Standing.HOLDER:
                after = None
            else:
                after = lifecycle.fail(job, item.failure, now)
                if after.status is self.status:
                    self.data.remove(job)
        if after is None or after.status is not self.status:
            return super().fail([item])
        self.step()
        with self.data:
            return [Settled(self.data.write(after))]


class RetryInTwoSteps(_Torn):
    """Take a failed job out of the running ones, and put it with the delayed ones a moment later."""

    status = Status.DELAYED


class BurialInTwoSteps(_Torn):
    """Take a dead job out of the running ones, and put it with the dead letters a moment later."""

    status = Status.DEAD


class PopThenRecord(Engine):
    """Take claimed jobs out of the line, and note when their leases end a moment later."""

    def dequeue(self, claims: Sequence[Claim]) -> list[Claimed]:
        answers = super().dequeue(claims)
        ends = {
            job.id: job.lease.expires_at
            for answer in answers
            for job in answer.jobs
            if job.lease is not None
        }
        with self.data:
            for job_id, end in ends.items():
                self.data.leases.discard((end, job_id))
        if ends:
            self.step()
        with self.data:
            for job_id, end in ends.items():
                job = self.data.jobs.get(job_id)
                if job is not None and job.lease is not None and job.lease.expires_at == end:
                    self.data.leases.add((end, job_id))
        return answers


class KeyInASecondStep(Engine):
    """Write a job first, and its idempotency key a moment later."""

    def enqueue(self, items: Sequence[NewJob]) -> list[Answer]:
        return [self._enqueue(item) for item in items]

    def _enqueue(self, item: NewJob) -> Answer:
        asked = item.idempotency
        with self.data as now:
            known = None if asked is None else self.data.replays.get(asked.key)
        if asked is None or (known is not None and known.until > now):
            return super().enqueue([item])[0]
        (answer,) = super().enqueue([replace(item, idempotency=None)])
        if isinstance(answer, Enqueued):
            self.step()
            self._remember(answer, asked)
        return answer

    def _remember(self, answer: Enqueued, asked: Idempotency) -> None:
        with self.data as now:
            replay = Replay(
                fingerprint=asked.fingerprint,
                outcome=answer.outcome,
                job_id=answer.job.id,
                queue_name=answer.job.queue_name,
                created_at=answer.job.created_at,
                until=now + to_us(self.data.policy.idempotency_ttl),
            )
            self.data.remember(asked.key, replay)


def answer_before_commit(sync: Sync) -> Sync:
    """Answer before what is told of is durable; that follows with the next answer."""

    def late(journal: Journal, step: int) -> None:
        sync(journal, step - 1)

    return late
