"""Verdicts: what comes of a wish concerning a job, or why it is refused; as values, for every store.

They are what a store asks beside ``lifecycle``, which knows what an act does to a record and not whether
somebody may ask for it. A verdict that is the very record it was given means that nothing changes.
"""

from actorq.core import lifecycle
from actorq.core.commands import Edit
from actorq.core.job import Job, NewJob, OnDuplicate
from actorq.core.lease import Standing
from actorq.core.transitions import ENDED, WAITING, Status
from actorq.errors import (
    ActorqError,
    AlreadyStarted,
    DuplicateJob,
    IllegalTransition,
    LeaseLost,
    NotFound,
    NotLeased,
    StaleVersion,
)


def cancel(job: Job | None, job_id: str, now: int) -> Job | ActorqError:
    """Cancel a waiting job, or ask the holder of a running one; a cancelled one stays as it is."""
    if job is None:
        return NotFound(job_id)
    if job.status is Status.CANCELLED:
        return job
    try:
        return lifecycle.cancel(job, now)
    except IllegalTransition as error:
        return error


def redrive(job: Job | None, job_id: str, live_holder: str | None, now: int) -> Job | ActorqError:
    """Give a dead job another life; ``live_holder`` is the live job that has its dedupe key by now."""
    if job is None:
        return NotFound(job_id)
    if job.status is not Status.DEAD:
        return IllegalTransition(job_id, job.status.value, "redrive")
    if not lifecycle.may_redrive(job):
        return AlreadyStarted(job_id)
    if live_holder is not None:
        return DuplicateJob(live_holder, job.dedupe_key or "")
    return lifecycle.redrive(job, now)


def edit(job: Job | None, change: Edit, now: int) -> Job | ActorqError:
    """Change a waiting job, if it is still at the version that the edit names."""
    if job is None:
        return NotFound(change.id)
    if change.version is not None and change.version != job.version:
        return StaleVersion(job.id, job.version)
    try:
        return lifecycle.edit(job, change, now)
    except IllegalTransition as error:
        return error


def delete(job: Job | None, job_id: str) -> Job | ActorqError:
    """Return the job if it may be removed: it has ended."""
    if job is None:
        return NotFound(job_id)
    if job.status not in ENDED:
        return IllegalTransition(job_id, job.status.value, "delete")
    return job


def duplicate(new: NewJob, holder: Job, now: int) -> Job | DuplicateJob:
    """Say what a request gets that meets the holder of its dedupe key: as it is, or replaced."""
    if new.on_duplicate is OnDuplicate.REJECT:
        return DuplicateJob(holder.id, new.dedupe_key or "")
    if new.on_duplicate is OnDuplicate.REPLACE and holder.status in WAITING:
        return lifecycle.replace_waiting(holder, new, now)
    return holder


def refusal(job: Job, worth: Standing) -> LeaseLost | NotLeased:
    """Return what a call is told whose token is worth nothing."""
    if worth is Standing.NOT_LEASED:
        return NotLeased(job.id, job.status.value)
    return LeaseLost(job.id)
