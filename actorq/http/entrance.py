"""The entrance of a server that is still opening its store: it is there, and says when to come again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actorq.core.wire.envelopes import HealthView
from actorq.errors import BackendUnavailable
from actorq.http import problems
from actorq.http.request_ids import RequestIds
from actorq.http.response import json
from actorq.http.writing import decline, write

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from actorq.http.response import Response


class Entrance:
    """Leads to an application, once there is one; until then every request but ``/healthz`` is a 503."""

    def __init__(self) -> None:
        """Be closed."""
        self._app: ASGIApp | None = None
        self._ids = RequestIds()

    def open(self, app: ASGIApp) -> None:
        """Let requests through to ``app`` from now on."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if self._app is not None:
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            request_id = self._ids.name(scope)
            await write(_answer(scope, request_id), request_id, scope, send)
        else:
            await decline(scope, receive, send)


def _answer(scope: Scope, request_id: str) -> Response:
    if scope["path"] == "/healthz" and scope["method"] in {"GET", "HEAD"}:
        return json(200, HealthView("ok"))
    return problems.respond(BackendUnavailable("this server waits for its store"), request_id)
