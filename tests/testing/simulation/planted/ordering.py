"""Planted: jobs that come too early, out of turn or from a paused queue, and acts that are not written."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias
from weakref import WeakKeyDictionary

from msgspec.structs import replace

from actorq.backends.memory import sweeps
from actorq.core import lifecycle
from actorq.core.instants import SECOND_US
from actorq.core.job import Job
from actorq.core.transitions import Status
from actorq.errors import ActorqError
from actorq.testing.simulation.store import Engine

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from actorq.core.commands import Claim
    from actorq.core.ids import IdMint
    from actorq.core.results import Claimed, Sweep
    from actorq.testing.simulation.store.data import WatchedData

    Copies: TypeAlias = dict[str, tuple[int, Job | None]]


class EarlyPromotion(Engine):
    """Promote by a clock that is a quarter of a second ahead."""

    def promote_delayed(self, limit: int) -> Sweep:
        with self.data as now:
            return sweeps.promote_delayed(self.data, limit, now + SECOND_US // 4)


class LineByArrival(Engine):
    """Let go last, of one priority, who became ready last, however old it is."""

    def dequeue(self, claims: Sequence[Claim]) -> list[Claimed]:
        return [self._dequeue(claim) for claim in claims]

    def _dequeue(self, claim: Claim) -> Claimed:
        later: list[Job] = []
        queue = self.data.queues.get(claim.queue_name)
        if queue is not None:
            ready = [self.data.jobs[job_id] for job_id in queue.ids[Status.PENDING]]
            ready.sort(key=lambda job: (-job.priority, job.updated_at, job.id))
            later = ready[len(claim.tokens) :]
            for job in later:
                queue.ready.discard(job.id, job.priority)
        (answer,) = super().dequeue([claim])
        for job in later:
            self.data.queues[job.queue_name].ready.add(job.id, job.priority)
        return answer


class PauseIgnored(Engine):
    """Give out the jobs of a paused queue all the same."""

    def dequeue(self, claims: Sequence[Claim]) -> list[Claimed]:
        queues = self.data.queues
        asked = {claim.queue_name for claim in claims} & queues.keys()
        kept = {name: queues[name].settings for name in asked}
        for name, settings in kept.items():
            queues[name].settings = replace(settings, paused=False)
        answers = super().dequeue(claims)
        for name, settings in kept.items():
            queues[name].settings = settings
        return answers


class CancelUnwritten(Engine):
    """Cancel a job that waits in the answer alone."""

    statuses: tuple[Status, ...] = (Status.PENDING, Status.DELAYED)

    def cancel(self, ids: Sequence[str]) -> list[Job | ActorqError]:
        return [self._cancel(job_id) for job_id in ids]

    def _cancel(self, job_id: str) -> Job | ActorqError:
        with self.data as now:
            job = self.data.jobs.get(job_id)
        if job is not None and job.status in self.statuses:
            return lifecycle.cancel(job, now)
        return super().cancel([job_id])[0]


class CancelForgotten(CancelUnwritten):
    """Answer that the holder of a running job is asked to stop, and do not ask."""

    statuses = (Status.RUNNING,)


_copies: WeakKeyDictionary[WatchedData, Copies] = WeakKeyDictionary()
"""What ``StaleReads`` has copied, for each world."""


class StaleReads(Engine):
    """Read jobs from a copy that may be two seconds behind."""

    def get_job(self, ids: Sequence[str]) -> list[Job | None]:
        copies = _copies.setdefault(self.data, {})
        fresh = super().get_job(ids)
        with self.data as now:
            for job_id, job in zip(ids, fresh, strict=True):
                copied_at, _ = copies.get(job_id, (0, None))
                if not copied_at <= now < copied_at + 2 * SECOND_US:
                    copies[job_id] = (now, job)
        return [copies[job_id][1] for job_id in ids]


class PrunedTooEarly(Engine):
    """Let an ended job go a second after its end."""

    def prune(self, limit: int) -> tuple[int, float | None]:
        with self.data as now:
            for job in list(self.data.jobs.values()):
                ended = job.completed_at is not None and job.completed_at + SECOND_US <= now
                if ended and not job.holds_key(now):
                    self.data.remove(job)
        return super().prune(limit)


class AcceptedTwice(Engine):
    """Count a job that is redriven as accepted once more."""

    def redrive(self, ids: Sequence[str]) -> list[Job | ActorqError]:
        answers = super().redrive(ids)
        for answer in answers:
            if isinstance(answer, Job):
                self.data.queues[answer.queue_name].accepted += 1
        return answers


def offset_unmeasured(correct: Callable[[IdMint, int], None]) -> Callable[[IdMint, int], None]:
    """Mint ids by the server's own clock, however far it is from the store's."""
    return lambda mint, offset_us: correct(mint, 0 * offset_us)


def redrive_keeps_the_place(redrive: Callable[[Job, int], Job]) -> Callable[[Job, int], Job]:
    """Leave a job that is redriven among the dead, too: with the reason of its death."""

    def kept(job: Job, now: int) -> Job:
        return replace(redrive(job, now), dead_reason=job.dead_reason)

    return kept
