"""Where blocking calls run: right here, or in a worker thread."""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING, Protocol, TypeVar

import anyio
import anyio.to_thread

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Runner(Protocol):
    """Runs a blocking call to its end, whatever becomes of the task that waits for it."""

    async def __call__(self, function: Callable[[], T], /) -> T:
        """Return what ``function`` returns."""
        ...


async def run_inline(function: Callable[[], T]) -> T:
    """Run a call that never blocks right here."""
    return function()


class ThreadRunner:
    """Runs calls in a worker thread, one at a time.

    A task that is cancelled does not wait for its call, which goes on in the thread: a store
    that hangs cannot keep a program from ending. The next call waits, in a thread too, until it is over.
    """

    def __init__(self) -> None:
        """Take room from nobody: the loop's own limit on threads is for others."""
        self._limiter = anyio.CapacityLimiter(math.inf)
        # The limiter's place is free again as soon as a call is abandoned; the connection is not.
        self._turn = threading.Lock()

    async def __call__(self, function: Callable[[], T]) -> T:
        """Run ``function`` in the thread."""

        def run() -> T:
            with self._turn:
                return function()

        return await anyio.to_thread.run_sync(run, abandon_on_cancel=True, limiter=self._limiter)
