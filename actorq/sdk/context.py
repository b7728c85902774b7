"""The context of a job: what its handler may know of it, and say while it works."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

import msgspec

from actorq.core import bounds
from actorq.core.intake import json_text
from actorq.sdk.errors import JobCancelled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actorq.core.job import Job
    from actorq.sdk.task import Task

R = TypeVar("R")


class Link(Protocol):
    """How a context reaches the worker that runs the handler."""

    @property
    def is_stopping(self) -> bool:
        """Whether the handler should end: cancelled, its lease lost, its time or the worker's over."""
        ...

    async def report(self, progress: str, /) -> None:
        """Record progress, JSON text, from the event loop."""
        ...

    def report_from_thread(self, progress: str, /) -> None:
        """Record progress, JSON text, from where a handler may block."""
        ...

    async def jobs(self, job_ids: Sequence[str], /) -> list[Job]:
        """Return jobs in the order asked, from the event loop; raises ``NotFound``."""
        ...

    def jobs_from_thread(self, job_ids: Sequence[str], /) -> list[Job]:
        """Do the same from where a handler may block."""
        ...


class Context:
    """A handler gets it for a parameter ``context: Context = injected``.

    ``job`` is the record as it was claimed: its id, ``attempt``, ``metadata``, ``errors`` so far, and the
    ``lease``, whose token may go along to other systems to fence them off as well.
    """

    def __init__(self, job: Job, link: Link) -> None:
        """Speak of ``job`` through ``link``."""
        self.job = job
        self._link = link

    async def report(self, progress: object) -> None:
        """Record progress: any value that has a form in JSON, of at most 64 KiB.

        Whoever watches the job's handle sees it. A handler whose job was cancelled, or belongs to
        another by now, is cancelled here.
        """
        await self._link.report(_text(progress))

    def report_from_thread(self, progress: object) -> None:
        """Do the same from a plain function, in its thread or process."""
        self._link.report_from_thread(_text(progress))
        self.check_cancelled()

    async def parents(self) -> list[Job]:
        """Return the jobs that this one depends on, as they stand, in the order in which they were named.

        They have ended. Raises ``NotFound`` when one is pruned already: a queue's retention says when.
        """
        return await self._link.jobs(self._depends_on())

    async def results(self, task: Task[..., R]) -> list[R]:
        """Return what those of the parents returned that are jobs of ``task``, and completed; in order.

        In a chain there is one: ``(page,) = await context.results(fetch)``. Raises as ``parents`` does.
        """
        return task.results(await self.parents())

    def parents_from_thread(self) -> list[Job]:
        """Do the same as ``parents`` from a plain function, in its thread or process."""
        found = self._link.jobs_from_thread(self._depends_on())
        self.check_cancelled()
        return found

    def results_from_thread(self, task: Task[..., R]) -> list[R]:
        """Do the same as ``results`` from a plain function, in its thread or process."""
        return task.results(self.parents_from_thread())

    def _depends_on(self) -> tuple[str, ...]:
        return () if self.job.workflow is None else self.job.workflow.depends_on

    def check_cancelled(self) -> None:
        """Raise ``JobCancelled`` if a plain function should end: nothing else can interrupt it.

        An ``async`` handler is cancelled by its own event loop, and need not ask.
        """
        if self._link.is_stopping:
            raise JobCancelled(self.job.id)


def _text(progress: object) -> str:
    return json_text(
        msgspec.to_builtins(progress, str_keys=True), "/progress", bounds.MAX_PROGRESS_BYTES
    )
