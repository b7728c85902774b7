"""The intake: turns what somebody asks for into checked values, for every door alike.

Every function here raises ``InvalidInput`` with the JSON pointer of the first value that is wrong.
"""

from typing import Final

import msgspec

from actorq.core import bounds, keys
from actorq.core.commands import Edit
from actorq.core.instants import check_instant
from actorq.core.job import DEFAULT_BACKOFF, Backoff, Delivery, NewJob, OnDuplicate
from actorq.core.policy import Policy, Retention
from actorq.core.queue import QueueEdit
from actorq.core.retry import Failure
from actorq.core.transitions import Status
from actorq.errors import InvalidInput

MAX_LIST: Final = 200
"""How many jobs a page of a listing may hold."""

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
    delivery: Delivery = Delivery.AT_LEAST_ONCE,
    delay: float | None = None,
    available_at: int | None = None,
    metadata: dict[str, str] | None = None,
    task: str | None = None,
    backoff: Backoff = DEFAULT_BACKOFF,
    timeout: float | None = None,
    expires_at: int | None = None,
    dedupe_key: str | None = None,
    dedupe_window: float = 0.0,
    on_duplicate: OnDuplicate = OnDuplicate.RETURN,
    idempotency_key: str | None = None,
    caller: str = "",
) -> NewJob:
    """Return the checked job. Durations are seconds, instants microseconds since the epoch."""
    due(delay, available_at)
    if dedupe_key is None and dedupe_window:
        raise InvalidInput("/dedupe_window", "means nothing without a dedupe_key")
    new = NewJob(
        id=job_id,
        queue_name=bounds.queue_name(queue_name),
        payload=bounds.payload(payload, policy.max_payload_bytes),
        priority=bounds.priority(priority),
        max_retries=bounds.integer(max_retries, "/max_retries", least=0, most=bounds.MAX_RETRIES),
        delivery=delivery,
        delay=delay,
        available_at=available_at,
        metadata=bounds.metadata(metadata) if metadata else {},
        task=_optional_text(task, "/task", bounds.MAX_TASK),
        backoff=backoff if backoff is DEFAULT_BACKOFF else bounds.backoff(backoff),
        timeout=None if timeout is None else _timeout(timeout),
        expires_at=None if expires_at is None else check_instant(expires_at, "/expires_at"),
        dedupe_key=_optional_text(dedupe_key, "/dedupe_key", bounds.MAX_KEY),
        dedupe_window=bounds.seconds(
            dedupe_window, "/dedupe_window", least=0.0, most=bounds.MAX_DELAY_S
        ),
        on_duplicate=on_duplicate,
    )
    if idempotency_key is None:
        return new
    key = bounds.text(idempotency_key, "/idempotency_key", longest=bounds.MAX_KEY)
    return msgspec.structs.replace(new, idempotency=keys.idempotency(new, caller, key))


def due(delay: float | None, available_at: int | None) -> None:
    """Check the two ways to say when a job is due; at most one may be used."""
    if delay is not None:
        if available_at is not None:
            raise InvalidInput("/delay", "excludes available_at: say one of them")
        bounds.seconds(delay, "/delay", least=0.0, most=bounds.MAX_DELAY_S)
    if available_at is not None:
        check_instant(available_at, "/available_at")


def worker_id(value: str) -> str:
    """Return a worker's id: 1 to 255 characters."""
    return bounds.text(value, "/worker_id", longest=bounds.MAX_WORKER_ID)


def json_text(value: JsonValue, pointer: str, most_bytes: int) -> str:
    """Return ``value`` as JSON text of at most ``most_bytes`` bytes."""
    try:
        data = msgspec.json.encode(value)
    except (TypeError, ValueError, UnicodeEncodeError, RecursionError) as error:
        raise InvalidInput(pointer, f"must be a JSON value: {error}") from None
    if len(data) > most_bytes:
        raise InvalidInput(pointer, f"must be at most {most_bytes} bytes of JSON")
    return data.decode()


def page_size(limit: int) -> int:
    """Return how many jobs a page may have: 1 to 200."""
    return bounds.integer(limit, "/limit", least=1, most=MAX_LIST)


def purgeable(statuses: frozenset[Status]) -> frozenset[Status]:
    """Return statuses whose jobs may be purged: all but running, which somebody works on."""
    if not statuses or Status.RUNNING in statuses:
        raise InvalidInput("/statuses", "must name statuses, and running jobs cannot be purged")
    return statuses


def _optional_text(value: str | None, pointer: str, longest: int) -> str | None:
    return None if value is None else bounds.text(value, pointer, longest=longest)


def _timeout(value: float) -> float:
    return bounds.seconds(value, "/timeout", least=0.001, most=bounds.MAX_DELAY_S)


def failure(reason: str, *, retryable: bool, retry_in: float | None) -> Failure:
    """Return a checked failure; ``retry_in`` is seconds. The reason is cut when it is recorded."""
    if retry_in is not None:
        bounds.seconds(retry_in, "/retry_in", least=0.0, most=bounds.MAX_DELAY_S)
    return Failure(reason, retryable, retry_in)


def edit(change: Edit, policy: Policy) -> Edit:
    """Check an edit of a waiting job."""
    due(change.delay, change.available_at)
    if change.payload is not None:
        bounds.payload(change.payload, policy.max_payload_bytes)
    if change.priority is not None:
        bounds.priority(change.priority)
    if change.max_retries is not None:
        bounds.integer(change.max_retries, "/max_retries", least=0, most=bounds.MAX_RETRIES)
    if change.metadata is not None:
        bounds.metadata(change.metadata)
    return change


def queue_edit(change: QueueEdit) -> QueueEdit:
    """Check an edit of a queue's settings."""
    bounds.queue_name(change.queue_name)
    if isinstance(change.paused_reason, str):
        bounds.text(change.paused_reason, "/paused_reason", longest=1_000)
    for name in ("max_running", "max_depth"):
        limit: object = getattr(change, name)
        if isinstance(limit, int):
            bounds.integer(limit, f"/{name}", least=0, most=2**53)
    if isinstance(change.visibility_timeout, float | int):
        bounds.visibility_timeout(change.visibility_timeout)
    if isinstance(change.retention, Retention):
        for name, value in msgspec.structs.asdict(change.retention).items():
            bounds.seconds(value, f"/retention/{name}", least=0.0, most=bounds.MAX_DELAY_S)
    return change
