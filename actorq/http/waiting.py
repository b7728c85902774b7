"""Long polls: how many may wait, and what becomes of one whose client has gone."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import anyio
import anyio.lowlevel

from actorq.errors import ActorqError, Overloaded
from actorq.http.limits import ClientGone
from actorq.http.server import PRESENCE, disconnected

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator

    from starlette.types import Receive, Scope

T = TypeVar("T")


class Waiters:
    """Counts the requests that wait for something to happen."""

    def __init__(self, most: int) -> None:
        """Allow ``most`` at once."""
        self._most = most
        self.waiting = 0

    @contextmanager
    def place(self) -> Generator[None]:
        """Take a place while waiting; raises ``Overloaded`` when there is none."""
        if self.waiting >= self._most:
            raise Overloaded(f"{self._most} requests wait already; try again, or without waiting")
        self.waiting += 1
        try:
            yield
        finally:
            self.waiting -= 1


async def while_connected(
    scope: Scope, receive: Receive, work: Callable[[], Awaitable[T]], undo: Callable[[T], None]
) -> T:
    """Do ``work`` as long as the client is there; raises ``ClientGone`` when it leaves first.

    ``undo`` takes back what ``work`` came to in the very moment in which its client, or this
    request, was given up: it runs at once and waits for nothing.
    """
    if await is_gone(scope, receive):
        raise ClientGone
    done: list[T] = []
    refusals: list[ActorqError] = []
    left = anyio.Event()
    try:
        async with anyio.create_task_group() as tasks:

            async def watch() -> None:
                await disconnected(receive)
                left.set()
                tasks.cancel_scope.cancel()

            tasks.start_soon(watch)
            try:
                done.append(await work())
            except ActorqError as error:
                # Held back from the task group, which would wrap it.
                refusals.append(error)
            tasks.cancel_scope.cancel()
    except BaseException:
        _undo(done, undo)
        raise
    if left.is_set():
        _undo(done, undo)
        raise ClientGone
    if refusals:
        raise refusals[0]
    return done[0]


def _undo(done: list[T], undo: Callable[[T], None]) -> None:
    for value in done:
        undo(value)


async def is_gone(scope: Scope, receive: Receive) -> bool:
    """Tell whether the client has hung up by now, as far as the server can know."""
    lent: dict[str, Callable[[], bool]] | None = scope.get("extensions", {}).get(PRESENCE)
    if lent is not None:
        return not lent["is_here"]()
    # One turn, in which the server may take notice.
    await anyio.lowlevel.checkpoint()
    with anyio.move_on_after(0):
        await disconnected(receive)
        return True
    return False
