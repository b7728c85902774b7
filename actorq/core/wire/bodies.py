"""The bodies of requests, and the checked values that they become.

Lenient where it costs nothing (contract §1): durations as seconds or text, ``queue`` for
``queue_name``, ``delay_seconds`` for ``delay``, delivery and statuses in any case. Strict otherwise.
"""

from typing import Final

import msgspec

from actorq.core.instants import parse_duration
from actorq.core.job import DEFAULT_BACKOFF, Delivery, OnDuplicate
from actorq.core.policy import Retention
from actorq.core.transitions import Status
from actorq.errors import InvalidInput

Duration = float | str
"""Seconds as a number, or text such as ``"300s"``, ``"5m"``, ``"1h30m"``."""


class _Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A JSON object that holds no member beyond those that it knows."""


class BackoffBody(_Body, frozen=True):
    """The delays between retries."""

    base: Duration = DEFAULT_BACKOFF.base
    factor: float = DEFAULT_BACKOFF.factor
    max: Duration = DEFAULT_BACKOFF.max


class EnqueueBody(_Body, frozen=True):
    """A job to be made."""

    payload: str
    queue_name: str | None = None
    queue: str | None = None
    priority: int = 0
    max_retries: int = 3
    delivery: str = Delivery.AT_LEAST_ONCE.value
    delay: Duration | None = None
    delay_seconds: Duration | None = None
    available_at: str | None = None
    metadata: dict[str, str] | None = None
    task: str | None = None
    backoff: BackoffBody | None = None
    timeout: Duration | None = None
    expires_at: str | None = None
    dedupe_key: str | None = None
    dedupe_window: Duration | None = None
    on_duplicate: str = OnDuplicate.RETURN.value
    idempotency_key: str | None = None


class BatchBody(_Body, frozen=True):
    """Jobs to be made in one step; each is judged by itself."""

    jobs: list[msgspec.Raw]


class LeaseBody(msgspec.Struct, frozen=True, kw_only=True):
    """A lease, as a dequeue answered it: only its token counts."""

    token: str


Token = str | LeaseBody | None
"""A lease's token, or the lease object that a dequeue answered."""


class DequeueBody(_Body, frozen=True):
    """A worker's wish for jobs."""

    worker_id: str | None = None
    visibility_timeout: Duration | None = None
    wait: Duration = 0.0
    max: int | None = None


class AckBody(_Body, frozen=True):
    """A job that was done. ``result`` is any JSON value."""

    lease: Token = None
    result: msgspec.Raw = msgspec.Raw(b"null")


class FailBody(_Body, frozen=True):
    """A job that failed; ``error`` is accepted for ``reason``."""

    lease: Token = None
    reason: str | None = None
    error: str | None = None
    retryable: bool = True
    retry_in: Duration | None = None


class ReleaseBody(_Body, frozen=True):
    """A job that is handed back."""

    lease: Token = None
    delay: Duration = 0.0


class ExtendBody(_Body, frozen=True):
    """A lease to be renewed; ``seconds`` is accepted for ``visibility_timeout``."""

    lease: Token = None
    visibility_timeout: Duration | None = None
    seconds: Duration | None = None


class ProgressBody(_Body, frozen=True):
    """What the holder has done so far: any JSON value."""

    progress: msgspec.Raw
    lease: Token = None


class SettleItem(_Body, frozen=True):
    """One settlement of a batch: ``action`` is ack, fail or release."""

    id: str
    action: str
    lease: Token = None
    result: msgspec.Raw = msgspec.Raw(b"null")
    reason: str | None = None
    error: str | None = None
    retryable: bool = True
    retry_in: Duration | None = None
    delay: Duration = 0.0


class SettleBody(_Body, frozen=True):
    """Settlements in one call; each is judged by itself."""

    items: list[msgspec.Raw]


class HeartbeatItem(_Body, frozen=True):
    """One lease to renew."""

    id: str
    lease: str | LeaseBody
    visibility_timeout: Duration | None = None


class HeartbeatBody(_Body, frozen=True):
    """All leases of one worker, renewed in one call."""

    leases: list[HeartbeatItem]
    visibility_timeout: Duration | None = None


class EditBody(_Body, frozen=True):
    """Changes to a waiting job; what is absent stays."""

    payload: str | None = None
    priority: int | None = None
    max_retries: int | None = None
    delay: Duration | None = None
    delay_seconds: Duration | None = None
    available_at: str | None = None
    metadata: dict[str, str] | None = None


class PauseBody(_Body, frozen=True):
    """Why a queue is paused, for whoever looks."""

    reason: str | None = None


class PurgeBody(_Body, frozen=True):
    """Which jobs to remove: statuses, without ``running``."""

    statuses: tuple[str, ...] = (Status.PENDING.value, Status.DELAYED.value)


class RedriveBody(_Body, frozen=True):
    """Which dead jobs to give another life: ``ids``, or the newest ``limit`` of the queue."""

    ids: list[str] | None = None
    limit: int = 500


class RetentionBody(_Body, frozen=True):
    """How long ended jobs are kept, by status, and how many at most."""

    completed: Duration = Retention().completed
    dead: Duration = Retention().dead
    cancelled: Duration = Retention().cancelled
    max_completed: int = Retention().max_completed
    max_dead: int = Retention().max_dead
    max_cancelled: int = Retention().max_cancelled


class SettingsBody(_Body, frozen=True):
    """Changes to a queue's settings; null goes back to the server's default, absent stays."""

    max_running: int | msgspec.UnsetType | None = msgspec.UNSET
    max_depth: int | msgspec.UnsetType | None = msgspec.UNSET
    visibility_timeout: Duration | msgspec.UnsetType | None = msgspec.UNSET
    retention: RetentionBody | msgspec.UnsetType | None = msgspec.UNSET


MAX_WAIT_S: Final = 20.0
"""The longest that a long poll may ask for; proxies cut connections at 30 to 60 s."""


def token_of(lease: Token) -> str | None:
    """Return the token, however it was sent."""
    return lease.token if isinstance(lease, LeaseBody) else lease


def duration(value: Duration | None, pointer: str) -> float | None:
    """Return seconds, or None."""
    return None if value is None else parse_duration(value, pointer)


def status_of(text: str, pointer: str) -> Status:
    """Return the status that ``text`` names, in any case."""
    try:
        return Status(text.lower())
    except ValueError:
        known = ", ".join(Status)
        raise InvalidInput(pointer, f"must be one of {known}") from None
