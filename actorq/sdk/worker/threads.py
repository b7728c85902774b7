"""Plain functions in threads: nothing can interrupt them, so they are waited for, up to a point."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeVar

import anyio
import anyio.to_thread

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Abandoned(Exception):
    """A function that did not end in time was left behind, still running."""


class Threads:
    """Runs functions in the event loop's worker threads; how many at a time is the worker's business."""

    def __init__(self) -> None:
        """Have none running."""
        self._limiter = anyio.CapacityLimiter(math.inf)
        self._guards: set[anyio.CancelScope] = set()

    @property
    def running(self) -> int:
        """How many functions run, or have ended without the event loop having taken notice."""
        return self._limiter.borrowed_tokens

    async def run(self, function: Callable[[], T]) -> T:
        """Return what ``function`` returns, also to a task that was cancelled meanwhile.

        To leave sooner would let the same job run a second time beside it. Raises ``Abandoned``.
        """
        with anyio.CancelScope(shield=True) as guard:
            self._guards.add(guard)
            try:
                return await anyio.to_thread.run_sync(
                    function, abandon_on_cancel=True, limiter=self._limiter
                )
            finally:
                self._guards.discard(guard)
        raise Abandoned

    def abandon(self) -> None:
        """Leave behind what still runs."""
        for guard in self._guards:
            guard.cancel()
