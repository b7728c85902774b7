"""Sweeps: what happens as time goes by, a bounded round at a time."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from actorq.core import lifecycle
from actorq.core.instants import SECOND_US
from actorq.core.results import Sweep
from actorq.core.transitions import Status

if TYPE_CHECKING:
    from actorq.backends.memory.data import Data
    from actorq.core.job import Job

WINDOWS: Final = 500
"""How many dedupe windows a round ends at least: of what they kept, too, the first that ended goes first."""


def requeue_expired(data: Data, limit: int, now: int) -> Sweep:
    """End leases that ran out, oldest first."""
    ended: list[Job] = []
    while (first := data.leases.first()) is not None and first[0] <= now and len(ended) < limit:
        ended.append(data.write(lifecycle.expire(data.jobs[first[1]], data.policy, now)))
    return Sweep(tuple(ended), _seconds(_instant(first), now))


def promote_delayed(data: Data, limit: int, now: int) -> Sweep:
    """Make delayed jobs pending that have become due, and bury waiting ones that lapsed."""
    moved: list[Job] = []
    while (first := data.dues.first()) is not None and first[0] <= now and len(moved) < limit:
        job = data.jobs[first[1]]
        lapsed = job.expires_at is not None and job.expires_at <= now
        after = lifecycle.lapse(job, now) if lapsed else lifecycle.promote(job, now)
        moved.append(data.write(after))
    return Sweep(tuple(moved), _seconds(_instant(first), now))


def prune(data: Data, limit: int, now: int) -> tuple[int, float | None]:
    """Remove jobs that retention lets go, then idempotency records that are over."""
    data.endings.end_windows(max(limit, WINDOWS), now)
    gone = 0
    while gone < limit and (job := data.endings.next(now)) is not None:
        data.remove(job)
        gone += 1
    while gone < limit and (first := data.replays.first()) is not None and first[0] <= now:
        data.remember(first[1], None)
        gone += 1
    dues = (data.endings.due(), _instant(data.replays.first()))
    return gone, _seconds(min((due for due in dues if due is not None), default=None), now)


def purge(data: Data, queue_name: str, statuses: frozenset[Status], limit: int) -> int:
    """Remove jobs of these statuses, oldest first; running ones stay."""
    queue = data.queues.get(queue_name)
    gone = 0
    if queue is not None:
        for status in sorted(statuses - {Status.RUNNING}):
            for job_id in list(islice(queue.ids[status], limit - gone)):
                data.remove(data.jobs[job_id])
                gone += 1
    return gone


def _instant(first: tuple[int, str] | None) -> int | None:
    return None if first is None else first[0]


def _seconds(due: int | None, now: int) -> float | None:
    """Return the seconds until ``due``; 0 if it is over, None if there is nothing to wait for."""
    return None if due is None else max(0, due - now) / SECOND_US
