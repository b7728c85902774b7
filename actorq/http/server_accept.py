"""Taking connections: no more at once than there is room for, and none lost to a passing shortage."""

from __future__ import annotations

import errno
import logging
from typing import TYPE_CHECKING, Final, NoReturn

import anyio

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

_log = logging.getLogger("actorq.http")
_EXHAUSTED: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_EXHAUSTED_PAUSE: Final = 0.25


class Room:
    """Counts the open connections of one server, up to a bound."""

    def __init__(self, size: int) -> None:
        """Have room for ``size`` connections."""
        self._free = size
        self._news: anyio.Event | None = None

    def enter(self) -> None:
        """Count a connection, from the moment it was taken."""
        self._free -= 1

    def leave(self) -> None:
        """Give the place of a connection free."""
        self._free += 1
        if self._news is not None:
            self._news.set()

    async def wait(self) -> None:
        """Wait until there is room."""
        while self._free <= 0:
            self._news = anyio.Event()
            await self._news.wait()


async def accept(
    listener: socket.socket, room: Room, take: Callable[[socket.socket], object]
) -> NoReturn:
    """Hand each new connection to ``take``, and let those without room wait in the backlog."""
    while True:
        await room.wait()
        await anyio.wait_readable(listener)
        try:
            connection, _ = listener.accept()
        except OSError as error:
            # Most likely this one client was gone already; without descriptors or memory it
            # would fail again at once, until connections end.
            if error.errno in _EXHAUSTED:
                _log.error("cannot take a connection: %s", error)
                await anyio.sleep(_EXHAUSTED_PAUSE)
            continue
        connection.setblocking(False)
        room.enter()
        take(connection)
