"""The route by which workers take jobs: at once, or as soon as there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from actorq.core import bounds, intake
from actorq.core.wire import bodies, requests
from actorq.core.wire.decoding import Reader
from actorq.core.wire.views import job_view
from actorq.http.response import empty, json
from actorq.http.waiting import while_connected

if TYPE_CHECKING:
    from actorq.core.results import Claimed
    from actorq.face import JobQueue
    from actorq.http.options import AppOptions
    from actorq.http.request import Request
    from actorq.http.response import Header, Response
    from actorq.http.waiting import Waiters

NO_CONTENT = 204

PAUSED: Final = (b"actorq-paused", b"true")
"""The header of an empty answer whose queue gives out nothing for now."""

DRAINING: Final = (b"actorq-draining", b"true")
"""The header of an empty answer of a server that is going away: ask another."""

ANONYMOUS: Final = "anonymous"
"""The worker's id when a request names none."""

_DEQUEUE = Reader(bodies.DequeueBody)
_NOTHING = bodies.DequeueBody()


class Dequeues:
    """Gives jobs to workers, and takes back what does not reach them."""

    def __init__(self, queue: JobQueue, options: AppOptions, waiters: Waiters) -> None:
        """Claim from ``queue``; who waits takes a place among ``waiters``."""
        self._queue = queue
        self._options = options
        self._waiters = waiters

    async def dequeue(self, request: Request) -> Response:
        """Claim a job, or a list of up to ``max``, waiting for one if asked to."""
        queue_name = bounds.queue_name(request.name)
        body = await request.optional_body(_DEQUEUE, _NOTHING)
        wait = requests.wait(body.wait)
        worker_id = intake.worker_id(ANONYMOUS if body.worker_id is None else body.worker_id)
        visibility_timeout = requests.visibility(body.visibility_timeout)
        most = self._options.max_batch
        slots = 1 if body.max is None else bounds.integer(body.max, "/max", least=1, most=most)

        async def claim() -> Claimed:
            return await self._queue.dequeue_many(
                queue_name,
                slots,
                worker_id=worker_id,
                visibility_timeout=visibility_timeout,
                wait=wait,
            )

        if wait:
            with self._waiters.place():
                claimed = await while_connected(
                    request.scope, request.receive, claim, self._queue.give_back
                )
        else:
            claimed = await claim()
        return self._answer(claimed, as_list=body.max is not None)

    def _answer(self, claimed: Claimed, *, as_list: bool) -> Response:
        if not claimed.jobs:
            return empty(NO_CONTENT, *self._reasons(claimed))
        views = [job_view(job, holder=True) for job in claimed.jobs]
        response = json(200, views if as_list else views[0])
        response.undelivered = lambda: self._queue.give_back(claimed)
        return response

    def _reasons(self, claimed: Claimed) -> list[Header]:
        headers: list[Header] = []
        if claimed.paused:
            headers.append(PAUSED)
        if self._queue.draining:
            headers.append(DRAINING)
        return headers
