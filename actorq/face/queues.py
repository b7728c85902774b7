"""The verbs on queues: their figures, their settings, and their dead letters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import anyio.lowlevel

from actorq.actors import messages as m
from actorq.actors.mailbox import Reply
from actorq.core import bounds, intake
from actorq.core.commands import ListJobs
from actorq.core.queue import QueueEdit
from actorq.core.transitions import Status
from actorq.face.post import Post

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actorq.core.job import Job
    from actorq.core.queue import QueueLength, QueueStats
    from actorq.core.results import Check, Page
    from actorq.errors import ActorqError

BULK: Final = 500
"""How many jobs one step of a purge or a bulk redrive touches."""


class QueueVerbs:
    """What can be done with queues, by name."""

    def __init__(self, post: Post) -> None:
        """Send through ``post``."""
        self._post = post

    async def list_queues(self, names: Sequence[str] | None = None) -> list[QueueStats]:
        """Return the figures of all queues, or of ``names``; an unknown queue is all zero."""
        asked = None if names is None else tuple(bounds.queue_name(name) for name in names)
        reply: Reply[list[QueueStats]] = Reply()
        return await self._post.ask(m.ListQueues(asked, reply), reply)

    async def get_queue_length(self, queue_name: str) -> int:
        """Return how many jobs are pending, exactly; 0 for an unknown queue."""
        return (await self.get_queue_lengths([queue_name]))[0].pending

    async def get_queue_lengths(self, names: Sequence[str]) -> list[QueueLength]:
        """Return exact lengths, in the order asked."""
        asked = tuple(bounds.queue_name(name) for name in names)
        reply: Reply[list[QueueLength]] = Reply()
        return await self._post.ask(m.GetQueueLengths(asked, reply), reply)

    async def update_queue(self, edit: QueueEdit) -> QueueStats:
        """Change a queue's settings; the queue is made if it is not there yet."""
        reply: Reply[list[QueueStats]] = Reply()
        message = m.UpdateQueues((intake.queue_edit(edit),), reply)
        return (await self._post.ask(message, reply))[0]

    async def pause(self, queue_name: str, reason: str | None = None) -> QueueStats:
        """Give out no more of this queue's jobs, on every server of the store."""
        edit = QueueEdit(queue_name=queue_name, paused=True, paused_reason=reason)
        return await self.update_queue(edit)

    async def resume(self, queue_name: str) -> QueueStats:
        """Give out this queue's jobs again."""
        return await self.update_queue(QueueEdit(queue_name=queue_name, paused=False))

    async def purge(self, queue_name: str, statuses: frozenset[Status]) -> int:
        """Remove all jobs of these statuses, in steps; running ones cannot be. Returns how many."""
        bounds.queue_name(queue_name)
        statuses = intake.purgeable(statuses)
        removed = 0
        while True:
            reply: Reply[int] = Reply()
            message = m.PurgeJobs(queue_name, statuses, BULK, reply)
            step = await self._post.ask(message, reply)
            removed += step
            if step < BULK:
                return removed
            await anyio.lowlevel.checkpoint()

    async def redrive_dead(self, queue_name: str, limit: int = BULK) -> list[Job | ActorqError]:
        """Redrive up to ``limit`` dead jobs of a queue, newest first; one result each."""
        results: list[Job | ActorqError] = []
        before: str | None = None
        query_limit = min(limit, intake.MAX_LIST)
        while len(results) < limit:
            query = ListJobs(
                queue_name=bounds.queue_name(queue_name),
                statuses=frozenset({Status.DEAD}),
                before=before,
                limit=min(query_limit, limit - len(results)),
            )
            found: Reply[Page] = Reply()
            page = await self._post.ask(m.FindJobs(query, found), found)
            if page.jobs:
                reply: Reply[list[Job | ActorqError]] = Reply()
                ids = tuple(job.id for job in page.jobs)
                step = await self._post.ask(m.RedriveJobs(ids, reply), reply)
                results += step
            before = page.next_before
            if before is None:
                break
        return results

    async def check(self) -> Check:
        """Prove that the store works now, and tell its clock; raises ``BackendUnavailable``."""
        reply: Reply[Check] = Reply()
        return await self._post.ask(m.CheckStore(reply), reply)

    @property
    def draining(self) -> bool:
        """Whether this server is going away: take no new work here."""
        return self._post.draining()
