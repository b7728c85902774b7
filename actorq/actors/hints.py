"""What a lane tells the others of its writes. Hints only: each may be lost, none is waited for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actorq.actors import messages as m
from actorq.core.instants import SECOND_US
from actorq.core.job import Job
from actorq.core.queue import QueueStats
from actorq.core.results import Claimed, Enqueued, Settled, Sweep
from actorq.core.transitions import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actorq.actors.mailbox import Mailbox


class Hints:
    """Reads from the results of a verb who should look, and offers it to them, once a batch."""

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

    def written(self, results: Sequence[object]) -> None:
        """Tell what ``results``, just committed, mean for others."""
        jobs: list[Job] = []
        ready: set[str] = set()
        ended: set[str] = set()
        # Every caller of the batch waits while this runs: one look at each result, and one at each job.
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
        self._tell_of(jobs, ready)
        if ready:
            self._dispatcher.offer(m.JobsReady(frozenset(ready)))
        if ended := ended - ready:
            self._dispatcher.offer(m.RoomMade(frozenset(ended)))

    def _tell_of(self, jobs: Sequence[Job], ready: set[str]) -> None:
        """Tell of due times, leases and changes; add to ``ready`` the queues that jobs wait in."""
        due_us: list[int] = []
        lease_us: list[int] = []
        for job in jobs:
            if job.status is Status.PENDING:
                ready.add(job.queue_name)
            elif job.status is Status.DELAYED:
                due_us.append(job.available_at - job.updated_at)
            elif job.lease is not None:
                lease_us.append(job.lease.expires_at - job.updated_at)
        if due_us:
            self._scheduler.offer(m.DueWithin(min(due_us) / SECOND_US))
        if lease_us:
            self._reaper.offer(m.DueWithin(min(lease_us) / SECOND_US))
        if jobs:
            self._watcher.offer(m.JobsChanged(tuple([job.id for job in jobs])))
