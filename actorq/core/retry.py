"""What a failure, a lost lease or a hand-back means for a job: pure decisions (contract §2, §5).

A decision holds durations, never instants: the store adds them to its own clock.
"""

import math
from zlib import crc32

import msgspec

from actorq.core.job import Backoff, DeadReason, Delivery, Job
from actorq.core.policy import Policy

JITTER = 0.2
"""How far a delay may lie from the plain backoff, as a fraction of it."""


class Failure(msgspec.Struct, frozen=True):
    """What a holder says of a failed attempt; ``retry_in`` (seconds) stands in for the backoff."""

    reason: str = ""
    retryable: bool = True
    retry_in: float | None = None


class Retry(msgspec.Struct, frozen=True):
    """Try again after ``delay`` seconds; the failure spends one retry."""

    delay: float


class Again(msgspec.Struct, frozen=True):
    """Back to pending at once, or after ``delay`` seconds; no retry is spent."""

    delay: float = 0.0


class Bury(msgspec.Struct, frozen=True):
    """To the dead letter queue, for this reason."""

    reason: DeadReason


class Abort(msgspec.Struct, frozen=True):
    """Cancelled, as somebody had asked."""


def backoff_delay(backoff: Backoff, n: int, job_id: str, attempt: int) -> float:
    """Return the seconds before retry ``n`` (1 is the first), jittered, within ``[0, max]``.

    The jitter is derived from the job and its attempt, so a replay gives the same delay. What
    would pass the cap is thrown back by as much: ``max`` is a promise, and thousands of capped jobs
    must still spread.
    """
    plain = _plain_delay(backoff, n)
    draw = crc32(f"{job_id}:{attempt}".encode()) / 0xFFFF_FFFF
    swing = plain * JITTER * (2.0 * draw - 1.0)
    room = backoff.max - plain
    return min(backoff.max, plain + (swing if swing <= room else 2.0 * room - swing))


def _plain_delay(backoff: Backoff, n: int) -> float:
    if backoff.base <= 0.0 or backoff.max <= 0.0:
        return 0.0
    # Compared as logarithms first: 2.0 ** 1024 raises OverflowError in Python.
    logarithm = math.log(backoff.base) + (n - 1) * math.log(backoff.factor)
    if logarithm >= math.log(backoff.max):
        return backoff.max
    return min(backoff.max, math.exp(logarithm))


def on_failure(job: Job, failure: Failure) -> Retry | Bury | Abort:
    """Decide what follows when the holder of ``job`` reports ``failure``."""
    if job.cancel_requested:
        return Abort()
    if not failure.retryable:
        return Bury(DeadReason.REJECTED)
    if job.delivery is Delivery.AT_MOST_ONCE or job.retry_count >= job.max_retries:
        return Bury(DeadReason.RETRIES_EXHAUSTED)
    if failure.retry_in is not None:
        return Retry(failure.retry_in)
    return Retry(backoff_delay(job.backoff, job.retry_count + 1, job.id, job.attempt))


def on_expiry(job: Job, policy: Policy) -> Again | Bury | Abort:
    """Decide what follows when the lease of ``job`` ran out without a word from its holder."""
    if job.delivery is Delivery.AT_MOST_ONCE:
        return Bury(DeadReason.LEASE_EXPIRED)
    if job.cancel_requested:
        return Abort()
    if job.expiries + 1 > policy.max_expiries:
        return Bury(DeadReason.LEASE_EXPIRED)
    return Again()


def on_release(job: Job, delay: float, policy: Policy) -> Again | Retry | Bury | Abort:
    """Decide what follows when the holder hands ``job`` back; too many hand-backs are a failure."""
    if job.cancel_requested:
        return Abort()
    if job.interruptions + 1 > policy.max_interruptions:
        return on_failure(job, Failure("handed back too often"))
    return Again(delay)
