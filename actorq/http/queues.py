"""Routes on queues: their figures, their settings, and what is removed from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import anyio

from actorq.core import bounds
from actorq.core.queue import QueueEdit
from actorq.core.transitions import Status
from actorq.core.wire import bodies, requests
from actorq.core.wire.bodies import status_of
from actorq.core.wire.decoding import Reader
from actorq.core.wire.envelopes import RemovedView
from actorq.core.wire.views import length_view, queue_view, settings_view
from actorq.http.response import json

if TYPE_CHECKING:
    from actorq.core.queue import QueueStats
    from actorq.core.wire.views import QueueView
    from actorq.face import JobQueue
    from actorq.http.request import Request
    from actorq.http.response import Response

FRESH_S: Final = 1.0
"""For how many seconds one reading of all queues' figures is given to whoever asks."""

_PAUSE = Reader(bodies.PauseBody)
_PURGE = Reader(bodies.PurgeBody)
_SETTINGS = Reader(bodies.SettingsBody)
_EMPTY = Reader(bodies.EmptyBody)
_PAUSE_NOTHING = bodies.PauseBody()
_PURGE_NOTHING = bodies.PurgeBody()
_NOTHING = bodies.EmptyBody()


class Queues:
    """What can be done with a queue over HTTP."""

    def __init__(self, queue: JobQueue) -> None:
        """Act on ``queue``."""
        self._queue = queue
        self._reading = anyio.Lock()
        self._figures: list[QueueView] = []
        self._read_at = float("-inf")

    async def list_queues(self, request: Request) -> Response:
        """Show the figures of all queues, at most a second old."""
        request.query()
        # One reading at a time: who comes meanwhile gets what it found.
        async with self._reading:
            now = anyio.current_time()
            if now - self._read_at >= FRESH_S:
                self._figures = await self._figures_now(None)
                self._read_at = now
        return json(200, self._figures)

    async def get_queue(self, request: Request) -> Response:
        """Show the figures of one queue, as they are now."""
        name = bounds.queue_name(request.name)
        return json(200, (await self._figures_now(name))[0])

    async def _figures_now(self, name: str | None) -> list[QueueView]:
        # The clock first: figures may be newer than they say, and never older.
        now = (await self._queue.check()).now
        stats = await self._queue.list_queues(None if name is None else [name])
        return [queue_view(one, now) for one in stats]

    async def get_length(self, request: Request) -> Response:
        """Show how many jobs of a queue wait, exactly."""
        name = bounds.queue_name(request.name)
        return json(200, length_view((await self._queue.get_queue_lengths([name]))[0]))

    async def pause(self, request: Request) -> Response:
        """Give out no more of a queue's jobs."""
        name = bounds.queue_name(request.name)
        body = await request.optional_body(_PAUSE, _PAUSE_NOTHING)
        return json(200, settings_view(await self._queue.pause(name, body.reason)))

    async def resume(self, request: Request) -> Response:
        """Give out a queue's jobs again."""
        name = bounds.queue_name(request.name)
        await request.optional_body(_EMPTY, _NOTHING)
        return json(200, settings_view(await self._queue.resume(name)))

    async def get_settings(self, request: Request) -> Response:
        """Show a queue's settings."""
        return json(200, settings_view(await self._stats(bounds.queue_name(request.name))))

    async def edit_settings(self, request: Request) -> Response:
        """Change some of a queue's settings."""
        name = bounds.queue_name(request.name)
        body = await request.body(_SETTINGS)
        edit = requests.queue_edit(name, body, self._queue.policy)
        if edit == QueueEdit(queue_name=name):
            return json(200, settings_view(await self._stats(name)))
        return json(200, settings_view(await self._queue.update_queue(edit)))

    async def _stats(self, name: str) -> QueueStats:
        return (await self._queue.list_queues([name]))[0]

    async def purge(self, request: Request) -> Response:
        """Remove a queue's jobs by status."""
        name = bounds.queue_name(request.name)
        body = await request.optional_body(_PURGE, _PURGE_NOTHING)
        statuses = frozenset(status_of(text, "/statuses") for text in body.statuses)
        return json(200, RemovedView(await self._queue.purge(name, statuses)))

    async def purge_dead(self, request: Request) -> Response:
        """Remove a queue's dead letters."""
        name = bounds.queue_name(request.name)
        await request.optional_body(_EMPTY, _NOTHING)
        return json(200, RemovedView(await self._queue.purge(name, frozenset({Status.DEAD}))))
