"""The link from a handler's context to its worker."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import anyio
import anyio.from_thread
import anyio.lowlevel

from actorq.core.commands import Report
from actorq.errors import ActorqError, LeaseLost, NotFound, NotLeased
from actorq.sdk.errors import JobCancelled
from actorq.sdk.handle import AGAIN_S
from actorq.sdk.worker.hold import Hold, Why

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actorq.core.job import Job
    from actorq.sdk.door import Door


class WorkerLink:
    """Reports go through the door; what the answer says of the lease stops the handler."""

    def __init__(self, hold: Hold, door: Door) -> None:
        """Speak for the job in ``hold``."""
        self._hold = hold
        self._door = door

    @property
    def is_stopping(self) -> bool:
        """Whether the handler should end; asked from its thread."""
        return self._hold.stopping is not None or time.monotonic() >= self._hold.deadline

    async def report(self, progress: str, /) -> None:
        """Record progress. A queue that is away has no need of it: the work goes on."""
        hold = self._hold
        try:
            job = await self._door.report(Report(hold.job.id, hold.token, progress))
        except (LeaseLost, NotLeased, NotFound):
            hold.stop(Why.LOST)
        except ActorqError as error:
            if not error.retryable:
                raise
        else:
            if job.cancel_requested:
                hold.stop(Why.CANCEL)
        await anyio.lowlevel.checkpoint()

    def report_from_thread(self, progress: str, /) -> None:
        """Record progress from the handler's thread."""
        anyio.from_thread.run(self._report_for_thread, progress)

    async def _report_for_thread(self, progress: str) -> None:
        # The thread asks by itself whether it should end: nothing here may be cancelled in its stead.
        with anyio.CancelScope(shield=True):
            await self.report(progress)

    async def jobs(self, job_ids: Sequence[str], /) -> list[Job]:
        """Return jobs in the order asked. A queue that is away is asked again."""
        if not job_ids:
            return []
        while True:
            try:
                found = await self._door.get_jobs(job_ids)
            except ActorqError as error:
                if not error.retryable:
                    raise
            else:
                return [_there(job, job_id) for job, job_id in zip(found, job_ids, strict=True)]
            if self.is_stopping:
                raise JobCancelled(self._hold.job.id)
            await anyio.sleep(AGAIN_S)

    def jobs_from_thread(self, job_ids: Sequence[str], /) -> list[Job]:
        """Do the same from the handler's thread."""
        return anyio.from_thread.run(self._jobs_for_thread, job_ids)

    async def _jobs_for_thread(self, job_ids: Sequence[str]) -> list[Job]:
        with anyio.CancelScope(shield=True):
            return await self.jobs(job_ids)
        raise JobCancelled(self._hold.job.id)


def _there(job: Job | None, job_id: str) -> Job:
    if job is None:
        raise NotFound(job_id)
    return job
