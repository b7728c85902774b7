"""How handlers end, in words that are short and safe, and what the queue is told."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from actorq import Ack, Delivery, Fail, InvalidInput, Reject, Release, Retry, Snooze, Zlib
from actorq.core.bounds import MAX_ERROR_BYTES
from actorq.core.retry import Failure
from actorq.sdk.codec import Codecs
from actorq.sdk.worker.endings import Ending, Failed, Returned, Snoozed, raised, returned, settling
from actorq.sdk.worker.failures import describe
from tests.sdk.holds import held

if TYPE_CHECKING:
    from actorq.sdk.door import Settling


class Mute(Exception):
    """An error that cannot say what it is."""

    def __str__(self) -> str:
        raise RuntimeError("no")


class Odd(Exception):
    """An error whose text is no text."""

    def __str__(self) -> str:
        return 5  # type: ignore[return-value]  # noqa: PLE0307 - what is tested


def thrown(error: BaseException) -> BaseException:
    """Return an error that was raised."""
    try:
        raise error  # noqa: TRY301 - to have been raised is what is wanted
    except BaseException as caught:  # noqa: BLE001 - any kind
        return caught


def test_an_error_is_its_name_its_message_and_its_place() -> None:
    """And where it was raised, the innermost place first."""
    first, second, *_ = describe(thrown(ValueError("bad address"))).splitlines()
    assert first == "ValueError: bad address"
    assert second.startswith("  at ")
    assert second.endswith(" in thrown")


def test_causes_and_parts_are_told() -> None:
    """The error behind an error, and those inside of a group, up to a few."""
    error = ValueError("v")
    error.__cause__ = KeyError("k")
    assert describe(error) == "ValueError: v\nbecause of KeyError: 'k'"
    group = ExceptionGroup("many", [ValueError(str(number)) for number in range(8)])
    text = describe(group)
    assert "- ValueError: 0\n" in text
    assert "- and 3 more" in text


@pytest.mark.parametrize("error", [Mute(), Odd(), Mute(Mute()), ExceptionGroup("g", [Mute()])])
def test_an_error_whose_text_cannot_be_had_is_recorded_all_the_same(error: Exception) -> None:
    """Whatever its ``__str__`` raises or returns (not fatal to the worker)."""
    text = describe(thrown(error))
    assert "its text cannot be had" in text


@pytest.mark.parametrize(
    "error",
    [
        ValueError("x" * 20_000_000),
        ExceptionGroup("g", [ValueError("x" * 100_000) for _ in range(50)]),
        SystemExit(3),
        ValueError("\ud800\0"),
    ],
)
def test_an_error_of_any_size_is_cut(error: BaseException) -> None:
    """What is recorded fits, twenty megabytes or not (contract §1)."""
    ending = raised(thrown(error))
    assert isinstance(ending, Failed)
    assert len(ending.reason) < 4 * MAX_ERROR_BYTES


def told(
    ending: Ending,
    codecs: Codecs | None = None,
    delivery: Delivery = Delivery.AT_LEAST_ONCE,
) -> Settling:
    """Return what the queue is told of an ending."""
    hold = held(delivery=delivery)
    hold.start()
    return settling(hold, ending, codecs or Codecs())


def test_values_are_acknowledged_with_what_they_are() -> None:
    """None is no result; any other value is JSON, through the codec."""
    hold = held()
    assert told(returned(None)) == Ack(hold.job.id, hold.token)
    assert told(returned([1, "a"])) == Ack(hold.job.id, hold.token, '[1,"a"]')
    sealed = told(returned("secret"), Codecs([Zlib()]))
    assert isinstance(sealed, Ack)
    assert json.loads(sealed.result or "")["actorq-codec"] == "zlib"


@pytest.mark.parametrize("value", [object(), float("nan"), {1: object()}])
def test_a_value_that_is_no_json_is_not_tried_again(value: object) -> None:
    """The work was done, and its result would be refused the next time too."""
    ending = returned(value)
    assert isinstance(ending, Failed)
    assert not ending.retryable
    assert ending.reason.startswith("the result cannot be JSON")


def test_verdicts_are_settled_as_they_say() -> None:
    """Retry, with its own delay or the backoff's; Reject; Snooze, which hands back the attempt."""
    cases: list[tuple[Exception, Failure]] = [
        (Retry(after="5m"), Failure("Retry: the handler asked for a retry", retry_in=300.0)),
        (Retry("busy"), Failure("Retry: busy")),
        (Reject("no such user"), Failure("Reject: no such user", retryable=False)),
    ]
    for error, failure in cases:
        item = told(raised(error))
        assert isinstance(item, Fail)
        assert item.failure == failure
    assert raised(Snooze(after=7)) == Snoozed(7.0)
    item = told(Snoozed(7.0))
    assert isinstance(item, Release)
    assert item.delay == 7.0


def test_a_verdict_counts_from_inside_of_a_task_group() -> None:
    """Task groups wrap what leaves them; of several errors, none speaks for all."""
    group = ExceptionGroup("g", [ExceptionGroup("g", [Reject("no")])])
    assert raised(group) == Failed("Reject: no", retryable=False)
    both = raised(ExceptionGroup("g", [Reject("no"), ValueError("x")]))
    assert isinstance(both, Failed)
    assert both.retryable


def test_an_at_most_once_job_that_was_started_is_never_handed_back() -> None:
    """A release would say that it was not (I4)."""
    item = told(Snoozed(7.0), delivery=Delivery.AT_MOST_ONCE)
    assert isinstance(item, Fail)
    assert not item.failure.retryable


def test_a_snooze_says_one_of_two_things() -> None:
    """How long, or until when; a moment that has passed means at once."""
    soon = Snooze(until=datetime.now(UTC) + timedelta(hours=1))
    assert 3_590 < soon.delay <= 3_600
    assert Snooze(until=datetime(2020, 1, 1, tzinfo=UTC)).delay == 0.0
    for wrong in ({}, {"after": 1, "until": datetime.now(UTC)}):
        with pytest.raises(ValueError, match="either"):
            Snooze(**wrong)  # type: ignore[arg-type]  # what is refused
    with pytest.raises(InvalidInput):
        Retry(after="soon")
    assert Returned() == returned(None)
