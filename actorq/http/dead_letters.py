"""The route that gives dead jobs of a queue another life, many at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actorq.core import bounds
from actorq.core.bounds import is_job_id
from actorq.core.wire import bodies
from actorq.core.wire.decoding import Reader
from actorq.core.wire.envelopes import BatchView
from actorq.errors import InvalidInput, NotFound
from actorq.http.batches import check_size, job_item
from actorq.http.response import json

if TYPE_CHECKING:
    from actorq.core.job import Job
    from actorq.errors import ActorqError
    from actorq.face import JobQueue
    from actorq.http.options import AppOptions
    from actorq.http.request import Request
    from actorq.http.response import Response

_REDRIVE = Reader(bodies.RedriveBody)
_NOTHING = bodies.RedriveBody()


class DeadLetters:
    """Redrives in bulk; each job is judged by itself."""

    def __init__(self, queue: JobQueue, options: AppOptions) -> None:
        """Act on ``queue`` within the bounds of ``options``."""
        self._queue = queue
        self._options = options

    async def redrive_many(self, request: Request) -> Response:
        """Redrive the jobs of ``ids``, or the newest ``limit`` dead ones of the queue."""
        queue_name = bounds.queue_name(request.name)
        body = await request.optional_body(_REDRIVE, _NOTHING)
        most = self._options.max_batch
        if body.ids is None:
            limit = most if body.limit is None else body.limit
            bounds.integer(limit, "/limit", least=1, most=most)
            results = await self._queue.redrive_dead(queue_name, limit)
        else:
            if body.limit is not None:
                raise InvalidInput("/limit", "means nothing beside ids")
            check_size(body.ids, "/ids", most)
            results = await self._redrive(queue_name, body.ids)
        return json(200, BatchView([job_item(result, request.id) for result in results]))

    async def _redrive(self, queue_name: str, ids: list[str]) -> list[Job | ActorqError]:
        """Redrive those of ``ids`` that are jobs of this queue; its name never changes."""
        found = await self._queue.get_jobs([job_id for job_id in ids if is_job_id(job_id)])
        own = {job.id for job in found if job is not None and job.queue_name == queue_name}
        wanted = [job_id for job_id in dict.fromkeys(ids) if job_id in own]
        redriven = await self._queue.redrive_many(wanted) if wanted else []
        results = dict(zip(wanted, redriven, strict=True))
        return [results.get(job_id, NotFound(f"{job_id!a:.100}")) for job_id in ids]
