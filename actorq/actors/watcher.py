"""The watcher: tells those who wait for a change of a job."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from actorq.actors import messages as m
from actorq.actors.actor import ask
from actorq.actors.mailbox import Reply
from actorq.errors import ActorqError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from actorq.actors.mailbox import Mailbox
    from actorq.core.job import Job


class Watcher:
    """Holds the watches of this process, and reads their jobs in one batch.

    A hint of this process's own writes makes it look at once; a beat, for those of other processes.
    When the server is going away, every watch is answered with its job as it stands.
    """

    def __init__(self, *, lane: Mailbox[m.StorageMessage]) -> None:
        """Read through ``lane``."""
        self._lane = lane
        self._watches: dict[str, list[m.Watch]] = {}
        self._draining = False

    async def handle(self, messages: Sequence[m.WatcherMessage]) -> None:
        """Take in watches, then look at the jobs that may have changed."""
        ids: set[str] = set()
        for message in messages:
            match message:
                case m.Watch():
                    self._watches.setdefault(message.id, []).append(message)
                    ids.add(message.id)
                case m.JobsChanged():
                    ids.update(self._watches.keys() & message.ids)
                case m.Drain():
                    self._draining = True
                    ids.update(self._watches)
                case m.Beat():
                    ids.update(self._watches)
                case _:
                    assert_never(message)
        self._forget_abandoned(ids)
        looked_at = sorted(ids & self._watches.keys())
        if looked_at:
            await self._look(looked_at)

    async def stop(self) -> None:
        """Answer all who wait with the job as it stands, so that they can come again elsewhere."""
        self._draining = True
        if self._watches:
            await self._look(sorted(self._watches))

    async def _look(self, ids: Sequence[str]) -> None:
        reply: Reply[list[Job | None]] = Reply()
        try:
            jobs = await ask(self._lane, reply, m.GetJobs(tuple(ids), reply))
        except ActorqError as error:
            for job_id in ids:
                for watch in self._watches.pop(job_id):
                    watch.reply.fail(error)
            return
        for job_id, job in zip(ids, jobs, strict=True):
            left: list[m.Watch] = []
            for watch in self._watches.pop(job_id):
                if job is not None and job.version == watch.version and not self._draining:
                    left.append(watch)
                else:
                    watch.reply.set(job)
            if left:
                self._watches[job_id] = left

    def _forget_abandoned(self, ids: Iterable[str]) -> None:
        for job_id in ids:
            left = [w for w in self._watches.get(job_id, ()) if not w.reply.abandoned]
            if left:
                self._watches[job_id] = left
            else:
                self._watches.pop(job_id, None)
