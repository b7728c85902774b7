"""Planted: attempts, retries and expiries that are counted wrongly or not at all (contract, section 2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from msgspec.structs import replace

from actorq.core.job import Delivery, ErrorKind, Job
from actorq.core.retry import Retry
from actorq.core.transitions import Status

if TYPE_CHECKING:
    from collections.abc import Callable

    Decide: TypeAlias = Callable[..., Job]
    """Of ``lifecycle``: an old record in, a new one out."""
    Decision: TypeAlias = Callable[..., object]
    """Of ``retry``: what follows for a job."""


def claim_uncounted(claim: Decide) -> Decide:
    """Count an attempt when it ends, and not when it begins: one that takes its worker down never counts."""

    def uncounted(job: Job, *args: object) -> Job:
        return replace(claim(job, *args), attempt=job.attempt)

    return uncounted


def end_counted(end: Decide) -> Decide:
    """Count an attempt at its end."""

    def counted(job: Job, *args: object) -> Job:
        return replace(end(job, *args), attempt=job.attempt + 1)

    return counted


def attempt_handed_back(release: Decide) -> Decide:
    """Give a job that is handed back its attempt back, so that the next claim has the same number."""

    def handed_back(job: Job, *args: object) -> Job:
        return replace(release(job, *args), attempt=job.attempt - 1)

    return handed_back


def release_spends_a_retry(release: Decide) -> Decide:
    """Let a hand-back cost a retry, like a failure."""

    def spent(job: Job, *args: object) -> Job:
        return replace(release(job, *args), retry_count=job.retry_count + 1)

    return spent


def expiry_is_a_failure(expire: Decide) -> Decide:
    """Record a lease that ran out as the handler's own failure."""

    def blamed(job: Job, *args: object) -> Job:
        after = expire(job, *args)
        last = replace(after.errors[-1], kind=ErrorKind.FAILURE)
        return replace(after, errors=(*after.errors[:-1], last))

    return blamed


def expiry_uncounted(expire: Decide) -> Decide:
    """Never count how often the lease of a job ran out: a poison pill goes round for ever."""

    def uncounted(job: Job, *args: object) -> Job:
        return replace(expire(job, *args), expiries=job.expiries)

    return uncounted


def history_lost(expire: Decide) -> Decide:
    """Forget the errors of a job whose holder fell silent."""

    def lost(job: Job, *args: object) -> Job:
        return replace(expire(job, *args), errors=())

    return lost


def priority_lost(expire: Decide) -> Decide:
    """Let a job whose lease ran out come back with the priority 0."""

    def lost(job: Job, *args: object) -> Job:
        after = expire(job, *args)
        return replace(after, priority=0) if after.status is Status.PENDING else after

    return lost


def _often(decide: Decision) -> Decision:
    def ignored(job: Job, *args: object) -> object:
        return decide(replace(job, delivery=Delivery.AT_LEAST_ONCE), *args)

    return ignored


def expired_once_again(decide: Decision) -> Decision:
    """Give an at-most-once job out again when its lease ran out."""
    return _often(decide)


def failed_once_again(decide: Decision) -> Decision:
    """Try an at-most-once job again when it failed."""
    return _often(decide)


def started_may_be_redriven(may: Callable[[Job], bool]) -> Callable[[Job], bool]:
    """Redrive an at-most-once job though it was started before."""
    del may
    return lambda job: job.id != ""


def retry_at_once(decide: Decision) -> Decision:
    """Try a failed job again at once, however long its holder asked to wait."""

    def at_once(job: Job, *args: object) -> object:
        decision = decide(job, *args)
        return Retry(0.0) if isinstance(decision, Retry) else decision

    return at_once


def retries_for_ever(decide: Decision) -> Decision:
    """Try a failed job again, however often it failed."""

    def again(job: Job, *args: object) -> object:
        return decide(replace(job, retry_count=0), *args)

    return again
