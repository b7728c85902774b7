"""Stores with one bug each, as they are often met."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from zlib import crc32

from msgspec.structs import replace

from actorq.core import lifecycle, retry
from actorq.core.job import Delivery, Job
from actorq.core.results import Enqueued, PrunedReplay, Settled
from actorq.core.transitions import Status
from tests.testing.invariants.told_ledger import ToldLedger

if TYPE_CHECKING:
    from actorq.core.commands import Claim
    from actorq.core.job import NewJob
    from actorq.errors import ActorqError
    from actorq.testing.conformance.ledger import Holding


class NoTokenCompared(ToldLedger):
    """Whoever speaks for a running job is its holder."""

    def hold(self, call: Holding, now: int) -> Settled | Job | ActorqError:
        job = self.jobs.get(call.id)
        if job is not None and job.status is Status.RUNNING:
            call = replace(call, token=None)
        return super().hold(call, now)


class AnsweredBeforeTheCommit(ToldLedger):
    """One job in a while is accepted and never written."""

    def enqueue(self, new: NewJob, now: int) -> Enqueued | PrunedReplay | ActorqError:
        if crc32(new.id.encode()) % 8 or new.dedupe_key or new.idempotency:
            return super().enqueue(new, now)
        jobs, self.muted = dict(self.jobs), True
        answer = super().enqueue(new, now)
        self.jobs, self.muted = jobs, False
        return answer


class LeasesEndEarly(ToldLedger):
    """The reaper takes leases half a second before their time."""

    def upkeep(self) -> None:
        super().upkeep()
        for job in list(self.jobs.values()):
            if job.lease is not None and job.lease.expires_at <= self.now + 500_000:
                self.step("expire")
                self.write(lifecycle.expire(job, self.policy, self.now))


class ExpiryIsAFailure(ToldLedger):
    """A lease that ran out is recorded as a failure of the handler."""

    def upkeep(self) -> None:
        for job in list(self.jobs.values()):
            if job.lease is not None and job.lease.expires_at <= self.now:
                self.step("fail")
                self.write(lifecycle.fail(job, retry.Failure("lost"), self.now))
        super().upkeep()


class OnceAgain(ToldLedger):
    """A job that may start once goes back to its queue when its lease runs out."""

    def upkeep(self) -> None:
        for job in list(self.jobs.values()):
            due = job.lease is not None and job.lease.expires_at <= self.now
            if due and job.delivery is Delivery.AT_MOST_ONCE:
                self.step("expire")
                plain = replace(job, delivery=Delivery.AT_LEAST_ONCE)
                after = lifecycle.expire(plain, self.policy, self.now)
                self.write(replace(after, delivery=Delivery.AT_MOST_ONCE))
        super().upkeep()


class AttemptsStandStill(ToldLedger):
    """A claim does not count."""

    def claim(self, job: Job, claim: Claim, token: str, now: int) -> Job:
        return super().claim(replace(job, attempt=max(0, job.attempt - 1)), claim, token, now)


class KeysAreForgotten(ToldLedger):
    """Dedupe keys are held while a job waits, not while it runs."""

    def holder(self, wanted: NewJob | Job, now: int) -> Job | None:
        holder = super().holder(wanted, now)
        return None if holder is not None and holder.status is Status.RUNNING else holder


class RequestsAreForgotten(ToldLedger):
    """Idempotency keys are not kept."""

    def enqueue(self, new: NewJob, now: int) -> Enqueued | PrunedReplay | ActorqError:
        self.remembered.clear()
        return super().enqueue(new, now)


class LatestFirst(ToldLedger):
    """Within one priority the youngest job is served first."""

    def ready(self, queue_name: str, now: int) -> list[Job]:
        jobs = sorted(super().ready(queue_name, now), key=lambda job: job.id, reverse=True)
        return sorted(jobs, key=lambda job: -job.priority)


class PromotedAtOnce(ToldLedger):
    """Delayed jobs are promoted at the next chance."""

    def upkeep(self) -> None:
        for job in list(self.jobs.values()):
            if job.status is Status.DELAYED:
                self.step("promote")
                self.write(lifecycle.promote(job, self.now))
        super().upkeep()


class PrunedAlive(ToldLedger):
    """Retention takes running jobs along."""

    def upkeep(self) -> None:
        super().upkeep()
        for job in list(self.jobs.values()):
            if job.status is Status.RUNNING and job.created_at + 2_000_000 < self.now:
                self.step("prune")
                self.remove(job.id)


PLANTED: Final[dict[type[ToldLedger], str]] = {
    NoTokenCompared: "I6",
    AnsweredBeforeTheCommit: "I1",
    LeasesEndEarly: "I5",
    ExpiryIsAFailure: "I8",
    OnceAgain: "I4",
    AttemptsStandStill: "I7",
    KeysAreForgotten: "I10",
    RequestsAreForgotten: "I11",
    LatestFirst: "I12",
    PromotedAtOnce: "I9",
    PrunedAlive: "I1",
}
"""The bugs, and what must be found of each."""
