"""Routes for those who watch over a server: does it live, and would it take a job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import anyio

from actorq.core.wire.envelopes import HealthView, ReadyView
from actorq.errors import BackendUnavailable, ShuttingDown
from actorq.http.response import json

if TYPE_CHECKING:
    from actorq.face import JobQueue
    from actorq.http.request import Request
    from actorq.http.response import Response

PATIENCE_S: Final = 1.5
"""How long the store may take to prove itself; the truth must be told within 2 s (I20)."""


class Health:
    """Tells how a server is."""

    def __init__(self, queue: JobQueue) -> None:
        """Look at ``queue``."""
        self._queue = queue

    async def live(self, request: Request) -> Response:
        """Answer, whatever the store does: to start this process anew would not mend it."""
        del request
        return json(200, HealthView("ok"))

    async def ready(self, request: Request) -> Response:
        """Tell whether a job would be taken now."""
        del request
        if self._queue.draining:
            raise ShuttingDown("this server is going away")
        with anyio.move_on_after(PATIENCE_S):
            check = await self._queue.check()
            return json(200, ReadyView("ready", list(check.warnings)))
        raise BackendUnavailable(f"the store did not answer within {PATIENCE_S} s")
