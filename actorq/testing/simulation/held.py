"""A job in a worker's hands: until when it may be worked on, and why it is to be stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from actorq.core.job import Job


class Held:
    """One job under its lease. ``deadline`` is virtual time: the worker counts from its sent request."""

    def __init__(self, job: Job, sent_at: float) -> None:
        """Take over what a claim gave that was sent at ``sent_at``."""
        assert job.lease is not None
        self.job = job
        self.token = job.lease.token
        self.visibility = job.lease.visibility_timeout
        self.deadline = sent_at + self.visibility
        self.cancelled = False
        """Whether somebody asked for the job to be cancelled."""
        self.stopped = False
        self._scope: anyio.CancelScope | None = None

    def renewed(self, visibility: float, sent_at: float) -> None:
        """Count anew, from a renewal that was sent at ``sent_at``."""
        self.visibility = visibility
        self.deadline = max(self.deadline, sent_at + visibility)

    def stop(self) -> None:
        """End the handler, which is not its failure."""
        self.stopped = True
        if self._scope is not None:
            self._scope.cancel()

    async def work(self, seconds: float) -> None:
        """Work for so long, or until ``stop``."""
        if not self.stopped:
            with anyio.CancelScope() as self._scope:
                await anyio.sleep(seconds)
