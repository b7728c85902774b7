"""Writing an answer to the client, and what is owed when it does not arrive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from actorq.http.request_ids import HEADER
from actorq.http.waiting import is_gone

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Message, Receive, Scope, Send

    from actorq.http.response import Response

_PIECE: Final = 64 * 1024


async def write(response: Response, request_id: str, scope: Scope, send: Send) -> None:
    """Write an answer; to a HEAD, all but its body."""
    await send(_head(response, request_id))
    body = b"" if scope["method"] == "HEAD" else response.body
    await send({"type": "http.response.body", "body": body})


async def deliver(
    response: Response,
    undelivered: Callable[[], None],
    request_id: str,
    scope: Scope,
    receive: Receive,
    send: Send,
) -> None:
    """Write an answer that holds leases; call ``undelivered`` when its client has gone.

    Only as long as a part of the document is unsent: who has the whole of it may hang up and be at
    work on the jobs, and nothing may be taken from them but by the end of their leases.
    """
    body = response.body
    try:
        if await is_gone(scope, receive):
            undelivered()
            return
        await send(_head(response, request_id))
        if len(body) > _PIECE:
            # A client that does not take it all may be noticed before the last piece is sent.
            await send({"type": "http.response.body", "body": body[:-_PIECE], "more_body": True})
            body = body[-_PIECE:]
            if await is_gone(scope, receive):
                undelivered()
                return
    except BaseException:
        undelivered()
        raise
    await send({"type": "http.response.body", "body": body})


async def decline(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer what is not an HTTP request: there is nothing to start or stop, and no WebSocket."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close"})
        return
    while True:
        phase = (await receive())["type"]
        await send({"type": f"{phase}.complete"})
        if phase == "lifespan.shutdown":
            return


def _head(response: Response, request_id: str) -> Message:
    headers = [*response.headers, (HEADER, request_id.encode("ascii"))]
    return {"type": "http.response.start", "status": response.status, "headers": headers}
