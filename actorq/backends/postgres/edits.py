"""What others than the holder do to a job: cancel, redrive, edit, delete (contract §2, §9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actorq.core import lifecycle
from actorq.core.transitions import ENDED, LIVE, Status
from actorq.errors import (
    ActorqError,
    AlreadyStarted,
    DuplicateJob,
    IllegalTransition,
    NotFound,
    StaleVersion,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actorq.backends.postgres.records import Entry
    from actorq.backends.postgres.work import Work
    from actorq.core.commands import Edit
    from actorq.core.job import Job


def cancel(work: Work, ids: Sequence[str]) -> list[Job | ActorqError]:
    """Cancel waiting jobs, ask the holders of running ones."""
    work.lock(ids)
    work.families.foresee(work.entries.values())
    answers = [_cancel(work, work.entries.get(job_id), job_id) for job_id in ids]
    work.finish()
    return answers


def redrive(work: Work, ids: Sequence[str]) -> list[Job | ActorqError]:
    """Give dead jobs another life."""
    work.lock(ids, ended_too=True)
    keyed = [(entry.queue, entry.job.dedupe_key) for entry in work.entries.values()]
    work.load_holders([(queue, key) for queue, key in keyed if key is not None])
    answers = [_redrive(work, work.entries.get(job_id), job_id) for job_id in ids]
    work.finish()
    return answers


def update_job(work: Work, edits: Sequence[Edit]) -> list[Job | ActorqError]:
    """Change waiting jobs."""
    work.lock(change.id for change in edits)
    answers = [_edit(work, work.entries.get(change.id), change) for change in edits]
    work.finish()
    return answers


def delete(work: Work, ids: Sequence[str]) -> list[Job | ActorqError]:
    """Remove ended jobs."""
    work.lock(ids, ended_too=True)
    answers = [_delete(work, work.entries.get(job_id), job_id) for job_id in ids]
    work.finish()
    return answers


def _cancel(work: Work, entry: Entry | None, job_id: str) -> Job | ActorqError:
    if entry is None:
        return NotFound(job_id)
    if entry.job.status is Status.CANCELLED:
        return entry.job
    try:
        job = lifecycle.cancel(entry.job, work.now)
    except IllegalTransition as error:
        return error
    if job is entry.job:
        return job
    return work.change(entry, job)


def _redrive(work: Work, entry: Entry | None, job_id: str) -> Job | ActorqError:
    if entry is None:
        return NotFound(job_id)
    job = entry.job
    if job.status is not Status.DEAD:
        return IllegalTransition(job_id, job.status, "redrive")
    if not lifecycle.may_redrive(job):
        return AlreadyStarted(job_id)
    if job.dedupe_key is not None:
        holder = work.holder((entry.queue, job.dedupe_key))
        if holder is not None and holder.job.status in LIVE:
            return DuplicateJob(holder.job.id, job.dedupe_key)
    return work.change(entry, lifecycle.redrive(job, work.now))


def _edit(work: Work, entry: Entry | None, change: Edit) -> Job | ActorqError:
    if entry is None:
        return NotFound(change.id)
    if change.version is not None and change.version != entry.job.version:
        return StaleVersion(entry.job.id, entry.job.version)
    try:
        return work.change(entry, lifecycle.edit(entry.job, change, work.now))
    except IllegalTransition as error:
        return error


def _delete(work: Work, entry: Entry | None, job_id: str) -> Job | ActorqError:
    if entry is None:
        return NotFound(job_id)
    if entry.job.status not in ENDED:
        return IllegalTransition(job_id, entry.job.status, "delete")
    return work.remove(entry)
