"""Routes of a worker on what it holds: settling jobs, and keeping their leases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET
from msgspec.structs import replace

from actorq.core import intake
from actorq.core.bounds import is_job_id
from actorq.core.instants import format_instant
from actorq.core.wire import bodies, requests
from actorq.core.wire.decoding import Reader
from actorq.core.wire.envelopes import HeartbeatView, HeldView
from actorq.core.wire.views import job_view
from actorq.errors import ActorqError, LeaseLost, NotFound, NotLeased, TokenRequired
from actorq.face.post import only
from actorq.http.batches import check_size
from actorq.http.conditional import etag
from actorq.http.jobs import job_response, named_job
from actorq.http.response import json

if TYPE_CHECKING:
    from actorq.core.job import Job
    from actorq.face import JobQueue
    from actorq.http.options import AppOptions
    from actorq.http.request import Request
    from actorq.http.response import Response

_ACK = Reader(bodies.AckBody)
_FAIL = Reader(bodies.FailBody)
_RELEASE = Reader(bodies.ReleaseBody)
_EXTEND = Reader(bodies.ExtendBody)
_PROGRESS = Reader(bodies.ProgressBody)
_HEARTBEAT = Reader(bodies.HeartbeatBody)
_ACK_NOTHING = bodies.AckBody()
_FAIL_NOTHING = bodies.FailBody()
_RELEASE_NOTHING = bodies.ReleaseBody()
_EXTEND_NOTHING = bodies.ExtendBody()


class Leases:
    """What the holder of a lease can say of it."""

    def __init__(self, queue: JobQueue, options: AppOptions) -> None:
        """Act on ``queue`` within the bounds of ``options``."""
        self._queue = queue
        self._options = options

    async def ack(self, request: Request) -> Response:
        """Complete a job."""
        job_id = named_job(request)
        body = await request.optional_body(_ACK, _ACK_NOTHING)
        self._check_token(body.lease)
        item = requests.ack(job_id, body, self._queue.policy)
        return job_response(only(await self._queue.ack_many([item])).job)

    async def fail(self, request: Request) -> Response:
        """Report a failure; the job shows what happens next."""
        job_id = named_job(request)
        body = await request.optional_body(_FAIL, _FAIL_NOTHING)
        self._check_token(body.lease)
        item = requests.fail(job_id, body)
        return job_response(only(await self._queue.fail_many([item])).job)

    async def release(self, request: Request) -> Response:
        """Hand a job back."""
        job_id = named_job(request)
        body = await request.optional_body(_RELEASE, _RELEASE_NOTHING)
        self._check_token(body.lease)
        item = requests.release(job_id, body)
        return job_response(only(await self._queue.release_many([item])).job)

    async def extend(self, request: Request) -> Response:
        """Renew a lease, and tell its holder what is asked of it."""
        job_id = named_job(request)
        body = await request.optional_body(_EXTEND, _EXTEND_NOTHING)
        self._check_token(body.lease)
        item = requests.extend(job_id, body)
        job = only(await self._queue.extend_many([item]))
        # Only who showed the token sees it: a bare call may come from anybody.
        view = job_view(job, holder=item.token is not None)
        return json(200, replace(view, directive=self._directive(job)), etag(job))

    async def report(self, request: Request) -> Response:
        """Record a job's progress."""
        job_id = named_job(request)
        body = await request.body(_PROGRESS)
        self._check_token(body.lease)
        item = requests.report(job_id, body)
        return job_response(only(await self._queue.report_many([item])))

    async def heartbeat(self, request: Request) -> Response:
        """Renew all leases of a worker in one call."""
        intake.worker_id(request.name)
        body = await request.body(_HEARTBEAT)
        check_size(body.leases, "/leases", self._options.max_batch)
        items = requests.heartbeat(body)
        known = [item for item in items if is_job_id(item.id)]
        results = iter(await self._queue.extend_many(known) if known else ())
        held = [_held(i.id, next(results) if is_job_id(i.id) else NotFound(i.id)) for i in items]
        directive = "drain" if self._queue.draining else "continue"
        return json(200, HeartbeatView(held, directive))

    def _check_token(self, lease: bodies.Token) -> None:
        if lease is None and self._options.require_lease_token:
            raise TokenRequired

    def _directive(self, job: Job) -> str:
        if job.cancel_requested:
            return "cancel"
        return "drain" if self._queue.draining else "continue"


def _held(job_id: str, result: Job | ActorqError) -> HeldView:
    """Show one lease; an error that is not about it concerns the whole call."""
    if isinstance(result, LeaseLost | NotLeased | NotFound):
        return HeldView(id=job_id, status="lost")
    if isinstance(result, ActorqError):
        raise result
    lease = result.lease
    return HeldView(
        id=job_id,
        status="cancel" if result.cancel_requested else "ok",
        expires_at=UNSET if lease is None else format_instant(lease.expires_at),
        visibility_timeout=UNSET if lease is None else lease.visibility_timeout,
    )
