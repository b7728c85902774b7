"""Every problem document that a server can send, as the exception that a client raises."""

from __future__ import annotations

from typing import Final

import pytest

from actorq import errors as e
from actorq.core.wire.decoding import NotJson, UnknownFields
from actorq.http import limits, problems
from actorq.sdk.client import Refused
from actorq.sdk.client.exchange import Answer, Request, Subject
from actorq.sdk.client.problems import error_of
from tests.http.door import NOBODY

SAME: Final = [
    e.NotFound(NOBODY),
    e.LeaseLost(NOBODY),
    e.NotLeased(NOBODY, "dead"),
    e.TokenRequired(),
    e.IllegalTransition(NOBODY, "running", "edit"),
    e.AlreadyStarted(NOBODY),
    e.DuplicateJob(NOBODY, "key"),
    e.IdempotencyKeyReused(),
    e.StaleVersion(NOBODY, 7),
    e.ScheduleNotFound("nightly"),
    e.ScheduleExists("nightly"),
    e.StaleSchedule("nightly", 3),
    e.QueueFull("work", 3),
    e.Overloaded("too much"),
    e.BackendUnavailable("away"),
    e.ShuttingDown("going"),
    e.InternalError("an internal error"),
    e.InvalidInput("/priority", "is odd"),
]
"""One of each class that the client knows: it makes the same of its document."""

OTHERS: Final = [
    (NotJson("no"), e.InvalidInput),
    (limits.BodyTooLarge(5), e.InvalidInput),
    (limits.TooManyRequestsInFlight(5), e.Overloaded),
    (limits.BodyTooSlow(1, 2.0), Refused),
    (limits.BodyTooFragmented(9, 1), Refused),
]


def heard(error: e.ActorqError) -> e.ActorqError:
    """Return what a client raises when a server refuses a request with this error."""
    response = problems.respond(error, "id-1")
    headers = {name.decode(): value.decode() for name, value in response.headers}
    answer = Answer(response.status, headers, response.body, 0.0)
    is_of_schedule = isinstance(error, e.StaleSchedule)
    about = Subject(schedule="nightly") if is_of_schedule else Subject(NOBODY, "work", "")
    if isinstance(error, e.ScheduleNotFound | e.ScheduleExists):
        about = Subject(schedule="nightly")
    return error_of(answer, Request(method="GET", path="/", about=about))


@pytest.mark.parametrize("error", SAME, ids=lambda error: type(error).__name__)
def test_an_error_comes_through_as_it_is(error: e.ActorqError) -> None:
    """Class, words and attributes are those of the error that the server had (§9)."""
    same = heard(error)
    assert type(same) is type(error)
    assert str(same) == str(error)
    assert vars(same) == {**vars(error), "__notes__": ["request id-1 in the server's log"]}


@pytest.mark.parametrize(("error", "kind"), OTHERS, ids=lambda one: getattr(one, "code", ""))
def test_errors_of_the_door_have_a_class_too(error: e.ActorqError, kind: type) -> None:
    """What only HTTP can refuse is raised in the server's words (§9)."""
    other = heard(error)
    assert type(other) is kind
    assert str(error) in str(other)


def test_no_error_of_the_server_is_forgotten() -> None:
    """Each kind of problem that a server has is known, or is ``Refused`` by intention (§9)."""
    known = {type(error) for error in SAME} | {type(error) for error, _ in OTHERS}
    by_http = {kind for kind in problems.KINDS if kind.__module__.startswith("actorq.http")}
    assert set(problems.KINDS) - known <= by_http


def test_several_wrong_places_are_all_told() -> None:
    """The first is the error's own, and the others are notes (§9)."""
    error = heard(UnknownFields("", ["a", "b"]))
    assert isinstance(error, e.InvalidInput)
    assert (error.pointer, error.message) == ("/a", "is not a field that is known here")
    assert error.__notes__[0] == "/b: is not a field that is known here"


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b"{", b'{"code": 7}', b"\xff", b"[" * 100_000, b'{"code":"new_word"}'],
)
def test_a_refusal_that_is_not_understood_is_still_one(body: bytes) -> None:
    """An unknown code, or no document at all, is ``Refused``, with the status and what was said (§9)."""
    error = error_of(Answer(418, {}, body, 0.0), Request(method="GET", path="/"))
    assert isinstance(error, Refused)
    assert error.problem in {"", "new_word"}
    assert "418" in str(error)


def test_the_status_of_an_unknown_problem_is_kept() -> None:
    """A program can compare the status and the word of a refusal that has no class here (§9)."""
    body = b'{"code":"too_dear","detail":"pay first","status":402}'
    error = error_of(Answer(402, {}, body, 0.0), Request(method="GET", path="/"))
    assert isinstance(error, Refused)
    assert (str(error), error.status, error.problem) == ("pay first", 402, "too_dear")
