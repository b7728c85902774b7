"""Planted: a token that is not compared, not fresh, or not known again (contract, section 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from msgspec.structs import replace

from actorq.backends.memory import sweeps
from actorq.core import lifecycle
from actorq.core.instants import to_us
from actorq.core.job import Job, Settlement
from actorq.core.lease import Standing
from actorq.core.results import Sweep
from actorq.core.transitions import Status
from actorq.testing.simulation.store import Engine

if TYPE_CHECKING:
    from collections.abc import Callable

    Judge: TypeAlias = Callable[[Job, str | None, Settlement | None], Standing]
    Claimer: TypeAlias = Callable[[Job, str, str, float, int], Job]


def _of_anybody(judge: Judge, settlement: Settlement | None) -> Judge:
    def standing(job: Job, token: str | None, asked: Settlement | None) -> Standing:
        if asked is settlement and job.status is Status.RUNNING:
            return Standing.HOLDER
        return judge(job, token, asked)

    return standing


def ack_of_anybody(judge: Judge) -> Judge:
    """Believe whoever acknowledges a running job."""
    return _of_anybody(judge, Settlement.ACK)


def fail_of_anybody(judge: Judge) -> Judge:
    """Believe whoever reports the failure of a running job."""
    return _of_anybody(judge, Settlement.FAIL)


def release_of_anybody(judge: Judge) -> Judge:
    """Believe whoever hands a running job back."""
    return _of_anybody(judge, Settlement.RELEASE)


def renewal_of_anybody(judge: Judge) -> Judge:
    """Believe whoever renews the lease of a running job."""
    return _of_anybody(judge, None)


def repeat_is_a_loss(judge: Judge) -> Judge:
    """Answer a settlement that is sent again as a lost lease."""

    def standing(job: Job, token: str | None, asked: Settlement | None) -> Standing:
        worth = judge(job, token, asked)
        return Standing.LOST if worth is Standing.REPEAT else worth

    return standing


def token_by_count(claim: Claimer) -> Claimer:
    """Make a token of counts that a redrive sets back: it comes round again."""

    def count(job: Job, token: str, worker_id: str, seconds: float, now: int) -> Job:
        del token
        spent = job.retry_count + job.expiries + job.interruptions
        return claim(job, f"{job.id}-{spent}", worker_id, seconds, now)

    return count


class ReaperWithoutToken(Engine):
    """Look for leases that ran out, and end them a moment later, whoever has the job by then."""

    def requeue_expired(self, limit: int) -> Sweep:
        with self.data as now:
            over = [self.data.jobs[job_id] for until, job_id in self.data.leases if until <= now]
        if over:
            self.step()
        with self.data as now:
            ended = [lifecycle.expire(job, self.data.policy, now) for job in over[:limit]]
            return Sweep(tuple(map(self.data.write, ended)), 0.5)


class ReaperOfClaims(Engine):
    """Count a lease from its claim on, and do not mind that it was renewed."""

    def requeue_expired(self, limit: int) -> Sweep:
        with self.data as now:
            for _, job_id in list(self.data.leases):
                job = self.data.jobs[job_id]
                assert job.lease is not None
                if job.lease.claimed_at + to_us(job.lease.visibility_timeout) <= now:
                    self.data.write(lifecycle.expire(job, self.data.policy, now))
            return sweeps.requeue_expired(self.data, limit, now)


class ReaperByItsOwnClock(Engine):
    """Compare the end of a lease with the clock of the server that reaps."""

    def requeue_expired(self, limit: int) -> Sweep:
        clock: Callable[[], int] = getattr(self.node, "clock")  # noqa: B009 - the port has none, for good
        with self.data:
            return sweeps.requeue_expired(self.data, limit, clock())


def forgets_a_longer_lease(extend: Callable[..., Job]) -> Callable[..., Job]:
    """Answer a renewal, and let the lease end when it would have ended anyway."""

    def renew(job: Job, *args: object) -> Job:
        renewed = extend(job, *args)
        return replace(renewed, lease=job.lease)

    return renew
