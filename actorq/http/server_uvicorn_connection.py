"""One connection of the uvicorn server, with the bounds that uvicorn leaves out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from actorq.http.server import PRESENCE, WHOLE_BODY
from actorq.http.server_problem import problem

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
    from uvicorn.server import ServerState

    from actorq.http.server import ServerOptions
    from actorq.http.server_accept import Room


class BoundedConfig(Config):
    """uvicorn's settings and beside them ours: uvicorn hands them to each connection."""

    bounds: ServerOptions
    room: Room


class BoundedProtocol(HttpToolsProtocol):
    """A connection that must send its heads in time and within their size, and take its answers.

    Left to itself uvicorn never ends a connection that sends nothing, drips its head or does not
    read, and takes a head of any size.
    """

    is_there: Callable[[], bool]
    """Asks the socket itself whether its other end is open."""

    _UNREADABLE: ClassVar[int] = 400
    _HEAD_TOO_LARGE: ClassVar[int] = 431
    _MAX_AHEAD: ClassVar[int] = 64 * 1024

    def __init__(
        self,
        config: BoundedConfig,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        """Take uvicorn's arguments; the bounds come with the settings."""
        super().__init__(config, server_state, app_state, _loop)
        self._bounds = config.bounds
        self._room = config.room
        # uvicorn only hands it to the loop's clock, which takes parts of a second, too.
        self.timeout_keep_alive = cast("int", config.bounds.idle_timeout)
        self._ahead = 0
        self._cycles: list[RequestResponseCycle] = []
        self._deaf = False
        self._extensions: dict[str, dict[object, object]] = {}
        self._head_size = 0
        self._head_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """Begin waiting for the first head."""
        super().connection_made(transport)
        # So that every byte not yet taken by the client counts as a write under way.
        transport.set_write_buffer_limits(0)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop all timers, give the connection's place free, and tell every request."""
        self._head_done()
        self._write_done()
        self._room.leave()
        self._tell_gone()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse, and count what belongs to a head that is not complete yet."""
        self._unset_keepalive_if_required()
        if self._deaf:
            return
        self._parse(data)
        self._ahead = self._ahead + len(data) if self.pipeline else 0
        if self._ahead > self._MAX_AHEAD:
            self.transport.close()
        if self._head_timer is None and self._is_idle():
            # Empty lines are no request: the time for its head runs from here on.
            self._await_head()
        if self._head_timer is not None:
            self._head_size += len(data)
            if self._head_size > self._bounds.max_head:
                self._refuse(self._HEAD_TOO_LARGE)

    def _parse(self, data: bytes) -> None:
        """Take requests in, also those that offer to go on in another protocol: in this one."""
        while data:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as offer:
                # This parser is at its end; what follows is for another, if need be with the head again.
                (end,) = offer.args
                data = self._head_without_offer() + data[end:]
                self.parser = httptools.HttpRequestParser(self)
            except httptools.HttpParserError:
                self._refuse(self._UNREADABLE)
                return
            else:
                return

    def on_message_begin(self) -> None:
        """Begin waiting for the rest of a further head."""
        if self._head_timer is None:
            self._await_head()
        super().on_message_begin()
        self._extensions = {PRESENCE: {"is_here": self._is_here}}
        self.scope["extensions"] = self._extensions

    def on_headers_complete(self) -> None:
        """Hand the request over: its head came in time."""
        if not self._is_offer():
            self._head_done()
            super().on_headers_complete()
            self._cycles = [each for each in self._cycles if not each.response_complete]
            self._cycles.append(self.cycle)
            if self.pipeline:
                # uvicorn would read no more while an earlier request is answered, and so not notice
                # that its client hangs up.
                self.flow.resume_reading()

    def on_message_complete(self) -> None:
        """Say so in the scope: a request whose body is there when it begins needs no deadline for it."""
        if not self._is_offer():
            self._extensions[WHOLE_BODY] = {}
            super().on_message_complete()

    def _is_here(self) -> bool:
        if self.transport.is_closing() or not self.is_there():
            self._tell_gone()
            return False
        return True

    def _tell_gone(self) -> None:
        """Tell all requests that their client has gone; uvicorn only tells the latest one."""
        for cycle in self._cycles:
            cycle.disconnected = not cycle.response_complete
            cycle.message_event.set()

    def _is_offer(self) -> bool:
        """Whether the request offers another protocol: the parser then leaves out its body."""
        return self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT"

    def _head_without_offer(self) -> bytes:
        """Return the head of the request that offers another protocol, without the offer."""
        if not self._is_offer():
            return b""
        first = b"%s %s HTTP/%s" % (
            self.parser.get_method(),
            self.url,
            self.parser.get_http_version().encode(),
        )
        lines = [b"%s: %s" % header for header in self.headers if header[0] != b"upgrade"]
        return b"\r\n".join([first, *lines, b"", b""])

    def pause_writing(self) -> None:
        """Note that the client is behind, and for how long it may be."""
        super().pause_writing()
        self._await_reader()

    def resume_writing(self) -> None:
        """Note that the client has taken everything."""
        self._write_done()
        super().resume_writing()

    def _await_head(self) -> None:
        self._head_size = 0
        self._head_timer = self.loop.call_later(self._bounds.idle_timeout, self.transport.close)

    def _head_done(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _await_reader(self) -> None:
        unsent = self.transport.get_write_buffer_size()
        self._write_timer = self.loop.call_later(
            self._bounds.write_timeout, self._give_up_unless_read, unsent
        )

    def _write_done(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    def _give_up_unless_read(self, unsent: int) -> None:
        """Cut a client that took nothing at all; wait on for one that is merely slow."""
        if self.transport.get_write_buffer_size() >= unsent:
            self.transport.abort()
        else:
            self._await_reader()

    def _refuse(self, status: int) -> None:
        """Answer what cannot be read, and close; a request that came before it is answered first."""
        self._head_done()
        self._deaf = True
        if self._is_idle():
            self.transport.write(_refusal(status))
            self.transport.close()
        elif self.cycle.more_body:
            # It is the body of the request in hand that breaks off here.
            self.transport.close()
        else:
            self.cycle.keep_alive = False

    def _is_idle(self) -> bool:
        """Whether no request is being answered."""
        # Before the first request there is none, whatever uvicorn's annotation says.
        cycle = cast("RequestResponseCycle | None", self.cycle)
        return cycle is None or cycle.response_complete


def _refusal(status: int) -> bytes:
    """Write the whole answer to a request that is not HTTP."""
    body = problem(status)
    head = (
        f"HTTP/1.1 {status} \r\ncontent-type: application/problem+json\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body
