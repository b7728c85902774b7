"""uvicorn with httptools, the ``fast`` extra: asyncio only, with this project's start and stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from functools import partial
from typing import TYPE_CHECKING, Final

import anyio
from uvicorn.server import Server

from actorq.http.server_accept import Room, accept
from actorq.http.server_linger import Linger
from actorq.http.server_presence import is_connected
from actorq.http.server_uvicorn_connection import BoundedConfig, BoundedProtocol

if TYPE_CHECKING:
    import socket
    from collections.abc import Generator

    from starlette.types import ASGIApp, Receive, Scope, Send

    from actorq.http.server import Serving

_log = logging.getLogger("actorq.http")
_TICK: Final = 1.0
_LAST_WORD: Final = 0.5
_DRAIN_POLL: Final = 0.02


class _Cuttable:
    """ASGI middleware: a request that is cut at the end of the grace ends without a traceback."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # The request's task does nothing after this, so nobody misses the cancellation.
        with contextlib.suppress(asyncio.CancelledError):
            await self._app(scope, receive, send)


class _Server(Server):
    """uvicorn's server, started and stopped by its caller instead of by signals."""

    def __init__(self, config: BoundedConfig, order: Serving) -> None:
        super().__init__(config)
        self._bounded = config
        self._order = order

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave signals alone: the command line handles them."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Be ready; the door is opened by the main loop, which bounds what comes in."""
        del sockets
        self.servers = []
        self.started = True

    async def main_loop(self) -> None:
        """Take connections until the stop; once a second uvicorn renews its ``Date`` header."""
        # Two groups: whoever has been taken when the door closes still gets a connection.
        async with anyio.create_task_group() as taken, anyio.create_task_group() as door:

            def take(client: socket.socket) -> None:
                taken.start_soon(self._connect, client)

            door.start_soon(accept, self._order.listener, self._bounded.room, take)
            door.start_soon(self._tick)
            await self._order.shutdown()
            door.cancel_scope.cancel()

    async def _connect(self, client: socket.socket) -> None:
        """Give one connection to a protocol of its own, which gives its place free."""

        def make() -> BoundedProtocol:
            protocol = BoundedProtocol(self._bounded, self.server_state, {})
            protocol.is_there = partial(is_connected, client)
            return protocol

        try:
            await asyncio.get_running_loop().connect_accepted_socket(make, client)
        except OSError:
            # It was gone before it was begun with.
            client.close()
            self._bounded.room.leave()

    async def _tick(self) -> None:
        while True:
            await self.on_tick(0)
            await anyio.sleep(_TICK)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close the door, let requests in flight finish within the grace, then cut what is left."""
        self.close_door(sockets or [])
        state = self.server_state
        with anyio.move_on_after(self._order.grace):
            # Finished answers may still be on their way out, which only the connections know.
            while state.connections or state.tasks:  # noqa: ASYNC110 - uvicorn has no event for it
                await anyio.sleep(_DRAIN_POLL)
        await self.cut()

    def close_door(self, sockets: list[socket.socket]) -> None:
        """Take no further connection, close idle ones, and busy ones after their answer."""
        for listener in sockets:
            listener.close()
        for connection in tuple(self.server_state.connections):
            connection.shutdown()

    async def cut(self) -> None:
        """End every request and connection that is left, now."""
        tasks = set(self.server_state.tasks)
        for connection in tuple(self.server_state.connections):
            connection.transport.abort()
        if not tasks:
            return
        _log.warning("%d requests did not finish within the grace and were cut", len(tasks))
        with anyio.CancelScope(shield=True):
            # One turn of the loop, in which the requests are told that their clients are gone.
            await asyncio.sleep(0)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=_LAST_WORD)


async def run_uvicorn(order: Serving) -> None:
    """Serve as ordered, on the running asyncio loop."""
    config = BoundedConfig(
        _Cuttable(Linger(order.app, order.options.linger)),
        http=BoundedProtocol,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        log_level="error",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=order.options.backlog,
    )
    config.bounds = order.options
    config.room = Room(order.options.max_connections)
    server = _Server(config, order)
    try:
        await server.serve(sockets=[order.listener])
    finally:
        # Something is left only when the caller itself is being cancelled.
        if server.started:
            server.close_door([order.listener])
            await server.cut()
