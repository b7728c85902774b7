"""What others than the holder do to a job: cancel, redrive, edit, delete (contract §2, §9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actorq.core import verdicts
from actorq.core.transitions import LIVE, Status
from actorq.errors import ActorqError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actorq.backends.sqlite.rows import Entry
    from actorq.backends.sqlite.work import Work
    from actorq.core.commands import Edit
    from actorq.core.job import Job


def cancel(work: Work, ids: Sequence[str]) -> list[Job | ActorqError]:
    """Cancel waiting jobs, ask the holders of running ones."""
    entries = work.load(ids)
    answers = [_cancel(work, entries.get(job_id), job_id) for job_id in ids]
    work.flush()
    return answers


def redrive(work: Work, ids: Sequence[str]) -> list[Job | ActorqError]:
    """Give dead jobs another life."""
    entries = work.load(ids)
    work.load_holders(
        [
            (entry.queue, entry.job.dedupe_key)
            for entry in entries.values()
            if entry.job.dedupe_key is not None
        ]
    )
    answers = [_redrive(work, entries.get(job_id), job_id) for job_id in ids]
    work.flush()
    return answers


def update_job(work: Work, edits: Sequence[Edit]) -> list[Job | ActorqError]:
    """Change waiting jobs."""
    entries = work.load([change.id for change in edits])
    answers = [_edit(work, entries.get(change.id), change) for change in edits]
    work.flush()
    return answers


def delete(work: Work, ids: Sequence[str]) -> list[Job | ActorqError]:
    """Remove ended jobs."""
    entries = work.load(ids)
    answers = [_delete(work, entries.get(job_id), job_id) for job_id in ids]
    work.flush()
    return answers


def _cancel(work: Work, entry: Entry | None, job_id: str) -> Job | ActorqError:
    job = verdicts.cancel(_job(entry), job_id, work.now)
    if entry is None or isinstance(job, ActorqError) or job is entry.job:
        return job
    return work.renew(entry, job) if job.status is Status.RUNNING else work.change(entry, job)


def _redrive(work: Work, entry: Entry | None, job_id: str) -> Job | ActorqError:
    live = None if entry is None else _live_holder(work, entry)
    job = verdicts.redrive(_job(entry), job_id, live, work.now)
    return job if entry is None or isinstance(job, ActorqError) else work.edit(entry, job)


def _live_holder(work: Work, entry: Entry) -> str | None:
    if entry.job.dedupe_key is None:
        return None
    holder = work.holder((entry.queue, entry.job.dedupe_key))
    return holder.job.id if holder is not None and holder.job.status in LIVE else None


def _edit(work: Work, entry: Entry | None, change: Edit) -> Job | ActorqError:
    job = verdicts.edit(_job(entry), change, work.now)
    return job if entry is None or isinstance(job, ActorqError) else work.edit(entry, job)


def _delete(work: Work, entry: Entry | None, job_id: str) -> Job | ActorqError:
    job = verdicts.delete(_job(entry), job_id)
    return job if entry is None or isinstance(job, ActorqError) else work.remove(entry)


def _job(entry: Entry | None) -> Job | None:
    return None if entry is None else entry.job
