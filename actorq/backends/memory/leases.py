"""Leases: claims, and the word of those who hold them (contract §4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from actorq.backends.memory.data import apart
from actorq.core import lifecycle
from actorq.core.job import Settlement
from actorq.core.lease import Standing, standing
from actorq.core.results import Claimed, Settled
from actorq.core.verdicts import refusal
from actorq.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Callable

    from actorq.backends.memory.data import Data
    from actorq.core.commands import Ack, Claim, Extend, Fail, Release, Report
    from actorq.core.job import Job
    from actorq.errors import ActorqError

BURIALS: Final = 500
"""How many lapsed jobs one claim buries on its way to a good one; the scheduler buries the others."""

_Change: TypeAlias = "Callable[[Job], Job]"


def claim(data: Data, wish: Claim, now: int) -> Claimed:
    """Lease the best jobs of a queue, one under each token."""
    queue = data.queues.get(wish.queue_name)
    if queue is None:
        return Claimed()
    settings = queue.settings
    if settings.paused:
        return Claimed(paused=True)
    seconds = settings.effective_visibility(wish.visibility_timeout, data.policy)
    taken: list[Job] = []
    burials = BURIALS
    room = queue.room(len(wish.tokens))
    while len(taken) < room and (job_id := queue.ready.first()) is not None:
        job = data.jobs[job_id]
        if job.expires_at is None or job.expires_at > now:
            token = wish.tokens[len(taken)]
            taken.append(data.write(lifecycle.claim(job, token, wish.worker_id, seconds, now)))
        elif burials:
            burials -= 1
            data.write(lifecycle.lapse(job, now))
        else:
            break
    limited = len(taken) == room < len(wish.tokens) and queue.ready.first() is not None
    return Claimed(tuple(taken), limited=limited)


def find(data: Data, tokens: frozenset[str]) -> list[Job]:
    """Return the running jobs which are leased under one of ``tokens``.

    A look at every running job: it is asked for after a lost answer, and in here none gets lost.
    """
    running = (data.jobs[job_id] for _, job_id in data.leases)
    return [apart(job) for job in running if job.lease is not None and job.lease.token in tokens]


def ack(data: Data, item: Ack, now: int) -> Settled | ActorqError:
    """Complete a job."""
    return _settle(data, item, Settlement.ACK, lambda job: lifecycle.ack(job, item.result, now))


def fail(data: Data, item: Fail, now: int) -> Settled | ActorqError:
    """Record a failure and what follows from it."""
    return _settle(data, item, Settlement.FAIL, lambda job: lifecycle.fail(job, item.failure, now))


def release(data: Data, item: Release, now: int) -> Settled | ActorqError:
    """Take a job back from its holder."""
    return _settle(
        data,
        item,
        Settlement.RELEASE,
        lambda job: lifecycle.release(job, item.delay, data.policy, now),
    )


def extend(data: Data, item: Extend, now: int) -> Job | ActorqError:
    """Renew a lease."""
    seconds = item.visibility_timeout
    return _hold(data, item, lambda job: lifecycle.extend(job, seconds, data.policy, now))


def report(data: Data, item: Report, now: int) -> Job | ActorqError:
    """Record progress."""
    return _hold(data, item, lambda job: lifecycle.report(job, item.progress, now))


def _settle(
    data: Data, item: Ack | Fail | Release, settlement: Settlement, change: _Change
) -> Settled | ActorqError:
    job = data.jobs.get(item.id)
    if job is None:
        return NotFound(item.id)
    match standing(job, item.token, settlement):
        case Standing.HOLDER:
            return Settled(data.write(change(job)))
        case Standing.REPEAT:
            return Settled(apart(job), repeated=True)
        case worth:
            return refusal(job, worth)


def _hold(data: Data, item: Extend | Report, change: _Change) -> Job | ActorqError:
    job = data.jobs.get(item.id)
    if job is None:
        return NotFound(item.id)
    worth = standing(job, item.token, None)
    return data.write(change(job)) if worth is Standing.HOLDER else refusal(job, worth)
