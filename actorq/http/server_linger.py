"""ASGI middleware for servers that close as soon as an answer is complete, body read or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from actorq.http.server import WHOLE_BODY

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Linger:
    """Keeps an early answer (413, 408) from being lost to a connection reset.

    Closing a socket while bytes of the request lie unread resets it, and the client may never see
    the answer. So when the answer is complete before the request is, it is sent in full but not
    finished, the rest of the request is thrown away for up to ``seconds``, and then both end. Such
    an answer says ``Connection: close``.
    """

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        """Wrap ``app``; ``seconds`` is the longest time to read on."""
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request that is here to its end straight through, watch over what is still to come."""
        if scope["type"] == "http" and _has_more(scope):
            exchange = _Exchange(receive, send, self._seconds)
            await self._app(scope, exchange.receive, exchange.send)
        else:
            await self._app(scope, receive, send)


def _has_more(scope: Scope) -> bool:
    """Whether the request announces a body that has not arrived yet."""
    if WHOLE_BODY in scope.get("extensions", ()):
        return False
    headers: list[tuple[bytes, bytes]] = scope["headers"]
    return any(name in {b"content-length", b"transfer-encoding"} for name, _ in headers)


class _Exchange:
    """One request and its answer: which of them is complete."""

    __slots__ = ("_receive", "_seconds", "_send", "_unread")

    def __init__(self, receive: Receive, send: Send, seconds: float) -> None:
        self._receive = receive
        self._send = send
        self._seconds = seconds
        self._unread = True

    async def receive(self) -> Message:
        """Pass a message on, noting the end of the body."""
        message = await self._receive()
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            self._unread = False
        return message

    async def send(self, message: Message) -> None:
        """Pass a part of the answer on, the last one only once the request is out of the way."""
        if self._unread:
            if message["type"] == "http.response.start":
                headers = [*message.get("headers", ()), (b"connection", b"close")]
                message = {**message, "headers": headers}
            elif not message.get("more_body", False):
                await self._send({**message, "more_body": True})
                await self._discard()
                message = {"type": "http.response.body", "body": b""}
        await self._send(message)

    async def _discard(self) -> None:
        """Throw the rest of the request away, for a while."""
        end = anyio.current_time() + self._seconds
        with anyio.CancelScope(deadline=end):
            # Looked at, too: a scope on asyncio waits for a moment in which nothing has come in.
            while self._unread and anyio.current_time() < end:
                await self.receive()
