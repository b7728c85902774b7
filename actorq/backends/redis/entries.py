"""Index entries: where a job stands in the sorted sets, as a function of its record alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actorq.backends.redis.keys import listed
from actorq.core.transitions import WAITING, Status

if TYPE_CHECKING:
    from actorq.backends.redis.keys import Keys
    from actorq.core.job import Job

Place = tuple[bytes, bytes]
"""A sorted set's key, and a member."""


def entries(keys: Keys, job: Job) -> dict[Place, int]:
    """Return the entries of a job, each with its score."""
    job_id = job.id.encode()
    queue = keys.queue(job.queue_name)
    place = queue.lists[job.status], listed(job.id, job.created_at)
    found = {place: 0}
    match job.status:
        case Status.PENDING:
            found[place] = -job.priority
        case Status.DELAYED:
            if not job.waits_for_others:
                found[keys.due, job_id] = job.available_at
        case Status.RUNNING:
            assert job.lease is not None
            found[keys.leases, job_id] = job.lease.expires_at
        case Status.COMPLETED | Status.DEAD | Status.CANCELLED:
            # Retention waits until the dedupe window is over: only then it finds the job.
            if window_holds(job):
                found[keys.held, job_id] = job.dedupe_until or 0
            else:
                found[queue.ended[job.status], job_id] = job.completed_at or 0
    if job.expires_at is not None and job.status in WAITING:
        found[keys.lapse, job_id] = job.expires_at
    return found


def possible_entries(keys: Keys, job: Job) -> dict[Place, int]:
    """Return all entries that a job may have whose record was read."""
    found = entries(keys, job)
    if window_holds(job):
        # The window may be over by now.
        found[keys.queue(job.queue_name).ended[job.status], job.id.encode()] = job.completed_at or 0
    return found


def window_holds(job: Job) -> bool:
    """Tell whether an ended job was still in its dedupe window when it ended."""
    return job.completed_at is not None and job.holds_key(job.completed_at)
