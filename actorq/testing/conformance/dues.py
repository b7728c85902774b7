"""Whose time has come: the instants that decide, as predicates over a record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actorq.core.instants import to_us
from actorq.core.transitions import WAITING, Status

if TYPE_CHECKING:
    from actorq.core.job import Job
    from actorq.core.policy import Retention


def lapsed(job: Job, now: int) -> bool:
    """Tell whether the time to start the job is over at the instant ``now``."""
    return job.expires_at is not None and job.expires_at <= now


def due(job: Job, now: int) -> bool:
    """Tell whether a round of promotion has something to do with the job at the instant ``now``."""
    if job.status not in WAITING:
        return False
    return lapsed(job, now) or (job.status is Status.DELAYED and job.available_at <= now)


def run_out(job: Job, now: int) -> bool:
    """Tell whether the lease of the job is over at the instant ``now``."""
    return job.lease is not None and job.lease.expires_at <= now


def too_old(job: Job, retention: Retention, now: int) -> bool:
    """Tell whether retention by age lets the job go at the instant ``now``."""
    ages = {
        Status.COMPLETED: retention.completed,
        Status.DEAD: retention.dead,
        Status.CANCELLED: retention.cancelled,
    }
    if job.status not in ages or job.completed_at is None or job.holds_key(now):
        return False
    return job.completed_at + to_us(ages[job.status]) <= now


def at_most(status: Status, retention: Retention) -> int:
    """Return how many jobs of an ended status a queue keeps."""
    bounds = {
        Status.COMPLETED: retention.max_completed,
        Status.DEAD: retention.max_dead,
        Status.CANCELLED: retention.max_cancelled,
    }
    return bounds[status]


def next_promotion(jobs: list[Job]) -> int | None:
    """Return the instant at which a round of promotion next has something to do; None: never."""
    lapses = [
        job.expires_at for job in jobs if job.status in WAITING and job.expires_at is not None
    ]
    delayed = [job for job in jobs if job.status is Status.DELAYED]
    dues = [job.available_at for job in delayed if not job.waits_for_others]
    return min([*lapses, *dues], default=None)


def next_expiry(jobs: list[Job]) -> int | None:
    """Return the instant at which the next lease is over; None: there is none."""
    return min((job.lease.expires_at for job in jobs if job.lease is not None), default=None)
