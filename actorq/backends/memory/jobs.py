"""Jobs: what anybody may do to one, without a lease."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actorq.backends.memory.data import apart
from actorq.core import lifecycle
from actorq.core.transitions import ENDED, LIVE, Status
from actorq.errors import (
    AlreadyStarted,
    DuplicateJob,
    IllegalTransition,
    NotFound,
    StaleVersion,
)

if TYPE_CHECKING:
    from actorq.backends.memory.data import Data
    from actorq.core.commands import Edit
    from actorq.core.job import Job
    from actorq.errors import ActorqError


def cancel(data: Data, job_id: str, now: int) -> Job | ActorqError:
    """Cancel a waiting job, or ask the holder of a running one."""
    job = data.jobs.get(job_id)
    if job is None:
        return NotFound(job_id)
    if job.status is Status.CANCELLED:
        return apart(job)
    try:
        after = lifecycle.cancel(job, now)
    except IllegalTransition as error:
        return error
    return apart(job) if after is job else data.write(after)


def redrive(data: Data, job_id: str, now: int) -> Job | ActorqError:
    """Give a dead job another life, if it may have one and its dedupe key is free."""
    job = data.jobs.get(job_id)
    if job is None:
        return NotFound(job_id)
    if job.status is not Status.DEAD:
        return IllegalTransition(job_id, job.status.value, "redrive")
    if not lifecycle.may_redrive(job):
        return AlreadyStarted(job_id)
    holder = data.holders.find(data.jobs, job, now)
    if holder is not None and holder.status in LIVE:
        return DuplicateJob(holder.id, job.dedupe_key or "")
    return data.write(lifecycle.redrive(job, now))


def update(data: Data, edit: Edit, now: int) -> Job | ActorqError:
    """Change a waiting job, if it is still at the version that the edit names."""
    job = data.jobs.get(edit.id)
    if job is None:
        return NotFound(edit.id)
    if edit.version is not None and edit.version != job.version:
        return StaleVersion(job.id, job.version)
    try:
        after = lifecycle.edit(job, edit, now)
    except IllegalTransition as error:
        return error
    return data.write(after)


def delete(data: Data, job_id: str) -> Job | ActorqError:
    """Remove an ended job."""
    job = data.jobs.get(job_id)
    if job is None:
        return NotFound(job_id)
    if job.status not in ENDED:
        return IllegalTransition(job_id, job.status.value, "delete")
    return data.remove(job)
