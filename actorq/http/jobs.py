"""Routes on jobs: making, reading, changing and ending them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actorq.core.bounds import is_job_id
from actorq.core.results import Outcome, PrunedReplay
from actorq.core.wire import bodies, requests
from actorq.core.wire.decoding import Reader
from actorq.core.wire.views import enqueued_view, job_view, pruned_view
from actorq.errors import ActorqError, InvalidInput, NotFound, StaleVersion
from actorq.http.conditional import etag, parse_tags
from actorq.http.idempotency import REPLAYED, header_key
from actorq.http.response import empty, json
from actorq.http.waiting import while_connected

if TYPE_CHECKING:
    from actorq.core.job import Job
    from actorq.core.results import Enqueued
    from actorq.face import JobQueue
    from actorq.http.request import Request
    from actorq.http.response import Header, Response
    from actorq.http.waiting import Waiters

CREATED = 201
OK = 200
NOT_MODIFIED = 304

_ENQUEUE = Reader(bodies.EnqueueBody)
_EDIT = Reader(bodies.EditBody)
_EMPTY = Reader(bodies.EmptyBody)
_NOTHING = bodies.EmptyBody()


class Jobs:
    """What can be done with a job over HTTP."""

    def __init__(self, queue: JobQueue, waiters: Waiters) -> None:
        """Act on ``queue``; long polls take their places among ``waiters``."""
        self._queue = queue
        self._waiters = waiters

    async def enqueue(self, request: Request) -> Response:
        """Make a job."""
        queue = self._queue
        body = await request.body(_ENQUEUE)
        key = header_key(request)
        job_id = queue.mint_id(requests.named_queue(body))
        new = requests.new_job(body, job_id, queue.policy, header_key=key, caller="")
        result = (await queue.enqueue_many([new]))[0]
        if isinstance(result, ActorqError):
            raise result
        if isinstance(result, PrunedReplay):
            return json(created_status(result), pruned_view(result), REPLAYED)
        headers: list[Header] = [
            (b"location", f"{request.root}/jobs/{result.job.id}".encode()),
            etag(result.job),
        ]
        if result.replayed:
            headers.append(REPLAYED)
        return json(created_status(result), enqueued_view(result), *headers)

    async def get(self, request: Request) -> Response:
        """Show a job, or wait until it is no longer as the caller knows it."""
        job_id = named_job(request)
        wait = requests.wait(request.query("wait").seconds("wait"))
        header = request.header(b"if-none-match")
        if header is None:
            if wait:
                raise InvalidInput(
                    "/wait", "needs the header If-None-Match with the ETag that you have"
                )
            return job_response(await self._queue.get_job(job_id))
        tags = parse_tags(header, "If-None-Match")
        job = await self._queue.get_job(job_id)
        if wait and job.version in tags.versions:
            job = await self._changed(request, job, wait)
        if tags.any or job.version in tags.versions:
            return empty(NOT_MODIFIED, etag(job))
        return job_response(job)

    async def _changed(self, request: Request, job: Job, wait: float) -> Job:
        """Return the job once it changed, or as it is when the time is over."""

        async def change() -> Job | None:
            return await self._queue.wait_for_change(job.id, job.version, wait)

        with self._waiters.place():
            return (
                await while_connected(request.scope, request.receive, change, lambda _: None) or job
            )

    async def edit(self, request: Request) -> Response:
        """Change a waiting job."""
        job_id = named_job(request)
        body = await request.body(_EDIT)
        version = await self._expected_version(request, job_id)
        edit = requests.edit(job_id, body, version, self._queue.policy)
        return job_response(await self._queue.update_job(edit))

    async def _expected_version(self, request: Request, job_id: str) -> int | None:
        """Return the version to which the caller's edit belongs, None for whichever it is."""
        header = request.header(b"if-match")
        if header is None:
            return None
        tags = parse_tags(header, "If-Match")
        if tags.any:
            return None
        if len(tags.strong) == 1:
            return next(iter(tags.strong))
        job = await self._queue.get_job(job_id)
        if job.version not in tags.strong:
            raise StaleVersion(job_id, job.version)
        return job.version

    async def cancel(self, request: Request) -> Response:
        """Cancel a waiting job, or ask the holder of a running one to stop."""
        job_id = named_job(request)
        await request.optional_body(_EMPTY, _NOTHING)
        return job_response(await self._queue.cancel(job_id))

    async def redrive(self, request: Request) -> Response:
        """Give a dead job another life."""
        job_id = named_job(request)
        await request.optional_body(_EMPTY, _NOTHING)
        return job_response(await self._queue.redrive(job_id))

    async def delete(self, request: Request) -> Response:
        """Remove an ended job, and show what it was."""
        job_id = named_job(request)
        return json(OK, job_view(await self._queue.delete(job_id)))


def named_job(request: Request) -> str:
    """Return the id in the path; what is no id can name no job, and the store is not asked."""
    if not is_job_id(request.name):
        raise NotFound(f"{request.name!a:.100}")
    return request.name


def job_response(job: Job, *, holder: bool = False) -> Response:
    """Show a job; to its ``holder`` with the token of its lease."""
    return json(OK, job_view(job, holder=holder), etag(job))


def created_status(result: Enqueued | PrunedReplay) -> int:
    """Return the status of what an enqueue came to."""
    return CREATED if result.outcome is Outcome.CREATED else OK
