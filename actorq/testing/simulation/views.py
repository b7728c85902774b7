"""How jobs look in a history: what a claim gave, what a door showed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actorq.testing.invariants.records import ErrorSeen, Seen, Taken, digest

if TYPE_CHECKING:
    from actorq.core.job import Job


def taken(job: Job) -> Taken:
    """Return a job as the claim of its holder gave it."""
    assert job.lease is not None
    return Taken(
        job_id=job.id,
        attempt=job.attempt,
        token=job.lease.token,
        visibility=job.lease.visibility_timeout,
        queue=job.queue_name,
        payload=digest(job.payload),
        priority=job.priority,
        delivery=job.delivery.value,
    )


def seen(job: Job) -> Seen:
    """Return a job as a door showed it, all but its due time."""
    return Seen(
        job_id=job.id,
        queue=job.queue_name,
        status=job.status.value,
        payload=digest(job.payload),
        result=None if job.result is None else digest(job.result),
        priority=job.priority,
        delivery=job.delivery.value,
        attempt=job.attempt,
        retry_count=job.retry_count,
        expiries=job.expiries,
        interruptions=job.interruptions,
        version=job.version,
        errors=tuple(ErrorSeen(error.attempt, error.kind.value) for error in job.errors),
        dead_reason=None if job.dead_reason is None else job.dead_reason.value,
        dedupe_key=job.dedupe_key,
        ended=job.completed_at is not None,
        has_lease=job.lease is not None,
    )
