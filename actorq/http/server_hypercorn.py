"""Hypercorn's HTTP engine under this project's own accept loop, on asyncio and trio.

Hypercorn's own loops are not used: at the end they do not keep their grace (asyncio, Python 3.12
and later), any error of one connection ends the whole server (trio), connections are not bounded,
and a request whose body is left unread hangs for ever.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, cast

import anyio
import anyio.abc
from hypercorn.config import Config

from actorq.http.server_accept import Room, accept
from actorq.http.server_connection import Connection
from actorq.http.server_presence import is_connected

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from hypercorn.typing import WorkerContext

    from actorq.http.server import Serving

_log = logging.getLogger("actorq.http")


class _Flag:
    """An event of the running loop, dressed as the engine expects it."""

    def __init__(self) -> None:
        self._event = anyio.Event()

    async def clear(self) -> None:
        if self._event.is_set():
            self._event = anyio.Event()

    async def set(self) -> None:
        self._event.set()

    async def wait(self) -> None:
        await self._event.wait()

    def is_set(self) -> bool:
        return self._event.is_set()


class _Context:
    """What the connections of one server share: whether it is on its way out."""

    event_class = _Flag

    def __init__(self) -> None:
        self.terminated = _Flag()


class _Server:
    """Accepts connections up to the bound and ends them in order."""

    def __init__(self, order: Serving) -> None:
        self._order = order
        self._config = _config(order)
        self._context = _Context()
        self._connections: set[Connection] = set()
        self._room = Room(order.options.max_connections)

    async def run(self) -> None:
        """Serve until told to stop; the end of the grace cancels what is left."""
        async with anyio.create_task_group() as connections:
            async with anyio.create_task_group() as door:

                def take(client: socket.socket) -> None:
                    connections.start_soon(self._serve, client)

                door.start_soon(accept, self._order.listener, self._room, take)
                await self._order.shutdown()
                door.cancel_scope.cancel()
            self._order.listener.close()
            await self._context.terminated.set()
            connections.cancel_scope.deadline = anyio.current_time() + self._order.grace
            for connection in tuple(self._connections):
                connection.shut_down()
        if connections.cancel_scope.cancelled_caught:
            _log.warning("some requests did not finish within the grace and were cut")

    async def _serve(self, client: socket.socket) -> None:
        """Serve one connection and give its place free."""
        try:
            try:
                stream = await anyio.abc.SocketStream.from_socket(client)
            except (OSError, ValueError):
                # It was gone before it was begun with.
                client.close()
                return
            connection = self._begin(stream, partial(is_connected, client))
            try:
                await connection.run()
            finally:
                self._connections.discard(connection)
        finally:
            self._room.leave()

    def _begin(self, stream: anyio.abc.SocketStream, is_there: Callable[[], bool]) -> Connection:
        """Make a connection that takes part in the stop."""
        context = cast("WorkerContext", self._context)
        order = self._order
        connection = Connection(order.app, stream, is_there, self._config, context, order.options)
        self._connections.add(connection)
        if self._context.terminated.is_set():
            connection.shut_down()
        return connection


def _config(order: Serving) -> Config:
    """Translate the options that the engine itself keeps."""
    config = Config()
    config.accesslog = None
    config.errorlog = None
    config.include_server_header = False
    config.h11_max_incomplete_size = order.options.max_head
    return config


async def run_hypercorn(order: Serving) -> None:
    """Serve as ordered, on the running loop."""
    await _Server(order).run()
