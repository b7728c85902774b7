"""Persistence: which requests are sent again, when, and for how long."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from actorq.sdk.client.errors import ServerUnreachable
from actorq.sdk.client.exchange import Answer, Conversation, Pause, Repeat, Request, send
from actorq.sdk.client.problems import error_of, read_problem

if TYPE_CHECKING:
    from actorq.errors import ActorqError
    from actorq.sdk.client.exchange import Lost
    from actorq.sdk.client.options import ClientOptions

FIRST_PAUSE_S: Final = 0.1
LONGEST_PAUSE_S: Final = 5.0

_PASSING: Final = frozenset({408, 429, 502, 503, 504})
"""Statuses after which the same request may succeed; 502 and 504 are those of proxies."""

_UNDONE: Final = frozenset({408, 429})
"""Statuses that say by themselves that nothing was done."""

_UNDONE_CODES: Final = frozenset({"overloaded", "shutting_down", "too_many_requests_in_flight"})
"""Codes of a 503 that say so."""


def persist(request: Request, options: ClientOptions) -> Conversation[Answer]:
    """Send a request until it succeeds or is refused for good, or patience is at its end.

    Raises what the server refused, ``ServerUnreachable``, or ``BadAnswer``. The time that the server was
    asked to wait is not counted.
    """
    patience = options.patience if request.within is None else request.within
    spent = 0.0
    repeats = 0
    while True:
        left = None if request.within is None else request.within - spent
        outcome = yield from send(replace(request, within=left))
        if isinstance(outcome, Answer) and outcome.status in request.expect:
            return outcome
        spent += max(0.0, outcome.took - request.wait)
        pause = _pause(outcome, repeats, options)
        if not _may_repeat(request, outcome) or spent + pause > patience:
            raise _error(request, outcome)
        yield Pause(pause)
        spent += pause
        repeats += 1


def _may_repeat(request: Request, outcome: Answer | Lost) -> bool:
    if request.repeat is Repeat.NEVER:
        return False
    if isinstance(outcome, Answer):
        if outcome.status not in _PASSING:
            return False
        return request.repeat is not Repeat.IF_UNDONE or _is_undone(outcome)
    return request.repeat is Repeat.FREELY or not outcome.was_sent


def _is_undone(answer: Answer) -> bool:
    return answer.status in _UNDONE or read_problem(answer.body).code in _UNDONE_CODES


def _error(request: Request, outcome: Answer | Lost) -> ActorqError:
    if isinstance(outcome, Answer):
        return error_of(outcome, request)
    return ServerUnreachable(outcome.why, was_sent=outcome.was_sent)


def _pause(outcome: Answer | Lost, repeats: int, options: ClientOptions) -> float:
    """Return how long to wait before the next try: what the server asks for, and a growing share of chance.

    The share spreads clients that were all refused in one moment, so that they do not come back in one.
    """
    longest = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(repeats, 10))
    asked = _retry_after(outcome) if isinstance(outcome, Answer) else 0.0
    return asked + longest * (0.5 + options.draw() / 2.0)


def _retry_after(answer: Answer) -> float:
    """Return the seconds of the header ``Retry-After``; 0 for one that cannot be understood."""
    text = answer.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        # Both by the server's clock: the one of this machine may be anything.
        then, now = (parsedate_to_datetime(one) for one in (text, answer.headers.get("date", "")))
        return max(0.0, (then - now).total_seconds())
    except (ValueError, TypeError):
        return 0.0
