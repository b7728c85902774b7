"""The intake: what somebody asks for becomes a checked value, or is refused at its place (contract §1)."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from msgspec import UNSET

from actorq.core import intake
from actorq.core.commands import Edit
from actorq.core.instants import LATEST_US
from actorq.core.job import DEFAULT_BACKOFF, Backoff, Delivery, NewJob, OnDuplicate
from actorq.core.policy import Policy, Retention
from actorq.core.queue import QueueEdit
from actorq.core.transitions import Status
from actorq.errors import InvalidInput
from tests.core.records import ID

if TYPE_CHECKING:
    from collections.abc import Callable

CENTURY_S = 100 * 365 * 86_400.0


def new(**wishes: Any) -> NewJob:  # noqa: ANN401 - also of wrong types, which is the point
    """Make a job as a door does."""
    asked: dict[str, Any] = {"queue_name": "q", "payload": "", **wishes}
    return intake.new_job(ID, asked.pop("queue_name"), asked.pop("payload"), Policy(), **asked)


def pointer_of(call: Callable[[], object]) -> str:
    """Return the place that ``call`` is refused at."""
    with pytest.raises(InvalidInput) as caught:
        call()
    return caught.value.pointer


def test_defaults_are_the_contract_s() -> None:
    """Who says nothing gets what the contract says (§1)."""
    job = new()
    assert (job.priority, job.max_retries, job.delivery) == (0, 3, Delivery.AT_LEAST_ONCE)
    assert (job.delay, job.available_at, job.metadata, job.task) == (None, None, {}, None)
    assert job.backoff is DEFAULT_BACKOFF
    assert (job.on_duplicate, job.idempotency) == (OnDuplicate.RETURN, None)


@pytest.mark.parametrize(
    ("wish", "value"),
    [
        ("max_retries", 0), ("max_retries", 1_000), ("priority", -(2**31)), ("delay", 0),
        ("delay", CENTURY_S), ("available_at", 0), ("available_at", LATEST_US), ("task", "x" * 200),
        ("timeout", 0.001), ("timeout", 60), ("expires_at", LATEST_US), ("dedupe_key", "x" * 255),
        ("metadata", {"a": "b"}), ("backoff", Backoff(0.0, 1.0, 5.0)),
    ],
)  # fmt: skip
def test_what_is_within_its_bounds_is_taken(wish: str, value: object) -> None:
    """Every option is taken as it was given (§1)."""
    assert getattr(new(**{wish: value}), wish) == value


@pytest.mark.parametrize(
    ("wish", "value"),
    [
        ("queue_name", "a b"), ("payload", b"x"), ("payload", "\ud800"), ("payload", "x" * 1_048_577),
        ("priority", 2**31), ("priority", True), ("priority", 1.0), ("max_retries", -1),
        ("max_retries", 1_001), ("delivery", "twice"), ("delivery", 1), ("delay", -0.1),
        ("delay", math.nan), ("delay", CENTURY_S * 1.01), ("delay", "5m"), ("available_at", -1),
        ("available_at", LATEST_US + 1), ("available_at", 1.5), ("metadata", {"a": 1}), ("task", ""),
        ("task", "x" * 201), ("timeout", 0.0), ("timeout", math.inf), ("expires_at", -1),
        ("dedupe_key", ""), ("dedupe_key", "x" * 256), ("dedupe_key", "a\0"), ("on_duplicate", "keep"),
        ("idempotency_key", ""), ("idempotency_key", "x" * 256), ("dedupe_window", 1.0),
    ],
)  # fmt: skip
def test_what_breaks_a_bound_is_refused_at_its_place(wish: str, value: object) -> None:
    """Nothing is corrected: the error names the option (§1)."""
    assert pointer_of(lambda: new(**{wish: value})) == f"/{wish}"


@pytest.mark.parametrize(
    ("wish", "value", "pointer"),
    [
        ("backoff", Backoff(factor=0.5), "/backoff/factor"),
        ("dedupe_window", -1.0, "/dedupe_window"),
        ("dedupe_window", math.inf, "/dedupe_window"),
    ],
)
def test_nested_bounds_are_refused_at_theirs(wish: str, value: object, pointer: str) -> None:
    """Inside an option the pointer goes on (§9)."""
    assert pointer_of(lambda: new(dedupe_key="k", **{wish: value})) == pointer


def test_two_due_times_contradict_each_other() -> None:
    """A delay and an instant cannot both be meant (§1)."""
    assert pointer_of(lambda: new(delay=1.0, available_at=5)) == "/delay"


@pytest.mark.parametrize("text", ["at_most_once", "AT_MOST_ONCE", "at-most-once", "At-Most-Once"])
def test_words_are_read_in_any_case(text: str) -> None:
    """A plain text becomes the very member that is compared by identity everywhere (§1, I4)."""
    assert new(delivery=text).delivery is Delivery.AT_MOST_ONCE
    assert intake.word(Delivery, Delivery.AT_MOST_ONCE, "/x") is Delivery.AT_MOST_ONCE


def test_the_caller_s_map_stays_the_caller_s() -> None:
    """What a caller does to its map afterwards does not change the job (I15)."""
    metadata = {"a": "b"}
    job = new(metadata=metadata)
    metadata["a"] = "c"
    assert job.metadata == {"a": "b"}


def test_a_result_is_any_json_value_of_its_size() -> None:
    """Values become JSON text; what JSON cannot say, and what is too large, is refused (§1)."""
    assert intake.json_text({"a": [1, None, "é"]}, "/result", 100) == '{"a":[1,null,"é"]}'
    assert intake.json_text("x" * 98, "/result", 100) == '"' + "x" * 98 + '"'
    loop: list[Any] = []
    loop.append(loop)
    wrong: list[Any] = ["x" * 99, object(), {1, 2}, b"x", math.nan, [math.inf], "\ud800", loop]
    for value in wrong:
        assert pointer_of(partial(intake.json_text, value, "/result", 100)) == "/result"


@pytest.mark.parametrize(("limit", "passes"), [(0, False), (1, True), (200, True), (201, False)])
def test_a_page_has_1_to_200_jobs(limit: int, *, passes: bool) -> None:
    """The limits themselves are allowed (§9)."""
    if passes:
        assert intake.page_size(limit) == limit
    else:
        assert pointer_of(lambda: intake.page_size(limit)) == "/limit"


def test_running_jobs_are_not_purged() -> None:
    """Somebody works on them; and no status at all means nothing (§9)."""
    named: Any = ["DEAD", Status.PENDING]
    assert intake.purgeable(named) == {Status.DEAD, Status.PENDING}
    wrong: list[Any] = [[], [Status.RUNNING], [Status.DEAD, "running"], ["gone"]]
    for statuses in wrong:
        assert pointer_of(partial(intake.purgeable, statuses)) == "/statuses"


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"reason": b"x"}, "/reason"),
        ({"retryable": 1}, "/retryable"),
        ({"retry_in": -1.0}, "/retry_in"),
        ({"retry_in": math.nan}, "/retry_in"),
        ({"retry_in": CENTURY_S * 2}, "/retry_in"),
    ],
)
def test_failures_are_checked(fields: dict[str, Any], pointer: str) -> None:
    """A reason is text, and any text; a delay is a duration (§2)."""
    asked: dict[str, Any] = {"reason": "x" * 9_999 + "\0\ud800", "retryable": True, "retry_in": 1}
    assert intake.failure(**asked).reason == asked["reason"]
    assert pointer_of(lambda: intake.failure(**{**asked, **fields})) == pointer


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"payload": "\ud800"}, "/payload"),
        ({"priority": 2**31}, "/priority"),
        ({"max_retries": 1_001}, "/max_retries"),
        ({"delay": -1.0}, "/delay"),
        ({"delay": 1.0, "available_at": 1}, "/delay"),
        ({"available_at": -1}, "/available_at"),
        ({"metadata": {"a": "\0"}}, "/metadata"),
        ({"id": "\ud800"}, "/id"),
    ],
)
def test_edits_are_checked(fields: dict[str, Any], pointer: str) -> None:
    """What an edit names has the bounds of an enqueue (§9)."""
    assert intake.edit(Edit(id=ID, priority=5), Policy()) == Edit(id=ID, priority=5)
    asked: dict[str, Any] = {"id": ID, **fields}
    assert pointer_of(lambda: intake.edit(Edit(**asked), Policy())) == pointer


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"queue_name": ".."}, "/queue_name"),
        ({"paused": 1}, "/paused"),
        ({"paused_reason": ""}, "/paused_reason"),
        ({"paused_reason": "x" * 1_001}, "/paused_reason"),
        ({"max_running": -1}, "/max_running"),
        ({"max_running": 1.5}, "/max_running"),
        ({"max_depth": True}, "/max_depth"),
        ({"max_depth": 2**53 + 1}, "/max_depth"),
        ({"visibility_timeout": 0.5}, "/visibility_timeout"),
        ({"visibility_timeout": "30"}, "/visibility_timeout"),
        ({"retention": Retention(completed=-1.0)}, "/retention/completed"),
        ({"retention": Retention(dead=math.nan)}, "/retention/dead"),
        ({"retention": Retention(max_dead=-1)}, "/retention/max_dead"),
        ({"retention": Retention(max_dead=1.5)}, "/retention/max_dead"),  # type: ignore[arg-type]  # the point
    ],
)
def test_edits_of_queues_are_checked(fields: dict[str, Any], pointer: str) -> None:
    """What an operator sets has bounds too (§8)."""
    asked: dict[str, Any] = {"queue_name": "q", **fields}
    assert pointer_of(lambda: intake.queue_edit(QueueEdit(**asked))) == pointer


@pytest.mark.parametrize("value", [UNSET, None])
def test_an_edit_of_a_queue_may_leave_or_forget(value: object) -> None:
    """Absent stays, null goes back to the policy: neither is checked for a range (§8)."""
    names = ("paused_reason", "max_running", "max_depth", "visibility_timeout", "retention")
    fields: dict[str, Any] = dict.fromkeys(names, value)
    edit = QueueEdit(queue_name="q", **fields)
    assert intake.queue_edit(edit) == edit
