"""From an error to its problem document (RFC 9457): the only place that knows statuses of errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import UNSET

from actorq import errors as e
from actorq.core.bounds import is_job_id
from actorq.core.wire.decoding import NotJson, UnknownFields
from actorq.core.wire.envelopes import ProblemPlace, ProblemView
from actorq.http import limits
from actorq.http.origins import CrossOrigin
from actorq.http.request import UnsupportedMediaType
from actorq.http.response import PROBLEM_JSON, Response
from actorq.http.routing import MethodNotAllowed, NoSuchRoute

if TYPE_CHECKING:
    from actorq.http.response import Header


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem: its HTTP status and its title; ``retry_after`` is seconds."""

    status: int
    title: str
    retry_after: int | None = None


KINDS: Final[dict[type[e.ActorqError], Kind]] = {
    NotJson: Kind(400, "Not JSON"),
    limits.BodyTooFragmented: Kind(400, "Body too fragmented"),
    CrossOrigin: Kind(403, "Another origin"),
    e.NotFound: Kind(404, "No such job"),
    e.ScheduleNotFound: Kind(404, "No such schedule"),
    NoSuchRoute: Kind(404, "No such route"),
    MethodNotAllowed: Kind(405, "Method not allowed"),
    limits.BodyTooSlow: Kind(408, "Body too slow"),
    e.LeaseLost: Kind(409, "Lease lost"),
    e.NotLeased: Kind(409, "Not leased"),
    e.IllegalTransition: Kind(409, "Not possible in this status"),
    e.AlreadyStarted: Kind(409, "Already started"),
    e.DuplicateJob: Kind(409, "Duplicate job"),
    e.ScheduleExists: Kind(409, "Schedule exists"),
    e.StaleVersion: Kind(412, "Changed meanwhile"),
    limits.BodyTooLarge: Kind(413, "Body too large"),
    UnsupportedMediaType: Kind(415, "Unsupported media type"),
    e.InvalidInput: Kind(422, "Invalid input"),
    e.IdempotencyKeyReused: Kind(422, "Idempotency key reused"),
    e.TokenRequired: Kind(428, "Lease token required"),
    e.QueueFull: Kind(429, "Queue full", retry_after=1),
    e.InternalError: Kind(500, "Internal error"),
    e.Overloaded: Kind(503, "Overloaded", retry_after=1),
    e.BackendUnavailable: Kind(503, "Store unavailable", retry_after=1),
    e.ShuttingDown: Kind(503, "Shutting down", retry_after=1),
    limits.TooManyRequestsInFlight: Kind(503, "Too many requests", retry_after=1),
}
"""Every kind of problem that a client can meet, by the error that says so."""

_INTERNAL: Final = KINDS[e.InternalError]


def problem(error: e.ActorqError, request_id: str) -> ProblemView:
    """Return the document of ``error``."""
    kind = _kind(error)
    # What is not in the table is a bug: its words are for the log, not for the client.
    shown = error if kind is not _INTERNAL else e.InternalError("an internal error")
    return ProblemView(
        type=f"urn:actorq:problem:{shown.code}",
        title=kind.title,
        status=kind.status,
        detail=str(shown),
        code=shown.code,
        retryable=shown.retryable,
        errors=_places(shown),
        job_id=_job_id(shown),
        job_status=shown.status if isinstance(shown, e.NotLeased | e.IllegalTransition) else UNSET,
        version=shown.version if isinstance(shown, e.StaleVersion) else UNSET,
        request_id=request_id,
    )


def respond(error: e.ActorqError, request_id: str) -> Response:
    """Return the answer that tells of ``error``."""
    kind = _kind(error)
    headers: list[Header] = []
    if kind.retry_after is not None:
        headers.append((b"retry-after", b"%d" % kind.retry_after))
    if isinstance(error, MethodNotAllowed):
        headers.append((b"allow", error.allowed.encode()))
    if isinstance(error, UnsupportedMediaType):
        headers.append((b"accept", b"application/json"))
    body = msgspec.json.encode(problem(error, request_id))
    return Response(kind.status, body, *headers, media=PROBLEM_JSON)


def _kind(error: e.ActorqError) -> Kind:
    for family in type(error).__mro__:
        if family in KINDS:
            return KINDS[family]
    return _INTERNAL


def _places(error: e.ActorqError) -> list[ProblemPlace] | msgspec.UnsetType:
    if isinstance(error, UnknownFields):
        return [ProblemPlace(place, error.message) for place in error.places]
    if isinstance(error, e.InvalidInput):
        return [ProblemPlace(error.pointer, error.message)]
    return UNSET


def _job_id(error: e.ActorqError) -> str | msgspec.UnsetType:
    job_id: object = getattr(error, "job_id", None)
    return job_id if isinstance(job_id, str) and is_job_id(job_id) else UNSET
