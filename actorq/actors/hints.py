"""What a lane tells the others of its writes. Hints only: each may be lost, none is waited for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from actorq.actors import messages as m
from actorq.core.instants import SECOND_US
from actorq.core.job import Job, Lease
from actorq.core.queue import QueueStats
from actorq.core.results import Claimed, Enqueued, Settled, Sweep
from actorq.core.schedule import Schedule
from actorq.core.transitions import Status
from actorq.errors import ActorqError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actorq.actors.mailbox import Mailbox


class News(msgspec.Struct, frozen=True, kw_only=True):
    """What the results of a verb mean for others; times are seconds from the write on.

    It is read from the results in the lane's thread, where they were made: to touch them all a second
    time, on another processor, would keep every caller of the batch waiting.
    """

    ready: frozenset[str]
    """Queues that may have jobs to give out."""
    ended: frozenset[str]
    """Of the other queues, those in which leases ended: there may be room for more."""
    due_in: float | None
    lease_in: float | None
    tick_in: float | None
    ids: tuple[str, ...]
    """The jobs that changed."""
    has_errors: bool


def read_news(  # noqa: C901 - one branch a kind of result
    results: Sequence[object], stirred: Sequence[Job] = ()
) -> News:
    """Read from ``results``, just committed, and the jobs that they stirred what they mean for others."""
    jobs = list(stirred)
    ready: set[str] = set()
    ended: set[str] = set()
    ticks: list[int] = []
    has_errors = False
    for result in results:
        if isinstance(result, Enqueued):
            jobs.append(result.job)
        elif isinstance(result, Settled):
            jobs.append(result.job)
            ended.add(result.job.queue_name)
        elif isinstance(result, Job):
            jobs.append(result)
        elif isinstance(result, Claimed):
            jobs += result.jobs
        elif isinstance(result, Sweep):
            jobs += result.jobs
            ended.update(job.queue_name for job in result.jobs)
        elif isinstance(result, QueueStats):
            # A resumed queue, or a raised limit, may give out what it held back.
            ready.add(result.name)
        elif isinstance(result, Schedule):
            if result.due_at is not None:
                ticks.append(result.due_at - result.updated_at)
        elif isinstance(result, ActorqError):
            has_errors = True
    ready.update(job.queue_name for job in jobs if job.status is Status.PENDING)
    return News(
        ready=frozenset(ready),
        ended=frozenset(ended - ready),
        due_in=_soonest([_until_due(job) for job in jobs if _is_delayed(job)]),
        lease_in=_soonest([_until_over(job, job.lease) for job in jobs if job.lease is not None]),
        tick_in=_soonest(ticks),
        ids=tuple([job.id for job in jobs]),
        has_errors=has_errors,
    )


def _is_delayed(job: Job) -> bool:
    return job.status is Status.DELAYED and not job.waits_for_others


def _until_due(job: Job) -> int:
    return job.available_at - job.updated_at


def _until_over(job: Job, lease: Lease) -> int:
    return lease.expires_at - job.updated_at


def _soonest(spans_us: Sequence[int]) -> float | None:
    return min(spans_us) / SECOND_US if spans_us else None


class Hints:
    """Tells news to whom they concern: offered, once a batch."""

    def __init__(
        self,
        *,
        dispatcher: Mailbox[m.DispatcherMessage],
        scheduler: Mailbox[m.SchedulerMessage],
        reaper: Mailbox[m.ReaperMessage],
        watcher: Mailbox[m.WatcherMessage],
    ) -> None:
        """Offer to these mailboxes."""
        self._dispatcher = dispatcher
        self._scheduler = scheduler
        self._reaper = reaper
        self._watcher = watcher

    def tell(self, news: News) -> None:
        """Offer each what it should know."""
        if news.ready:
            self._dispatcher.offer(m.JobsReady(news.ready))
        if news.ended:
            self._dispatcher.offer(m.RoomMade(news.ended))
        if news.due_in is not None:
            self._scheduler.offer(m.DueWithin(news.due_in))
        if news.tick_in is not None:
            self._scheduler.offer(m.TickWithin(news.tick_in))
        if news.lease_in is not None:
            self._reaper.offer(m.DueWithin(news.lease_in))
        if news.ids:
            self._watcher.offer(m.JobsChanged(news.ids))
