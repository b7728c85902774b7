"""Which requests are sent again, when, and for how long: decided without a network or a clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
import pytest

from actorq import ActorqError, BackendUnavailable, InvalidInput, Overloaded, ShuttingDown
from actorq.sdk.client import BadAnswer, ClientOptions, Refused, ServerUnreachable
from actorq.sdk.client.calls import Calls
from actorq.sdk.client.exchange import Answer, Lost, Pause, Repeat, Request
from actorq.sdk.client.persistence import persist

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actorq.sdk.client.exchange import Conversation

OPTIONS: Final = ClientOptions(patience=10.0, draw=lambda: 1.0)
"""With this draw the pauses are 0.1, 0.2, 0.4 … 5 s."""

OK: Final = Answer(200, {}, b"{}", 0.0)
NOT_SENT: Final = Lost("refused", was_sent=False, took=0.0)
CUT: Final = Lost("cut", was_sent=True, took=0.0)
BAD_GATEWAY: Final = Answer(502, {"content-type": "text/html"}, b"<h1>Bad\n gateway</h1>", 0.0)

JOB_ID: Final = "019b76da-a800-764a-a568-4e1ca0a3460f"


def problem(status: int, code: str, retry_after: str = "") -> Answer:
    """Return an answer that is a problem document."""
    body = msgspec.json.encode({"code": code, "detail": "words", "status": status})
    return Answer(status, {"retry-after": retry_after}, body, 0.0)


OVERLOADED: Final = problem(503, "overloaded")
STORE_AWAY: Final = problem(503, "backend_unavailable")
QUEUE_FULL: Final = problem(429, "queue_full")


class Course:
    """How a conversation went: what was sent, the pauses, and its end."""

    def __init__(
        self, conversation: Conversation[object], outcomes: Iterator[Answer | Lost]
    ) -> None:
        self.requests: list[Request] = []
        self.pauses: list[float] = []
        self.error: ActorqError | None = None
        try:
            step = conversation.send(None)
            while True:
                if isinstance(step, Pause):
                    self.pauses.append(step.seconds)
                    step = conversation.send(None)
                else:
                    self.requests.append(step)
                    step = conversation.send(next(outcomes))
        except StopIteration as end:
            self.result: object = end.value
        except ActorqError as error:
            self.error = error

    @property
    def sent(self) -> int:
        """How many requests were sent."""
        return len(self.requests)


def course(request: Request, *outcomes: Answer | Lost, options: ClientOptions = OPTIONS) -> Course:
    """Let a request meet these outcomes, and the last of them ever after."""
    return Course(persist(request, options), _and_so_on(*outcomes))


def _and_so_on(*outcomes: Answer | Lost) -> Iterator[Answer | Lost]:
    yield from outcomes
    while True:
        yield outcomes[-1]


def asking(
    repeat: Repeat = Repeat.FREELY, *, wait: float = 0.0, within: float | None = None
) -> Request:
    """Return a request that may be repeated so."""
    return Request(method="POST", path="/x", repeat=repeat, wait=wait, within=within)


REPEATS: Final = [
    (Repeat.FREELY, NOT_SENT, True),
    (Repeat.FREELY, CUT, True),
    (Repeat.FREELY, STORE_AWAY, True),
    (Repeat.FREELY, BAD_GATEWAY, True),
    (Repeat.IF_ANSWERED, NOT_SENT, True),
    (Repeat.IF_ANSWERED, CUT, False),
    (Repeat.IF_ANSWERED, STORE_AWAY, True),
    (Repeat.IF_UNDONE, NOT_SENT, True),
    (Repeat.IF_UNDONE, CUT, False),
    (Repeat.IF_UNDONE, STORE_AWAY, False),
    (Repeat.IF_UNDONE, BAD_GATEWAY, False),
    (Repeat.IF_UNDONE, OVERLOADED, True),
    (Repeat.IF_UNDONE, QUEUE_FULL, True),
    (Repeat.IF_UNDONE, problem(503, "shutting_down"), True),
    (Repeat.IF_UNDONE, problem(408, "body_too_slow"), True),
    (Repeat.NEVER, NOT_SENT, False),
    (Repeat.NEVER, OVERLOADED, False),
    (Repeat.FREELY, problem(409, "lease_lost"), False),
    (Repeat.FREELY, problem(500, "internal_error"), False),
    (Repeat.FREELY, Answer(307, {"location": "/y"}, b"", 0.0), False),
]


@pytest.mark.parametrize(("repeat", "outcome", "again"), REPEATS)
def test_only_what_is_harmless_is_repeated(
    repeat: Repeat, outcome: Answer | Lost, again: bool
) -> None:
    """A request is sent again only where that cannot take effect twice (§6, §10)."""
    went = course(asking(repeat), outcome, OK)
    assert went.sent == (2 if again else 1)
    assert (went.error is None) == again


def test_pauses_grow_up_to_a_bound() -> None:
    """Each pause is twice the last, up to five seconds, and all together within the patience (§10)."""
    went = course(asking(), CUT)
    assert went.pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2]
    assert isinstance(went.error, ServerUnreachable)
    longer = course(asking(), CUT, options=msgspec.structs.replace(OPTIONS, patience=20.0))
    assert longer.pauses[6:] == [5.0, 5.0]


def test_pauses_are_spread() -> None:
    """Clients that were refused in one moment come back at different ones: half of a pause is chance (§9)."""
    shortest = ClientOptions(draw=lambda: 0.0)
    assert course(asking(), CUT, OK, options=shortest).pauses == [0.05]
    assert course(asking(), CUT, OK).pauses == [0.1]


@pytest.mark.parametrize(
    ("header", "date", "seconds"),
    [
        ("3", "", 3.0),
        ("Wed, 21 Oct 2026 07:28:07 GMT", "Wed, 21 Oct 2026 07:28:00 GMT", 7.0),
        ("Wed, 21 Oct 2026 07:28:00 GMT", "Wed, 21 Oct 2026 07:28:07 GMT", 0.0),
        ("Wed, 21 Oct 2026 07:28:07 GMT", "", 0.0),
        ("soon", "Wed, 21 Oct 2026 07:28:00 GMT", 0.0),
        ("-1", "", 0.0),
        ("", "", 0.0),
    ],
)
def test_a_server_says_when_to_come_again(header: str, date: str, seconds: float) -> None:
    """Retry-After is kept, as seconds or as a date of the server's own clock, and a share is added (§9)."""
    refusal = msgspec.structs.replace(OVERLOADED, headers={"retry-after": header, "date": date})
    assert course(asking(), refusal, OK).pauses == [pytest.approx(seconds + 0.1)]


def test_who_is_asked_to_come_too_late_gives_up_at_once() -> None:
    """A wait that is longer than the patience is not begun (§9)."""
    for header in ("60", "9" * 500):
        went = course(asking(), problem(503, "overloaded", header), OK)
        assert (went.sent, went.pauses) == (1, [])
        assert isinstance(went.error, Overloaded)


def test_time_spent_on_answers_counts_and_asked_for_waits_do_not() -> None:
    """Patience is for trouble: a long poll that ends in trouble has not used it up (§9)."""
    slow = msgspec.structs.replace(CUT, took=6.0)
    assert course(asking(), slow).sent == 2
    assert course(asking(wait=6.0), slow, slow, slow, OK).error is None
    assert course(asking(), CUT, options=ClientOptions(patience=0.0)).sent == 1


def test_what_must_be_answered_soon_is_not_waited_for_longer() -> None:
    """The time that is left for an answer shrinks with each repeat, and ends the repeats (§4)."""
    slow = msgspec.structs.replace(CUT, took=1.0)
    went = course(asking(within=3.0), slow)
    assert [request.within for request in went.requests] == pytest.approx([3.0, 1.9, 0.7])


def test_the_last_thing_that_went_wrong_is_raised() -> None:
    """Whatever ends the repeats is told as the error that it is (§9)."""
    assert isinstance(course(asking(), CUT, STORE_AWAY).error, BackendUnavailable)
    assert isinstance(course(asking(), problem(503, "shutting_down")).error, ShuttingDown)
    gateway = course(asking(), BAD_GATEWAY).error
    assert isinstance(gateway, BackendUnavailable)
    assert "status 502, text/html, '<h1>Bad gateway</h1>'" in str(gateway)
    assert isinstance(course(asking(), Answer(429, {}, b"", 0.0)).error, Overloaded)
    moved = course(asking(), Answer(301, {"location": "http://elsewhere/"}, b"", 0.0)).error
    assert isinstance(moved, BadAnswer)
    assert "http://elsewhere/" in str(moved)
    denied = course(asking(), Answer(401, {}, b"who are you?", 0.0)).error
    assert isinstance(denied, Refused)
    assert (denied.status, denied.problem) == (401, "")
    assert isinstance(course(asking(), Answer(206, {}, b"", 0.0)).error, BadAnswer)


def test_a_claim_is_not_repeated_blindly() -> None:
    """A claim whose answer was lost may have taken jobs: it is not sent again, its caller is told (§4)."""
    went = Course(Calls(OPTIONS).dequeue_many("q", 5), _and_so_on(CUT))
    assert went.sent == 1
    assert isinstance(went.error, ServerUnreachable)
    assert went.error.was_sent


@pytest.mark.parametrize(("token", "times"), [("t", 2), (None, 1)])
def test_a_settlement_is_repeated_by_its_token(token: str | None, times: int) -> None:
    """A token makes a repeat known as one; without one it might settle another's lease (§4)."""
    calls = Calls(OPTIONS)
    for conversation in (
        calls.ack(JOB_ID, token),
        calls.fail(JOB_ID, token),
        calls.release(JOB_ID, token),
        calls.extend(JOB_ID, token),
        calls.report(JOB_ID, 1, token),
    ):
        went = Course(conversation, iter([CUT, problem(409, "lease_lost")]))
        assert went.sent == times


def test_an_enqueue_is_repeated_under_its_key() -> None:
    """Every repeat of an enqueue is the same request to the last byte, its key included (§6)."""
    went = Course(Calls(OPTIONS).enqueue("q", "x"), _and_so_on(CUT))
    assert went.sent == 7
    assert len({(request.body, request.headers) for request in went.requests}) == 1
    assert dict(went.requests[0].headers)["idempotency-key"].strip('"')
    invalid = Course(Calls(OPTIONS).enqueue("no queue", "x"), _and_so_on(CUT))
    assert invalid.sent == 0
    assert isinstance(invalid.error, InvalidInput)


def test_a_server_that_goes_away_is_not_asked_again_at_once() -> None:
    """An answer long before the end of a wait means that it drains: a pause, and then the rest (§9)."""
    early = Answer(204, {"actorq-draining": "true"}, b"", 0.5)
    went = Course(Calls(OPTIONS).dequeue_many("q", 1, wait=4.0), _and_so_on(early))
    assert went.pauses == [1.0, 1.0]
    assert [request.wait for request in went.requests] == [4.0, 2.5, 1.0]


def test_a_long_wait_is_several_polls() -> None:
    """A server waits for 20 s at most: a longer wait is made of such (§9)."""
    full = Answer(204, {}, b"", 20.0)
    went = Course(Calls(OPTIONS).dequeue_many("q", 1, wait=50.0), _and_so_on(full))
    assert [request.wait for request in went.requests] == [20.0, 20.0, 10.0]
    same = Answer(304, {}, b"", 20.0)
    watch = Course(Calls(OPTIONS).wait_for_change(JOB_ID, 1, 30.0), _and_so_on(same))
    assert [request.wait for request in watch.requests] == [20.0, 10.0]
