"""The aftermath: after the trouble, whoever looks whether everything comes to its end, and counts it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import anyio

from actorq.core.commands import ListJobs
from actorq.testing.invariants import events as e
from actorq.testing.simulation.caller import IN_DOUBT, NOT_DONE, Caller
from actorq.testing.simulation.planner import ticked, ticks_due
from actorq.testing.simulation.views import seen

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from actorq.core.queue import QueueStats
    from actorq.core.results import Page
    from actorq.face import JobQueue
    from actorq.testing.simulation.caller import R

PAGE: Final = 200
"""How many jobs are listed, or read, in one call."""


class Inspector(Caller):
    """An operator whose calls are repeated until they are answered: all faults are over."""

    def record(self, event: e.Event) -> None:
        """Record an event: an operator's own machine never crashes."""
        self.world.record(event)

    async def insist(self, question: Callable[[JobQueue], Coroutine[object, object, R]]) -> R:
        """Ask until there is an answer."""
        while True:
            try:
                return await self.ask(question)
            except (*IN_DOUBT, *NOT_DONE):
                await anyio.sleep(0.1)

    async def resume(self, queue_names: Sequence[str]) -> None:
        """Let every queue give out jobs again, whoever paused it."""
        for name in queue_names:
            call = self.world.call_name()
            self.record(e.Ask(at=self.at, actor=self.name, call=call, verb="resume", queue=name))
            await self.insist(partial(_resume, name))
            self.record(e.Answered(at=self.at, actor=self.name, call=call))

    async def audit(self, queue_names: Sequence[str]) -> None:
        """Read all jobs and figures, and record them."""
        since = self.at
        for stats in await self.insist(lambda queue: queue.list_queues()):
            counts: dict[e.Status, int] = {
                status.value: number for status, number in stats.counts.items()
            }
            self.record(
                e.Counted(
                    at=self.at,
                    actor=self.name,
                    since=since,
                    queue=stats.name,
                    counts=counts,
                    accepted=stats.accepted,
                    pruned=stats.pruned,
                )
            )
        for name in queue_names:
            await self._list(name)
        for schedule in await self.insist(lambda queue: queue.list_schedules()):
            for event in ticks_due(self.at, self.name, schedule):
                self.record(event)
        known = list(dict.fromkeys(self.world.known))
        since = self.at
        jobs = await self.insist(lambda queue: queue.get_jobs(known))
        for job_id, job in zip(known, jobs, strict=True):
            shown = None if job is None else seen(job)
            self.record(
                e.Audited(at=self.at, actor=self.name, since=since, job_id=job_id, seen=shown)
            )

    async def _list(self, queue_name: str) -> None:
        since = self.at
        found: list[str] = []
        before: str | None = None
        while True:
            query = ListJobs(queue_name=queue_name, before=before, limit=PAGE)
            page = await self.insist(partial(_page, query))
            found += [job.id for job in page.jobs]
            for event in ticked(self.at, self.name, page.jobs):
                self.record(event)
            before = page.next_before
            if before is None:
                break
        self.record(
            e.Listed(
                at=self.at,
                actor=self.name,
                since=since,
                queue=queue_name,
                job_ids=tuple(found),
            )
        )


async def _resume(queue_name: str, queue: JobQueue) -> QueueStats:
    return await queue.resume(queue_name)


async def _page(query: ListJobs, queue: JobQueue) -> Page:
    return await queue.list_jobs(query)
