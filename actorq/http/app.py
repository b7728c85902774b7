"""The application: the list of its routes, and the way of every request through it.

Plain ASGI: it runs under any ASGI server, alone or mounted under a path of another application.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from actorq.errors import ActorqError, InternalError
from actorq.http import problems
from actorq.http.batches import Batches
from actorq.http.dead_letters import DeadLetters
from actorq.http.dequeue import Dequeues
from actorq.http.health import Health
from actorq.http.jobs import Jobs
from actorq.http.leases import Leases
from actorq.http.limits import ClientGone, InFlightLimit, TooManyRequestsInFlight
from actorq.http.listing import Listing
from actorq.http.openapi import Document
from actorq.http.options import AppOptions
from actorq.http.origins import refuse_other_origins
from actorq.http.queues import Queues
from actorq.http.request import Request
from actorq.http.request_ids import RequestIds
from actorq.http.routing import Route, Router
from actorq.http.schedules import Schedules
from actorq.http.waiting import Waiters
from actorq.http.writing import decline, deliver, write

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from actorq.face import JobQueue
    from actorq.http.response import Response

_log = logging.getLogger("actorq.http")


def create_app(queue: JobQueue, options: AppOptions | None = None) -> ASGIApp:
    """Make the application that serves ``queue``, which must run on the same event loop.

    Mount it where you like; whoever reaches it may do everything that the routes offer.
    """
    chosen = options or AppOptions()
    return _App(Router(routes(queue, chosen)), chosen)


def routes(queue: JobQueue, options: AppOptions) -> list[Route]:
    """Return the list of all routes."""
    waiters = Waiters(options.max_waiters)
    jobs = Jobs(queue, waiters)
    leases = Leases(queue, options)
    batches = Batches(queue, options)
    dequeues = Dequeues(queue, options, waiters)
    listing = Listing(queue)
    queues = Queues(queue)
    dead = DeadLetters(queue, options)
    health = Health(queue)
    document = Document()
    return [
        Route("POST", "/jobs", jobs.enqueue),
        Route("GET", "/jobs", listing.list_jobs),
        Route("POST", "/jobs/batch", batches.enqueue_batch),
        Route("POST", "/jobs/settle", batches.settle),
        Route("GET", "/jobs/{id}", jobs.get),
        Route("PATCH", "/jobs/{id}", jobs.edit),
        Route("DELETE", "/jobs/{id}", jobs.delete),
        Route("POST", "/jobs/{id}/ack", leases.ack),
        Route("POST", "/jobs/{id}/fail", leases.fail),
        Route("POST", "/jobs/{id}/extend", leases.extend),
        Route("POST", "/jobs/{id}/release", leases.release),
        Route("POST", "/jobs/{id}/progress", leases.report),
        Route("POST", "/jobs/{id}/cancel", jobs.cancel),
        Route("POST", "/jobs/{id}/redrive", jobs.redrive),
        Route("POST", "/workers/{id}/heartbeat", leases.heartbeat),
        Route("GET", "/queues", queues.list_queues),
        Route("GET", "/queues/{name}", queues.get_queue),
        Route("GET", "/queues/{name}/length", queues.get_length),
        Route("POST", "/queues/{name}/dequeue", dequeues.dequeue),
        Route("POST", "/queues/{name}/pause", queues.pause),
        Route("POST", "/queues/{name}/resume", queues.resume),
        Route("POST", "/queues/{name}/purge", queues.purge),
        Route("GET", "/queues/{name}/settings", queues.get_settings),
        Route("PATCH", "/queues/{name}/settings", queues.edit_settings),
        Route("GET", "/queues/{name}/dead", listing.list_dead),
        Route("POST", "/queues/{name}/dead/purge", queues.purge_dead),
        Route("POST", "/queues/{name}/redrive", dead.redrive_many),
        *Schedules(queue).routes(),
        Route("GET", "/healthz", health.live),
        Route("GET", "/readyz", health.ready),
        Route("GET", "/openapi.json", document.get),
    ]


class _App:
    """Takes every request from its scope to its answer."""

    def __init__(self, router: Router, options: AppOptions) -> None:
        self._router = router
        self._limits = options.body
        self._ids = RequestIds()
        self._in_flight = InFlightLimit(options.max_requests)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await decline(scope, receive, send)
            return
        request_id = self._ids.name(scope)
        try:
            self._in_flight.enter()
        except TooManyRequestsInFlight as error:
            await write(problems.respond(error, request_id), request_id, scope, send)
            return
        try:
            response = await self._answer(scope, receive, request_id)
            if response.undelivered is None:
                await write(response, request_id, scope, send)
            else:
                await deliver(response, response.undelivered, request_id, scope, receive, send)
        except ClientGone:
            return
        finally:
            self._in_flight.leave()

    async def _answer(self, scope: Scope, receive: Receive, request_id: str) -> Response:
        """Find the route and let it answer; every error becomes a problem document."""
        try:
            handle, name = self._router.find(scope)
            request = Request(scope, receive, name, request_id, self._limits)
            refuse_other_origins(request)
            return await handle(request)
        except ClientGone:
            raise
        except InternalError as error:
            # Its traceback is in the log already, where it happened; this line leads there.
            _log.error("%s", error, extra={"request_id": request_id, "path": scope["path"]})
            return problems.respond(error, request_id)
        except ActorqError as error:
            return problems.respond(error, request_id)
        except Exception as error:  # noqa: BLE001 - the end of the line: logged, and answered
            _log.exception(
                "a request failed", extra={"request_id": request_id, "path": scope["path"]}
            )
            return problems.respond(InternalError(str(error)), request_id)
