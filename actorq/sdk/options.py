"""What may be said of a task and of one call of it, apart from its arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypedDict, cast

from actorq.core import bounds, intake
from actorq.core.job import Backoff, Delivery, OnDuplicate
from actorq.core.policy import Policy
from actorq.core.workflow import OnParentFailure, Parent
from actorq.errors import InvalidInput
from actorq.face import EnqueueOptions
from actorq.sdk.durations import Duration, Instant, instant, seconds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class CallOptions(TypedDict, total=False):
    """Options of ``with_options``; each may be left out.

    ``queue``, ``priority``, ``max_retries``, ``backoff`` (a ``Backoff``, or seconds before each retry alike),
    ``timeout``, ``delivery`` and ``metadata`` stand in for what the task says. ``delay`` (a duration) and
    ``available_at`` (a moment) exclude each other; the job is not started after ``expires_at``.
    ``dedupe_key`` is what at most one live job of the queue has, ``dedupe_window`` holds it longer, and
    ``on_duplicate`` says what a call gets that meets it. ``idempotency_key`` names this very request.
    ``depends_on`` are the jobs that it waits for, up to 1000: handles, or ids. Should one of them fail, or
    be cancelled, so is this one; with ``on_parent_failure`` ``"run"`` it runs all the same.
    """

    queue: str
    priority: int
    max_retries: int
    backoff: Backoff | Duration
    timeout: Duration | None
    delivery: Delivery | Literal["at_least_once", "at_most_once"]
    metadata: dict[str, str] | None
    delay: Duration | None
    available_at: Instant | None
    expires_at: Instant | None
    dedupe_key: str | None
    dedupe_window: Duration
    on_duplicate: OnDuplicate | Literal["return", "reject", "replace"]
    idempotency_key: str | None
    depends_on: Sequence[Parent]
    on_parent_failure: OnParentFailure | Literal["cancel", "run"]


class TaskOptions(TypedDict, total=False):
    """Options of ``@app.task``; each may be left out.

    ``name`` is the task's, the function's own by default: workers find the function by it, so it is the
    same wherever the program runs. ``queue`` is ``"default"``. ``priority``, ``max_retries`` (3), ``backoff``
    (1 s, doubled each time, at most 1 h), ``timeout`` (of one attempt; none), ``delivery`` and ``metadata``
    hold for each of its jobs unless a call says otherwise.

    ``unique`` lets at most one job with the same arguments live at a time, or with the same arguments of
    these names; ``unique_for`` is how long after the enqueue no second one may follow even so, and
    ``on_duplicate`` what that one gets: the first (the default), a refusal, or its place.

    ``concurrency`` bounds how many of it one worker runs at a time. ``processes`` runs a plain function in
    a process of its own, where it can be interrupted and holds up nobody.
    """

    name: str
    queue: str
    priority: int
    max_retries: int
    backoff: Backoff | Duration
    timeout: Duration | None
    delivery: Delivery | Literal["at_least_once", "at_most_once"]
    metadata: dict[str, str] | None
    unique: bool | Sequence[str]
    unique_for: Duration
    on_duplicate: OnDuplicate | Literal["return", "reject", "replace"]
    concurrency: int | None
    processes: bool


def to_enqueue(options: Mapping[str, object]) -> EnqueueOptions:
    """Return options, without the queue, as a door takes them: times as numbers.

    Raises ``InvalidInput``, naming the option, for a time that is none; other bounds are the door's.
    """
    checked: dict[str, Any] = dict(options)
    for name in ("delay", "timeout", "dedupe_window"):
        if checked.get(name) is not None:
            checked[name] = seconds(checked[name], f"/{name}")
    for name in ("available_at", "expires_at"):
        if checked.get(name) is not None:
            checked[name] = instant(checked[name], f"/{name}")
    if "backoff" in checked:
        checked["backoff"] = _backoff(checked["backoff"])
    checked.pop("queue", None)
    return cast("EnqueueOptions", checked)


def check(queue_name: str, options: EnqueueOptions) -> None:
    """Raise ``InvalidInput`` for options that no job can have, where they are written down."""
    try:
        intake.new_job("", queue_name, "", Policy(), **options)
    except TypeError as error:
        raise InvalidInput("", f"{error}: it is no option of a task") from None


def _backoff(value: Backoff | Duration) -> Backoff:
    if isinstance(value, Backoff):
        return bounds.backoff(value)
    pause = seconds(value, "/backoff")
    return bounds.backoff(Backoff(base=pause, factor=1.0, max=pause))
