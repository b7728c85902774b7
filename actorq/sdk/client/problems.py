"""Problem documents, and answers that are none, as exceptions of actorq's one family."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

import msgspec
from msgspec.structs import replace

from actorq import errors as e
from actorq.sdk.client.errors import BadAnswer, Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actorq.sdk.client.exchange import Answer, Request, Subject

E = TypeVar("E", bound=e.ActorqError)

_SHOWN: Final = 200
"""How many characters of an answer that cannot be understood are shown."""

_UNAVAILABLE: Final = frozenset({502, 503, 504})
"""What proxies answer for a server that they cannot reach."""

_REDIRECTS: Final = 300
_REFUSALS: Final = 400
_TOO_MANY: Final = 429
_JOB: Final = ("job_id",)

_KINDS: Final[dict[str, tuple[type[e.ActorqError], tuple[str, ...]]]] = {
    "not_found": (e.NotFound, _JOB),
    "lease_lost": (e.LeaseLost, _JOB),
    "not_leased": (e.NotLeased, ("job_id", "status")),
    "token_required": (e.TokenRequired, ()),
    "illegal_transition": (e.IllegalTransition, ("job_id", "status")),
    "already_started": (e.AlreadyStarted, _JOB),
    "duplicate_job": (e.DuplicateJob, _JOB),
    "idempotency_key_reused": (e.IdempotencyKeyReused, ()),
    "stale_version": (e.StaleVersion, ("job_id", "version")),
    "schedule_not_found": (e.ScheduleNotFound, ("name",)),
    "schedule_exists": (e.ScheduleExists, ("name",)),
    "queue_full": (e.QueueFull, ("queue_name",)),
    "overloaded": (e.Overloaded, ()),
    "too_many_requests_in_flight": (e.Overloaded, ()),
    "backend_unavailable": (e.BackendUnavailable, ()),
    "shutting_down": (e.ShuttingDown, ()),
    "internal_error": (e.InternalError, ()),
}
"""The class that each code stands for, and what it tells beside its words."""

_STALE_SCHEDULE: Final = (e.StaleSchedule, ("job_id", "name", "version"))
"""The same code as a job's, of a request about a schedule."""

_WHOLE: Final = frozenset({"invalid_input", "body_too_large", "not_json"})
"""Codes that speak of the request as a whole, if they name no place in it."""


class _Place(msgspec.Struct, frozen=True):
    pointer: str = ""
    message: str = ""


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """A problem document, as far as a client needs it; each member may be missing."""

    code: str = ""
    title: str = ""
    detail: str = ""
    status: int = 0
    errors: tuple[_Place, ...] = ()
    job_id: str = ""
    job_status: str = ""
    version: int = 0
    request_id: str = ""

    def error(self, about: Subject) -> e.ActorqError:
        """Return the exception that says the same of ``about``, in the server's words."""
        error = self._error(about)
        if self.request_id:
            error.add_note(f"request {self.request_id} in the server's log")
        return error

    def _error(self, about: Subject) -> e.ActorqError:
        words = self.detail or self.title or f"refused with status {self.status}"
        if self.errors:
            return self._invalid()
        if self.code in _WHOLE:
            return e.InvalidInput("", words)
        if self.code not in _KINDS:
            return Refused(words, status=self.status, problem=self.code)
        kind, told = _KINDS[self.code]
        if about.schedule and kind is e.StaleVersion:
            kind, told = _STALE_SCHEDULE
        known: dict[str, object] = {
            "job_id": self.job_id or about.job_id or about.schedule,
            "name": about.schedule,
            "status": self.job_status,
            "version": self.version,
            "queue_name": about.queue_name,
        }
        return _in_other_words(kind, words, {name: known[name] for name in told})

    def _invalid(self) -> e.InvalidInput:
        first, *others = self.errors
        error = e.InvalidInput(first.pointer, first.message)
        for place in others:
            error.add_note(f"{place.pointer}: {place.message}")
        return error


_NOTHING_SAID: Final = Problem()
_decoder: Final = msgspec.json.Decoder(Problem)


def read_problem(body: bytes) -> Problem:
    """Return the problem document in ``body``; an empty one where there is none."""
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _NOTHING_SAID


def error_of(answer: Answer, request: Request) -> e.ActorqError:
    """Return the exception that an answer other than a success means."""
    problem = read_problem(answer.body)
    if problem.code:
        # What the document says of the status is but a copy.
        return replace(problem, status=answer.status).error(request.about)
    if answer.status in _UNAVAILABLE:
        return e.BackendUnavailable(f"the server cannot be reached: {_words(answer)}")
    if answer.status == _TOO_MANY:
        return e.Overloaded(f"too many requests: {_words(answer)}")
    if _REDIRECTS <= answer.status < _REFUSALS:
        place = answer.headers.get("location", "nowhere")
        return BadAnswer(
            f"redirected to {place!a:.200}: redirects are not followed, give the client the right address"
        )
    if answer.status >= _REFUSALS:
        return Refused(f"refused: {_words(answer)}", status=answer.status, problem="")
    return BadAnswer(f"not an answer to this request: {_words(answer)}")


def _words(answer: Answer) -> str:
    """Show the beginning of an answer that is not understood, on one line."""
    text = " ".join(answer.body[: 4 * _SHOWN].decode(errors="replace").split())[:_SHOWN]
    media = answer.headers.get("content-type", "no content type")
    return f"status {answer.status}, {media}, {text!r}" if text else f"status {answer.status}"


def not_understood(answer: Answer, why: Exception) -> BadAnswer:
    """Return the error for an answer that should have been a success, and cannot be read."""
    return BadAnswer(f"the answer cannot be read ({why}): {_words(answer)}")


def _in_other_words(kind: type[E], words: str, known: Mapping[str, object]) -> E:
    """Make an error whose words are the server's; its own would be made of what was not told here."""
    error = kind.__new__(kind, words)
    for name, value in known.items():
        setattr(error, name, value)
    return error
