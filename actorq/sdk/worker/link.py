"""The link from a handler's context to its worker."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import anyio
import anyio.from_thread
import anyio.lowlevel

from actorq.core.commands import Report
from actorq.errors import ActorqError, LeaseLost, NotFound, NotLeased
from actorq.sdk.worker.hold import Hold, Why

if TYPE_CHECKING:
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
