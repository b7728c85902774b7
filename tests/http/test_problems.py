"""Problem documents: one shape for every error, and nothing of the inside in it."""

from __future__ import annotations

import json
import logging
import re
import threading
from typing import TYPE_CHECKING

import anyio
import pytest

from actorq import errors
from actorq.core.wire.decoding import NotJson
from actorq.errors import ActorqError, InternalError
from actorq.http import AppOptions, limits, problems
from tests.http.door import open_door

if TYPE_CHECKING:
    from collections.abc import Iterator

TABLE = [
    (NotJson, 400),
    (limits.BodyTooFragmented, 400),
    (errors.NotFound, 404),
    (limits.BodyTooSlow, 408),
    (errors.LeaseLost, 409),
    (errors.NotLeased, 409),
    (errors.IllegalTransition, 409),
    (errors.AlreadyStarted, 409),
    (errors.DuplicateJob, 409),
    (errors.StaleVersion, 412),
    (limits.BodyTooLarge, 413),
    (errors.InvalidInput, 422),
    (errors.IdempotencyKeyReused, 422),
    (errors.TokenRequired, 428),
    (errors.QueueFull, 429),
    (errors.InternalError, 500),
    (errors.Overloaded, 503),
    (errors.BackendUnavailable, 503),
    (errors.ShuttingDown, 503),
    (limits.TooManyRequestsInFlight, 503),
]


def family(kind: type[ActorqError]) -> Iterator[type[ActorqError]]:
    """Walk over all errors that there are."""
    for child in kind.__subclasses__():
        yield child
        yield from family(child)


@pytest.mark.parametrize(("kind", "status"), TABLE)
def test_every_error_has_its_status(kind: type[ActorqError], status: int) -> None:
    """The statuses are those of the contract (§9)."""
    assert problems.KINDS[kind].status == status


def test_no_error_of_the_face_is_forgotten() -> None:
    """Every error that a caller can meet is in the table; what is not becomes a 500 (§9)."""
    inside = {errors.ConfigurationError, limits.ClientGone}
    served = re.compile(r"actorq\.(?!sdk\.)")
    known = {kind for kind in family(ActorqError) if served.match(kind.__module__)}
    missing = [
        kind for kind in known - inside if not any(base in problems.KINDS for base in kind.__mro__)
    ]
    assert missing == []


def test_codes_are_words_of_their_own() -> None:
    """No two kinds of problem share a code: a program compares it (§9)."""
    codes = [kind.code for kind in problems.KINDS]
    assert len(set(codes)) == len(codes)


async def test_a_crash_is_answered_and_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """A bug: 500 with the request id and nothing of the inside; one line of the log has the id (§9)."""
    async with open_door() as door:
        door.trouble.poison = "poison"
        with caplog.at_level(logging.INFO):
            answer = await door.call(
                "POST", "/jobs", {"queue": "q", "payload": "poison"}, headers={"X-Request-Id": "r1"}
            )
        problem = answer.problem(500, "internal_error")
        assert (problem.request_id, problem.retryable) == ("r1", False)
        assert b"will not take" not in answer.body
        # The traceback was told to whoever is told of crashes; the log's line leads to it.
        assert door.crashes == ["EnqueueJobs"]
        lines = [one for one in caplog.records if getattr(one, "request_id", None) == "r1"]
        assert [(one.levelname, one.exc_info) for one in lines] == [("ERROR", None)]


async def test_a_bug_in_the_door_is_answered_and_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An unexpected error in the HTTP layer itself: 500, and its traceback once in the log (§9)."""
    async with open_door() as door:
        exchange = door.exchange("POST", "/jobs", {"queue": "q", "payload": "x"})
        # A server that gives a query which is no text is broken, and so is what follows.
        exchange.scope["query_string"] = 5
        exchange.scope["method"] = "GET"
        with caplog.at_level(logging.INFO):
            await exchange.run(door.app)
        answer = exchange.answer()
        answer.problem(500, "internal_error")
        assert b"NoneType" not in answer.body
        errors_logged = [one for one in caplog.records if one.levelno >= logging.ERROR]
        assert len(errors_logged) == 1
        assert errors_logged[0].exc_info is not None


async def test_a_store_that_is_away_is_503() -> None:
    """The store does not answer: 503 with Retry-After on every route that needs it (§9, C14)."""
    async with open_door() as door:
        job = await door.held()
        door.trouble.away = True
        calls: list[tuple[str, str, object]] = [
            ("POST", "/jobs", {"queue": "q", "payload": "x"}),
            ("GET", f"/jobs/{job.id}", None),
            ("GET", "/jobs", None),
            ("GET", "/queues", None),
            ("GET", "/queues/work", None),
            ("GET", "/queues/work/length", None),
            ("GET", "/queues/work/settings", None),
            ("GET", "/readyz", None),
            ("POST", "/queues/work/dequeue", {"wait": 20}),
            ("POST", f"/jobs/{job.id}/ack", {"lease": job.token}),
            ("POST", f"/jobs/{job.id}/extend", None),
            ("POST", f"/jobs/{job.id}/cancel", None),
            ("PATCH", f"/jobs/{job.id}", {"priority": 1}),
            ("DELETE", f"/jobs/{job.id}", None),
            ("POST", "/queues/work/purge", None),
            ("POST", "/queues/work/pause", None),
            ("POST", "/workers/w/heartbeat", {"leases": [{"id": job.id, "lease": job.token}]}),
        ]
        for method, target, body in calls:
            answer = await door.call(method, target, body)
            assert answer.problem(503, "backend_unavailable").retryable, target
            assert answer.headers["retry-after"] == "1"
        door.trouble.away = False
        assert (await door.call("GET", "/readyz")).status == 200


async def test_a_stopped_system_is_503() -> None:
    """After the end of the system behind it the door answers 503, not a crash (§9)."""
    async with open_door() as door:
        pass
    answer = await door.call("POST", "/jobs", {"queue": "q", "payload": "x"})
    assert answer.problem(503, "shutting_down").retryable


async def test_requests_in_flight_are_bounded() -> None:
    """Beyond ``max_requests``: 503 with Retry-After at once; a place is given free again (§9)."""
    async with open_door(AppOptions(max_requests=1)) as door, anyio.create_task_group() as tasks:
        waiting = door.exchange("POST", "/queues/work/dequeue", {"wait": 20})
        tasks.start_soon(waiting.run, door.app)
        await anyio.wait_all_tasks_blocked()
        refused = await door.call("GET", "/healthz")
        assert refused.problem(503, "too_many_requests_in_flight").retryable
        assert refused.headers["retry-after"] == "1"
        waiting.hang_up()
        await anyio.wait_all_tasks_blocked()
        assert (await door.call("GET", "/healthz")).status == 200


def test_the_document_is_complete() -> None:
    """type, title, status, detail, code, retryable, request_id; errors where a place is known (§9)."""
    error = errors.InvalidInput("/priority", "must be an integer")
    body = json.loads(problems.respond(error, "r1").body)
    assert body == {
        "type": "urn:actorq:problem:invalid_input",
        "title": "Invalid input",
        "status": 422,
        "detail": "/priority: must be an integer",
        "code": "invalid_input",
        "retryable": False,
        "errors": [{"pointer": "/priority", "message": "must be an integer"}],
        "request_id": "r1",
    }


def test_what_is_not_in_the_table_is_not_told() -> None:
    """An error that no client should ever see is a plain 500, its words for the log only (§9)."""
    response = problems.respond(errors.ConfigurationError("password=hunter2"), "r1")
    assert response.status == 500
    assert b"hunter2" not in response.body
    shown = json.loads(problems.respond(InternalError("secret"), "r1").body)
    assert "secret" not in shown["detail"]


async def test_a_slow_store_does_not_hold_a_request_for_ever() -> None:
    """A store that takes longer than its patience: 503 that says that the outcome is unknown (§9)."""
    frozen = threading.Event()
    async with open_door(patience=0.05, threads=True) as door:
        door.trouble.before = lambda verb: _hold(frozen) if verb == "enqueue" else None
        try:
            answer = await door.call("POST", "/jobs", {"queue": "q", "payload": "x"})
        finally:
            frozen.set()
        problem = answer.problem(503, "backend_unavailable")
        assert "unknown" in problem.detail
        assert problem.retryable


def _hold(frozen: threading.Event) -> None:
    """Stand still in a lane's thread until the test is over."""
    assert frozen.wait(10)
