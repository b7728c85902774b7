"""One connection of the Hypercorn server: its socket, its patience and the task of its request."""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING, Any, Final, cast

import anyio
import anyio.abc
from hypercorn.events import Closed, RawData, Updated
from hypercorn.typing import ConnectionState

from actorq.http.server import PRESENCE, WHOLE_BODY
from actorq.http.server_inbox import Inbox
from actorq.http.server_protocol import Protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from hypercorn.config import Config
    from hypercorn.events import Event
    from hypercorn.typing import AppWrapper, TaskGroup, WorkerContext
    from starlette.types import ASGIApp, Message, Scope, Send

    from actorq.http.server import ServerOptions

    Put = Callable[[Message], Awaitable[None]]

_log = logging.getLogger("actorq.http")
_PIECE: Final = 64 * 1024
_MAX_AHEAD: Final = 64 * 1024
_LOST: Final = (
    anyio.EndOfStream,
    anyio.BrokenResourceError,
    anyio.ClosedResourceError,
    OSError,
)


class Connection:
    """Reads, writes and times one client's connection until either side is done with it."""

    def __init__(
        self,
        app: ASGIApp,
        stream: anyio.abc.SocketStream,
        is_there: Callable[[], bool],
        config: Config,
        context: WorkerContext,
        options: ServerOptions,
    ) -> None:
        """Take over an accepted ``stream``; nothing happens until :meth:`run`.

        ``is_there`` asks the socket itself whether its other end is open.
        """
        self._app = app
        self._stream = stream
        self._is_there = is_there
        self._options = options
        self._tasks = anyio.create_task_group()
        self._write_lock = anyio.Lock(fast_acquire=True)
        self._unsent = bytearray()
        self._ahead = 0
        self._idle = True
        self._closing = False
        self._lost = False
        self._waiting: anyio.CancelScope | None = None
        self._deadline = anyio.current_time() + options.idle_timeout
        self._protocol = Protocol(
            # The engine only hands these two back to `spawn_app` below.
            cast("AppWrapper", app),
            config,
            context,
            # Of a task group the engine for plain HTTP uses `spawn_app` only.
            cast("TaskGroup", self),
            ConnectionState({}),
            False,
            _address(stream.extra(anyio.abc.SocketAttribute.remote_address, None)),
            _address(stream.extra(anyio.abc.SocketAttribute.local_address, None)),
            self._take,
        )

    async def run(self) -> None:
        """Serve the connection to its end; an error in it ends it alone."""
        try:
            async with self._tasks:
                await self._read()
        except Exception:  # noqa: BLE001 - whatever it is, the other connections go on
            _log.exception("a connection broke off")
        finally:
            await anyio.aclose_forcefully(self._stream)

    def shut_down(self) -> None:
        """Close when idle; a request in flight is answered first and the connection then closed."""
        if self._idle:
            self._lost = True
            self._wake()

    # --- what Hypercorn's engine calls --------------------------------------------------------

    async def spawn_app(
        self,
        app: AppWrapper,  # noqa: ARG002 - the engine's signature; the application is our own
        config: Config,  # noqa: ARG002 - the same
        scope: Scope,
        send: Callable[[Any], Awaitable[None]],
    ) -> Put:
        """Start the application on one request; give what its messages are put with."""
        inbox = Inbox(self._protocol.invite)
        self._tasks.start_soon(self._answer, scope, inbox, send)
        return inbox.put

    async def _answer(self, scope: Scope, inbox: Inbox, send: Send) -> None:
        """Run the application on one request; tell the engine when it has returned."""
        extensions: dict[str, object] = scope.setdefault("extensions", {})
        extensions[PRESENCE] = {"is_here": self._is_here}
        if inbox.is_complete:
            extensions[WHOLE_BODY] = {}
        try:
            await self._app(scope, inbox.receive, send)
        except Exception:  # noqa: BLE001 - a bug in the application ends its request only
            _log.exception("the application failed on %s %s", scope["method"], scope["path"])
        # Not on cancellation: the client then sees the connection end, which claims nothing.
        await cast("Callable[[None], Awaitable[None]]", send)(None)

    def _is_here(self) -> bool:
        return not self._lost and self._is_there()

    async def _take(self, event: Event) -> None:
        """Do what the engine asks of the connection."""
        if isinstance(event, RawData):
            self._unsent += event.data
            if not self._protocol.holding:
                await self._flush()
        elif isinstance(event, Updated):
            self._set_idle(idle=event.idle)
        else:
            await self._begin_close()

    # --- reading ------------------------------------------------------------------------------

    async def _read(self) -> None:
        """Feed the engine until the client hangs up or its time is over."""
        while not self._lost:
            if self._protocol.paused and self._idle:
                self._ahead = 0
                await self._protocol.resume()
                continue
            data = await self._next_data()
            if data is None:
                continue
            if not data:
                break
            if self._closing:
                continue
            if self._protocol.paused:
                self._ahead += len(data)
                if self._ahead > _MAX_AHEAD:
                    break
            await self._protocol.handle(RawData(data))
        self._lost = True
        await self._protocol.handle(Closed())

    async def _next_data(self) -> bytes | None:
        """Wait for bytes: empty when there will be none, ``None`` when woken for another reason."""
        self._waiting = anyio.CancelScope(deadline=self._deadline)
        try:
            with self._waiting:
                return await self._stream.receive(_PIECE)
        except _LOST:
            return b""
        finally:
            self._waiting = None
        return b"" if anyio.current_time() >= self._deadline else None

    def _set_idle(self, *, idle: bool) -> None:
        """Note that a request began, or that its answer is complete and the next may come."""
        self._idle = idle
        patience = self._options.idle_timeout if idle else math.inf
        self._set_deadline(anyio.current_time() + patience)
        if idle and self._protocol.paused:
            self._wake()

    def _set_deadline(self, deadline: float) -> None:
        """Move the end of the wait for bytes that is under way, or of the next one."""
        self._deadline = deadline
        if self._waiting is not None:
            self._waiting.deadline = deadline

    def _wake(self) -> None:
        """Let the reader look around, without waiting for bytes."""
        if self._waiting is not None:
            self._waiting.cancel()

    # --- writing ------------------------------------------------------------------------------

    async def _flush(self) -> None:
        """Send what is due; a client that does not take it in time is given up."""
        async with self._write_lock:
            if not self._unsent:
                return
            data = bytes(self._unsent)
            self._unsent.clear()
            if not self._lost and await self._send(data):
                return
        # The engine's own word to the request that its client has gone.
        self._lost = True
        self._wake()
        await self._protocol.handle(Closed())

    async def _send(self, data: bytes) -> bool:
        """Write ``data``, a piece at a time with its own deadline; false when that failed."""
        for start in range(0, len(data), _PIECE):
            piece = data if len(data) <= _PIECE else data[start : start + _PIECE]
            with anyio.move_on_after(self._options.write_timeout) as patience:
                try:
                    await self._stream.send(piece)
                except _LOST:
                    return False
            if patience.cancelled_caught:
                return False
        return True

    async def _begin_close(self) -> None:
        """Say the last word, then read on for a moment so that a reset does not swallow it."""
        if self._closing:
            return
        self._closing = True
        self._unsent.clear()
        try:
            await self._stream.send_eof()
        except (*_LOST, RuntimeError):
            self._lost = True
        self._set_deadline(anyio.current_time() + self._options.linger)
        self._wake()
        await self._protocol.handle(Closed())


def _address(end: tuple[str, int] | str | None) -> tuple[str, int] | None:
    """One end of the connection, as the request's scope has it."""
    return end if isinstance(end, tuple) else None
