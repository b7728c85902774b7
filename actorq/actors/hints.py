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
        jobs = [job for result in results for job in _jobs(result)]
        self._tell_consumers(results, jobs)
        due_us = [job.available_at - job.updated_at for job in jobs if job.status is Status.DELAYED]
        if due_us:
            self._scheduler.offer(m.DueWithin(min(due_us) / SECOND_US))
        leased = ((job.lease.expires_at, job.updated_at) for job in jobs if job.lease is not None)
        lease_us = [expires_at - updated_at for expires_at, updated_at in leased]
        if lease_us:
            self._reaper.offer(m.DueWithin(min(lease_us) / SECOND_US))
        if jobs:
            self._watcher.offer(m.JobsChanged(tuple(job.id for job in jobs)))

    def _tell_consumers(self, results: Sequence[object], jobs: Sequence[Job]) -> None:
        ready = {job.queue_name for job in jobs if job.status is Status.PENDING}
        # A resumed queue, or a raised limit, may give out what it held back.
        ready.update(result.name for result in results if isinstance(result, QueueStats))
        ends = (result for result in results if isinstance(result, Settled | Sweep))
        ended = {job.queue_name for result in ends for job in _jobs(result)} - ready
        if ready:
            self._dispatcher.offer(m.JobsReady(frozenset(ready)))
        if ended:
            self._dispatcher.offer(m.RoomMade(frozenset(ended)))


def _jobs(result: object) -> tuple[Job, ...]:
    match result:
        case Enqueued(job) | Settled(job):
            return (job,)
        case Job():
            return (result,)
        case Claimed(jobs) | Sweep(jobs):
            return jobs
        case _:
            return ()
