"""Where blocking calls run: right here, or in a worker thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

import anyio
import anyio.to_thread

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Runner(Protocol):
    """Runs a blocking call to its end, whatever becomes of the task that waits for it."""

    async def __call__(self, function: Callable[[], T]) -> T:
        """Return what ``function`` returns."""
        ...


async def run_inline(function: Callable[[], T]) -> T:
    """Run a call that never blocks right here."""
    return function()


class ThreadRunner:
    """Runs calls in a worker thread, one at a time.

    A task that is cancelled does not wait for its call, which goes on in the thread: a store
    that hangs cannot keep a program from ending. The next call waits until it is over.
    """

    def __init__(self) -> None:
        """Own one thread's worth of room: no other lane can take it."""
        self._limiter = anyio.CapacityLimiter(1)

    async def __call__(self, function: Callable[[], T]) -> T:
        """Run ``function`` in the thread."""
        return await anyio.to_thread.run_sync(
            function, abandon_on_cancel=True, limiter=self._limiter
        )
