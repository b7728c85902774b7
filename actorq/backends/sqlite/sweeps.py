"""Sweeps: what has become due, what has lapsed, and leases that ran out (contract §2, §3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from actorq.backends.sqlite.statements import statement
from actorq.core import lifecycle
from actorq.core.instants import SECOND_US
from actorq.core.results import Sweep

if TYPE_CHECKING:
    import sqlite3

    from actorq.backends.sqlite.rows import Entry
    from actorq.backends.sqlite.work import Work
    from actorq.core.job import Job

NEXT_PROMOTION: Final = statement("sweeps", "next_promotion")
NEXT_EXPIRY: Final = statement("sweeps", "next_expiry")
_DUE: Final = statement("sweeps", "due")
_LAPSED: Final = statement("sweeps", "lapsed")
_RUN_OUT: Final = statement("sweeps", "run_out")


def next_in(sqlite: sqlite3.Connection, next_instant: str, now: int) -> float | None:
    """Return the seconds to the instant that a statement selects, 0 if it has passed."""
    (instant,) = cast("tuple[int | None]", sqlite.execute(next_instant).fetchone())
    return None if instant is None else max(0, instant - now) / SECOND_US


def promote_delayed(work: Work, limit: int) -> Sweep:
    """Promote what is due and bury what has lapsed, ``limit`` together."""
    jobs = [_come_due(work, entry) for entry in work.select(_DUE, work.now, limit)]
    for entry in work.select(_LAPSED, work.now, limit):
        if len(jobs) == limit:
            break
        if entry.job.status is entry.was:
            jobs.append(work.change(entry, lifecycle.lapse(entry.job, work.now)))
    work.flush()
    return Sweep(tuple(jobs), next_in(work.sqlite, NEXT_PROMOTION, work.now))


def requeue_expired(work: Work, limit: int) -> Sweep:
    """End the leases that ran out, oldest first."""
    jobs = [
        work.change(entry, lifecycle.expire(entry.job, work.policy, work.now))
        for entry in work.select(_RUN_OUT, work.now, limit)
    ]
    work.flush()
    return Sweep(tuple(jobs), next_in(work.sqlite, NEXT_EXPIRY, work.now))


def _come_due(work: Work, entry: Entry) -> Job:
    job = entry.job
    if job.expires_at is not None and job.expires_at <= work.now:
        return work.change(entry, lifecycle.lapse(job, work.now))
    return work.change(entry, lifecycle.promote(job, work.now))
