"""Jobs: what anybody may do to one, without a lease."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actorq.backends.memory.data import apart
from actorq.core import verdicts
from actorq.core.transitions import LIVE
from actorq.errors import ActorqError

if TYPE_CHECKING:
    from actorq.backends.memory.data import Data
    from actorq.core.commands import Edit
    from actorq.core.job import Job


def cancel(data: Data, job_id: str, now: int) -> Job | ActorqError:
    """Cancel a waiting job, or ask the holder of a running one."""
    job = data.jobs.get(job_id)
    after = verdicts.cancel(job, job_id, now)
    if isinstance(after, ActorqError):
        return after
    return apart(after) if after is job else data.write(after)


def redrive(data: Data, job_id: str, now: int) -> Job | ActorqError:
    """Give a dead job another life, if it may have one and its dedupe key is free."""
    job = data.jobs.get(job_id)
    holder = None if job is None else data.holders.find(data.jobs, job, now)
    live = holder.id if holder is not None and holder.status in LIVE else None
    after = verdicts.redrive(job, job_id, live, now)
    return after if isinstance(after, ActorqError) else data.write(after)


def update(data: Data, edit: Edit, now: int) -> Job | ActorqError:
    """Change a waiting job, if it is still at the version that the edit names."""
    after = verdicts.edit(data.jobs.get(edit.id), edit, now)
    return after if isinstance(after, ActorqError) else data.write(after)


def delete(data: Data, job_id: str) -> Job | ActorqError:
    """Remove an ended job."""
    job = verdicts.delete(data.jobs.get(job_id), job_id)
    return job if isinstance(job, ActorqError) else data.remove(job)
