"""The intake: turns what somebody asks for into checked values, for every door alike.

Every function here raises ``InvalidInput`` with the JSON pointer of the first value that is wrong.
"""

import json
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final, TypeVar

import msgspec
from msgspec import UNSET

from actorq.core import bounds, keys
from actorq.core.commands import Edit
from actorq.core.instants import check_instant
from actorq.core.job import (
    DEFAULT_BACKOFF,
    Backoff,
    CheckedJob,
    Delivery,
    DependentJob,
    NewJob,
    OnDuplicate,
)
from actorq.core.policy import Policy, Retention
from actorq.core.queue import QueueEdit
from actorq.core.retry import Failure
from actorq.core.transitions import Status
from actorq.core.workflow import OnParentFailure, Parent
from actorq.errors import InvalidInput

MAX_LIST: Final = 200
"""How many jobs a page of a listing may hold."""

MAX_REASON: Final = 1_000
"""How many characters the reason of a pause may have."""

MAX_COUNT: Final = 2**53
"""The largest number that every JSON reader keeps."""

E = TypeVar("E", bound=StrEnum)

JsonValue = None | bool | int | float | str | list["JsonValue"] | dict[str, "JsonValue"]
"""What a result or a progress report may be."""


def new_job(  # noqa: PLR0913 - one argument for each thing that a caller may say of a job
    job_id: str,
    queue_name: str,
    payload: str,
    policy: Policy,
    *,
    priority: int = 0,
    max_retries: int = 3,
    delivery: Delivery | str = Delivery.AT_LEAST_ONCE,
    delay: float | None = None,
    available_at: int | None = None,
    metadata: dict[str, str] | None = None,
    task: str | None = None,
    backoff: Backoff = DEFAULT_BACKOFF,
    timeout: float | None = None,
    expires_at: int | None = None,
    dedupe_key: str | None = None,
    dedupe_window: float = 0.0,
    on_duplicate: OnDuplicate | str = OnDuplicate.RETURN,
    idempotency_key: str | None = None,
    caller: str = "",
    depends_on: Sequence[Parent] = (),
    on_parent_failure: OnParentFailure | str = OnParentFailure.CANCEL,
) -> NewJob:
    """Return the checked job. Durations are seconds, instants microseconds since the epoch."""
    if delay is not None or available_at is not None:
        delay, available_at = due(delay, available_at)
    new: NewJob = CheckedJob(
        id=job_id,
        queue_name=bounds.queue_name(queue_name),
        payload=bounds.payload(payload, policy.max_payload_bytes),
        priority=bounds.priority(priority),
        max_retries=bounds.integer(max_retries, "/max_retries", least=0, most=bounds.MAX_RETRIES),
        delivery=word(Delivery, delivery, "/delivery"),
        delay=delay,
        available_at=available_at,
        metadata={} if metadata is None else bounds.metadata(metadata),
        task=None if task is None else bounds.text(task, "/task", longest=bounds.MAX_TASK),
        backoff=backoff if backoff is DEFAULT_BACKOFF else bounds.backoff(backoff),
        timeout=None if timeout is None else _timeout(timeout),
        expires_at=None if expires_at is None else check_instant(expires_at, "/expires_at"),
        dedupe_key=None if dedupe_key is None else _key(dedupe_key, "/dedupe_key"),
        dedupe_window=_window(dedupe_key, dedupe_window),
        on_duplicate=word(OnDuplicate, on_duplicate, "/on_duplicate"),
    )
    if depends_on or on_parent_failure is not OnParentFailure.CANCEL:
        new = _dependent(new, depends_on, on_parent_failure)
    if idempotency_key is None:
        return new
    return _recognisable(new, caller, idempotency_key, depends_on)


def check(new: NewJob, policy: Policy) -> NewJob:
    """Check a job that somebody made by hand; one that ``new_job`` made was checked then."""
    if isinstance(new, CheckedJob):
        return new
    if not isinstance(new, NewJob):  # pyright: ignore[reportUnnecessaryIsInstance] - not all callers are typed
        raise InvalidInput("", "must be a NewJob, as new_job makes them")
    if not bounds.is_job_id(bounds.text(new.id, "/id", longest=bounds.MAX_KEY)):
        raise InvalidInput("/id", "must be a UUID in lower case, as mint_id makes them")
    wishes = msgspec.structs.asdict(new)
    idempotency = wishes.pop("idempotency")
    made = new_job(
        wishes.pop("id"), wishes.pop("queue_name"), wishes.pop("payload"), policy, **wishes
    )
    return msgspec.structs.replace(made, idempotency=idempotency)


def word(kind: type[E], value: object, pointer: str) -> E:
    """Return the member of ``kind`` that ``value`` names, in any case and with hyphens too.

    Members are compared by identity everywhere, so a plain text that equals one would pass unseen.
    """
    if isinstance(value, kind):
        return value
    if isinstance(value, str):
        for member in kind:
            if member.value == value.lower().replace("-", "_"):
                return member
    *others, last = kind
    raise InvalidInput(pointer, f"must be {', '.join(others)} or {last}")


def due(delay: float | None, available_at: int | None) -> tuple[float | None, int | None]:
    """Check the two ways to say when a job is due; at most one may be used."""
    if delay is not None:
        if available_at is not None:
            raise InvalidInput("/delay", "excludes available_at: say one of them")
        delay = bounds.seconds(delay, "/delay", least=0.0, most=bounds.MAX_DELAY_S)
    if available_at is not None:
        check_instant(available_at, "/available_at")
    return delay, available_at


def worker_id(value: str) -> str:
    """Return a worker's id: 1 to 255 characters."""
    return bounds.text(value, "/worker_id", longest=bounds.MAX_WORKER_ID)


def json_text(value: JsonValue, pointer: str, most_bytes: int) -> str:
    """Return ``value`` as JSON text of at most ``most_bytes`` bytes."""
    try:
        # Strict, as msgspec is not: that one writes NaN as null and bytes as base64.
        text = json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInput(pointer, f"must be a JSON value: {error}") from None
    if len(bounds.utf8(text, pointer)) > most_bytes:
        raise InvalidInput(pointer, f"must be at most {most_bytes} bytes of JSON")
    return text


def page_size(limit: int) -> int:
    """Return how many jobs a page may have: 1 to 200."""
    return bounds.integer(limit, "/limit", least=1, most=MAX_LIST)


def purgeable(statuses: Iterable[Status]) -> frozenset[Status]:
    """Return statuses whose jobs may be purged: all but running, which somebody works on."""
    named = frozenset(word(Status, status, "/statuses") for status in statuses)
    if not named or Status.RUNNING in named:
        raise InvalidInput("/statuses", "must name statuses, and running jobs cannot be purged")
    return named


def _recognisable(new: NewJob, caller: str, key: str, parents: Sequence[Parent]) -> NewJob:
    named = keys.idempotency(new, caller, _key(key, "/idempotency_key"), parents)
    return msgspec.structs.replace(new, idempotency=named)


def _dependent(
    new: NewJob, depends_on: Sequence[Parent], on_parent_failure: OnParentFailure | str
) -> NewJob:
    policy = word(OnParentFailure, on_parent_failure, "/on_parent_failure")
    parents = bounds.parents(depends_on)
    if not parents:
        if policy is OnParentFailure.CANCEL:
            return new
        raise InvalidInput("/on_parent_failure", "means nothing without depends_on")
    wishes = {name: getattr(new, name) for name in CheckedJob.__struct_fields__}
    return DependentJob(**wishes, depends_on=parents, on_parent_failure=policy)


def _key(value: str, pointer: str) -> str:
    return bounds.text(value, pointer, longest=bounds.MAX_KEY)


def _window(dedupe_key: str | None, window: float) -> float:
    if dedupe_key is None and window:
        raise InvalidInput("/dedupe_window", "means nothing without a dedupe_key")
    return bounds.seconds(window, "/dedupe_window", least=0.0, most=bounds.MAX_DELAY_S)


def _timeout(value: float) -> float:
    return bounds.seconds(value, "/timeout", least=0.001, most=bounds.MAX_DELAY_S)


def failure(reason: object, *, retryable: bool, retry_in: float | None) -> Failure:
    """Return a checked failure; ``retry_in`` is seconds. The reason is cut when it is recorded."""
    if not isinstance(reason, str):
        raise InvalidInput("/reason", "must be text")
    if retry_in is not None:
        retry_in = bounds.seconds(retry_in, "/retry_in", least=0.0, most=bounds.MAX_DELAY_S)
    return Failure(reason, bounds.boolean(retryable, "/retryable"), retry_in)


def edit(change: Edit, policy: Policy) -> Edit:
    """Check an edit of a waiting job."""
    bounds.utf8(change.id, "/id")
    delay, available_at = due(change.delay, change.available_at)
    if change.payload is not None:
        bounds.payload(change.payload, policy.max_payload_bytes)
    if change.priority is not None:
        bounds.priority(change.priority)
    if change.max_retries is not None:
        bounds.integer(change.max_retries, "/max_retries", least=0, most=bounds.MAX_RETRIES)
    metadata = None if change.metadata is None else bounds.metadata(change.metadata)
    return msgspec.structs.replace(
        change, delay=delay, available_at=available_at, metadata=metadata
    )


def queue_edit(change: QueueEdit) -> QueueEdit:
    """Check an edit of a queue's settings."""
    bounds.queue_name(change.queue_name)
    if change.paused is not UNSET:
        bounds.boolean(change.paused, "/paused")
    if change.paused_reason is not UNSET and change.paused_reason is not None:
        bounds.text(change.paused_reason, "/paused_reason", longest=MAX_REASON)
    for name in ("max_running", "max_depth"):
        limit: object = getattr(change, name)
        if limit is not UNSET and limit is not None:
            bounds.integer(limit, f"/{name}", least=0, most=MAX_COUNT)
    if change.visibility_timeout is not UNSET and change.visibility_timeout is not None:
        bounds.visibility_timeout(change.visibility_timeout)
    if isinstance(change.retention, Retention):
        _retention(change.retention)
    return change


def _retention(retention: Retention) -> None:
    for name, value in msgspec.structs.asdict(retention).items():
        if name.startswith("max_"):
            bounds.integer(value, f"/retention/{name}", least=0, most=MAX_COUNT)
        else:
            bounds.seconds(value, f"/retention/{name}", least=0.0, most=bounds.MAX_DELAY_S)
