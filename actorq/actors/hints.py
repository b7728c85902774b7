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
    from collections.abc import Iterable

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

    def written(self, results: Iterable[object]) -> None:
        """Tell what ``results``, just committed, mean for others."""
        ready: set[str] = set()
        jobs: list[Job] = []
        for result in results:
            if isinstance(result, QueueStats):
                # A resumed queue, or a raised limit, may give out what it held back.
                ready.add(result.name)
            jobs.extend(_jobs(result))
        ready.update(job.queue_name for job in jobs if job.status is Status.PENDING)
        delayed = (job for job in jobs if job.status is Status.DELAYED)
        due_us = [job.available_at - job.updated_at for job in delayed]
        leased = ((job.lease.expires_at, job.updated_at) for job in jobs if job.lease is not None)
        lease_us = [expires_at - updated_at for expires_at, updated_at in leased]
        if ready:
            self._dispatcher.offer(m.JobsReady(frozenset(ready)))
        if due_us:
            self._scheduler.offer(m.DueWithin(min(due_us) / SECOND_US))
        if lease_us:
            self._reaper.offer(m.DueWithin(min(lease_us) / SECOND_US))
        if jobs:
            self._watcher.offer(m.JobsChanged(tuple(job.id for job in jobs)))


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
