"""Hypercorn's HTTP/1.1 engine with its doors to other protocols closed.

``Upgrade`` (WebSocket, h2c) is ignored, as HTTP allows: the request is answered as plain HTTP/1.1,
and the code that lets trailing bytes or a half-done upgrade break a connection is never reached.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import h11
from hypercorn.events import Closed, Updated
from hypercorn.protocol.events import Body, EndBody, Request, Response
from hypercorn.protocol.h11 import STREAM_ID, H11Protocol
from hypercorn.protocol.http_stream import HTTPStream

from actorq.http.server_problem import problem

if TYPE_CHECKING:
    from hypercorn.protocol.events import Event as StreamEvent


class Protocol(H11Protocol):
    """One connection's HTTP/1.1 conversation, without a view of its socket.

    ``paused`` is true while bytes of a following request lie unparsed because the present one is
    being answered; ``holding`` is true between the head of an answer and its first body bytes, so
    that both leave in one packet.
    """

    paused = False
    holding = False

    async def resume(self) -> None:
        """Parse what lay waiting, now that the answer before it is complete."""
        self.paused = False
        await self._handle_events()

    async def invite(self) -> None:
        """Tell a client that asked first to send its body, now that somebody wants it.

        Hypercorn's own says so at once, and a body that its head alone gets refused is sent in vain.
        """
        if self.connection.they_are_waiting_for_100_continue:
            headers = self.config.response_headers("h11")
            await self._send_h11_event(h11.InformationalResponse(status_code=100, headers=headers))

    async def stream_send(self, event: StreamEvent) -> None:
        """Write a part of the answer, holding its head back until the next part."""
        self.holding = isinstance(event, Response)
        if isinstance(event, Response) and self._is_last():
            event.headers.append((b"connection", b"close"))
        await super().stream_send(event)

    def _is_last(self) -> bool:
        """Whether the connection ends with this answer: its body is unread, or we are stopping."""
        return self.connection.their_state is h11.SEND_BODY or self.context.terminated.is_set()

    async def _handle_events(self) -> None:
        """Parse what has come in, until more is needed.

        Unlike Hypercorn's, a pause does not block: the connection must go on reading to notice a
        client that hangs up while it waits, also one that sent ``Upgrade`` or pipelines.
        """
        while True:
            try:
                event = self.connection.next_event()
            except h11.RemoteProtocolError as error:
                if self.connection.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
                    await self._send_error_response(error.error_status_hint)
                await self.send(Closed())
                return
            if isinstance(event, h11.Request):
                await self.send(Updated(idle=False))
                status = _why_not(event)
                if status is not None:
                    await self._send_error_response(status)
                    await self.send(Closed())
                    return
                await self._create_stream(event)
            elif event is h11.PAUSED:
                self.paused = True
                return
            elif not await self._pass_on(event):
                return

    async def _pass_on(self, event: object) -> bool:
        """Hand a part of the body to its request; false when there is nothing more to parse."""
        if self.stream is None:
            return False
        if isinstance(event, h11.Data):
            await self.stream.handle(Body(stream_id=STREAM_ID, data=event.data))
            return True
        if isinstance(event, h11.EndOfMessage):
            await self.stream.handle(EndBody(stream_id=STREAM_ID))
            return True
        return False

    async def _create_stream(self, request: h11.Request) -> None:
        """Start the request, always as plain HTTP."""
        self.stream = HTTPStream(
            self.app,
            self.config,
            self.context,
            self.task_group,
            self.ssl,
            self.client,
            self.server,
            self.stream_send,
            STREAM_ID,
        )
        await self.stream.handle(
            Request(
                stream_id=STREAM_ID,
                headers=list(request.headers),
                http_version=request.http_version.decode(),
                method=request.method.decode("ascii").upper(),
                raw_path=request.target,
                state=self.connection_state,
            )
        )
        self.keep_alive_requests += 1

    async def _send_error_response(self, status_code: int) -> None:
        """Refuse what is not HTTP with a problem document, like every other error."""
        body = problem(status_code)
        head = h11.Response(
            status_code=status_code,
            headers=[
                (b"content-type", b"application/problem+json"),
                (b"content-length", b"%d" % len(body)),
                (b"connection", b"close"),
                *self.config.response_headers("h11"),
            ],
        )
        self.holding = True
        await self._send_h11_event(head)
        self.holding = False
        await self._send_h11_event(h11.Data(data=body))
        await self._send_h11_event(h11.EndOfMessage())


def _why_not(request: h11.Request) -> int | None:
    """Return the status that refuses what h11 lets through, or None."""
    if not request.http_version.startswith(b"1."):
        return 505
    # Whoever stands in front of this server may have seen another end of this request in it.
    framing = {name for name, _ in request.headers} & {b"content-length", b"transfer-encoding"}
    return 400 if len(framing) > 1 else None
