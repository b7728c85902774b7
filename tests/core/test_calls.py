"""The checks of what is asked of jobs that exist: nothing reaches a store that it cannot take."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from actorq.core import calls, lifecycle
from actorq.core.commands import Ack, Extend, Fail, ListJobs, Release, Report
from actorq.core.job import create
from actorq.core.policy import Policy
from actorq.core.results import Claimed
from actorq.core.retry import Failure
from actorq.core.transitions import Status
from actorq.errors import InvalidInput
from actorq.testing.clock import START_US
from tests.core.records import ID, new

if TYPE_CHECKING:
    from collections.abc import Callable

POLICY = Policy(max_payload_bytes=10)

CHECKS: dict[str, Callable[[str, Any], object]] = {
    "ack": lambda job_id, token: calls.acks([Ack(job_id, token)], POLICY),
    "fail": lambda job_id, token: calls.fails([Fail(job_id, token)]),
    "release": lambda job_id, token: calls.releases([Release(job_id, token)]),
    "extend": lambda job_id, token: calls.extends([Extend(job_id, token)]),
    "report": lambda job_id, token: calls.reports([Report(job_id, token, "1")]),
}


def pointer_of(call: Callable[[], object]) -> str:
    """Return the place that ``call`` is refused at."""
    with pytest.raises(InvalidInput) as caught:
        call()
    return caught.value.pointer


@pytest.mark.parametrize("name", CHECKS)
def test_ids_and_tokens_are_text_that_can_be_looked_up(name: str) -> None:
    """Any text may name a job or a lease, if only in vain; what is no text is refused (I15)."""
    check = CHECKS[name]
    assert check("no such job é", "no such token")
    assert check(ID, None)
    no_ids: list[Any] = ["\ud800", None, 5, b"x"]
    for wrong in no_ids:
        assert pointer_of(partial(check, wrong, "t")) == "/id"
    no_tokens: list[Any] = ["\udfff", 5, b"x"]
    for wrong in no_tokens:
        assert pointer_of(partial(check, ID, wrong)) == "/lease"


def test_ids_to_look_up() -> None:
    """Look-ups by id take any text, and nothing else (I15)."""
    assert calls.names(["a", "é"]) == ("a", "é")
    assert pointer_of(lambda: calls.names(["a", "\ud800"])) == "/id"


@pytest.mark.parametrize("text", ["1", "null", '"12345678"', "[1,2]", " {} "])
def test_results_are_json_text(text: str) -> None:
    """A result in bulk is JSON already, at most as large as a payload (§1)."""
    assert calls.acks([Ack(ID, "t", text)], POLICY) == (Ack(ID, "t", text),)


@pytest.mark.parametrize("text", ["", "x", "{", "1 2", "NaN", '"123456789"', "\ud800", b"1", 1])
def test_what_is_no_json_text_is_no_result(text: Any) -> None:  # noqa: ANN401 - also of wrong types
    """It would come out of the HTTP door as a broken document (§9)."""
    assert pointer_of(lambda: calls.acks([Ack(ID, "t", text)], POLICY)) == "/result"


def test_progress_is_json_text_of_64_kib() -> None:
    """The limit itself is allowed (§1)."""
    largest = '"' + "x" * (65_536 - 2) + '"'
    assert calls.reports([Report(ID, "t", largest)])[0].progress == largest
    assert pointer_of(lambda: calls.reports([Report(ID, "t", f" {largest}")])) == "/progress"
    assert pointer_of(lambda: calls.reports([Report(ID, "t", "[" * 99_999)])) == "/progress"


@pytest.mark.parametrize("delay", [-1.0, math.nan, math.inf, "1"])
def test_a_hand_back_is_delayed_by_seconds(delay: Any) -> None:  # noqa: ANN401 - also of wrong types
    """A delay has the bounds of any other (§2)."""
    assert calls.releases([Release(ID, "t", 5)])[0].delay == 5.0
    assert pointer_of(lambda: calls.releases([Release(ID, "t", delay)])) == "/delay"


@pytest.mark.parametrize("seconds", [0.9, 43_201.0, math.nan, "30"])
def test_a_renewal_asks_for_1_s_to_12_h(seconds: Any) -> None:  # noqa: ANN401 - also of wrong types
    """A renewal has the bounds of a claim (§4)."""
    assert calls.extends([Extend(ID, "t", 43_200.0)])
    assert pointer_of(lambda: calls.extends([Extend(ID, "t", seconds)])) == "/visibility_timeout"


def test_failures_in_bulk_are_checked_like_one() -> None:
    """The same bounds, item by item (§2)."""
    good = Fail(ID, "t", Failure("x", retryable=False, retry_in=5))
    assert calls.fails([good]) == (good,)
    bad = Fail(ID, "t", Failure("x", retry_in=-1.0))
    assert pointer_of(lambda: calls.fails([good, bad])) == "/retry_in"


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"limit": 0}, "/limit"),
        ({"limit": 201}, "/limit"),
        ({"queue_name": ".."}, "/queue_name"),
        ({"created_from": -1}, "/created_from"),
        ({"created_to": 1.5}, "/created_to"),
        ({"before": "\ud800"}, "/before"),
        ({"error": "\ud800"}, "/error"),
        ({"metadata": {"a": "\0"}}, "/metadata"),
        ({"statuses": ["gone"]}, "/status"),
    ],
)
def test_listings_are_checked(fields: dict[str, Any], pointer: str) -> None:
    """Every filter has its bounds (§8)."""
    assert pointer_of(lambda: calls.query(ListJobs(**fields))) == pointer


def test_a_listing_takes_words_for_statuses() -> None:
    """Statuses in any case, as everywhere (§1)."""
    wanted: Any = ["DEAD", Status.RUNNING]
    found = calls.query(ListJobs(statuses=wanted, created_from=0, before=ID, error="x"))
    assert found.statuses == {Status.DEAD, Status.RUNNING}


def test_hand_backs_carry_each_job_s_own_token() -> None:
    """What nobody got is released under the lease that it was claimed with (§4)."""
    pending = create(new(), START_US)
    jobs = [lifecycle.claim(pending, token, "w", 30.0, START_US) for token in ("t1", "t2", "t3")]
    claimed = [Claimed((jobs[0],)), Claimed(), Claimed((jobs[1], jobs[2]))]
    assert calls.hand_backs(claimed) == tuple(Release(ID, t) for t in ("t1", "t2", "t3"))
