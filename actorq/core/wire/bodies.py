"""The bodies of requests, and the checked values that they become.

Lenient where it costs nothing (contract §1): durations as seconds or text, ``queue`` for
``queue_name``, ``delay_seconds`` for ``delay``, delivery and statuses in any case. Strict otherwise.
"""

from typing import Final

import msgspec
from msgspec import UNSET, UnsetType

from actorq.core import intake
from actorq.core.instants import parse_duration
from actorq.core.job import DEFAULT_BACKOFF, Delivery, OnDuplicate
from actorq.core.transitions import Status
from actorq.core.wire import fields as f
from actorq.core.workflow import OnParentFailure

USUAL_DELIVERY: Final = Delivery.AT_LEAST_ONCE.value
USUAL_ON_DUPLICATE: Final = OnDuplicate.RETURN.value
USUAL_ON_PARENT_FAILURE: Final = OnParentFailure.CANCEL.value


class _Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A JSON object that holds no member beyond those that it knows."""


class EmptyBody(_Body, frozen=True):
    """Nothing needs to be said."""


class BackoffBody(_Body, frozen=True):
    """The delays between retries."""

    base: f.Seconds = DEFAULT_BACKOFF.base
    factor: f.Factor = DEFAULT_BACKOFF.factor
    max: f.Seconds = DEFAULT_BACKOFF.max


class EnqueueBody(_Body, frozen=True):
    """A job to be made. ``queue`` stands for ``queue_name``, ``delay_seconds`` for ``delay``."""

    payload: f.Payload
    queue_name: f.MaybeQueueName = None
    queue: f.MaybeQueueName = None
    priority: f.Priority = 0
    max_retries: f.MaxRetries = 3
    delivery: f.DeliveryName = USUAL_DELIVERY
    delay: f.MaybeSeconds = None
    delay_seconds: f.MaybeSeconds = None
    available_at: f.MaybeInstant = None
    metadata: f.MaybeMetadata = None
    task: f.MaybeTask = None
    backoff: BackoffBody | None = None
    timeout: f.MaybeSeconds = None
    expires_at: f.MaybeInstant = None
    dedupe_key: f.MaybeDedupeKey = None
    dedupe_window: f.MaybeSeconds = None
    on_duplicate: f.OnDuplicateName = USUAL_ON_DUPLICATE
    idempotency_key: f.MaybeIdempotencyKey = None
    depends_on: f.MaybeParents = None
    on_parent_failure: f.OnParentFailureName = USUAL_ON_PARENT_FAILURE


class BatchBody(_Body, frozen=True):
    """Jobs to be made in one step; each is judged by itself."""

    jobs: f.NewJobs


class LeaseBody(msgspec.Struct, frozen=True, kw_only=True):
    """A lease, as a dequeue answered it: only its token counts."""

    token: str


Token = str | LeaseBody | None
"""A lease's token, or the lease object that a dequeue answered."""


class DequeueBody(_Body, frozen=True):
    """A worker's wish for jobs: one, or a list of up to ``max``."""

    worker_id: f.MaybeWorkerId = None
    visibility_timeout: f.MaybeVisibility = None
    wait: f.Wait = 0.0
    max: f.MaybeSlots = None


class AckBody(_Body, frozen=True):
    """A job that was done. ``result`` is any JSON value."""

    lease: Token = None
    result: f.JsonResult = UNSET


class FailBody(_Body, frozen=True):
    """A job that failed; ``error`` is accepted for ``reason``."""

    lease: Token = None
    reason: f.Reason = None
    error: f.Reason = None
    retryable: bool = True
    retry_in: f.MaybeSeconds = None


class ReleaseBody(_Body, frozen=True):
    """A job that is handed back."""

    lease: Token = None
    delay: f.Seconds = 0.0


class ExtendBody(_Body, frozen=True):
    """A lease to be renewed; ``seconds`` is accepted for ``visibility_timeout``."""

    lease: Token = None
    visibility_timeout: f.MaybeVisibility = None
    seconds: f.MaybeVisibility = None


class ProgressBody(_Body, frozen=True):
    """What the holder has done so far: any JSON value."""

    progress: f.JsonProgress
    lease: Token = None


class SettleItem(_Body, frozen=True):
    """One settlement of a batch: ``action`` is ack, fail or release."""

    id: f.ItemId
    action: f.ActionName
    lease: Token = None
    result: f.JsonResult = UNSET
    reason: f.Reason = None
    error: f.Reason = None
    retryable: bool = True
    retry_in: f.MaybeSeconds = None
    delay: f.Seconds = 0.0


class SettleBody(_Body, frozen=True):
    """Settlements in one call; each is judged by itself."""

    items: f.Settlements


class HeartbeatItem(_Body, frozen=True):
    """One lease to renew."""

    id: f.ItemId
    lease: str | LeaseBody
    visibility_timeout: f.MaybeVisibility = None


class HeartbeatBody(_Body, frozen=True):
    """All leases of one worker, renewed in one call."""

    leases: list[HeartbeatItem]
    visibility_timeout: f.MaybeVisibility = None


class EditBody(_Body, frozen=True):
    """Changes to a waiting job; what is absent or null stays."""

    payload: f.MaybePayload = None
    priority: f.MaybePriority = None
    max_retries: f.MaybeMaxRetries = None
    delay: f.MaybeSeconds = None
    delay_seconds: f.MaybeSeconds = None
    available_at: f.MaybeInstant = None
    metadata: f.MaybeMetadata = None


class PauseBody(_Body, frozen=True):
    """Why a queue is paused, for whoever looks."""

    reason: f.PauseReason = None


class PurgeBody(_Body, frozen=True):
    """Which jobs to remove: statuses, without ``running``."""

    statuses: f.StatusNames = (Status.PENDING.value, Status.DELAYED.value)


class RedriveBody(_Body, frozen=True):
    """Which dead jobs to give another life: ``ids``, or the newest ``limit`` of the queue."""

    ids: list[f.ItemId] | None = None
    limit: f.MaybeBulk = None


class RetentionBody(_Body, frozen=True):
    """How long ended jobs are kept, by status, and how many at most; absent or null as the server's."""

    completed: f.MaybeSeconds = None
    dead: f.MaybeSeconds = None
    cancelled: f.MaybeSeconds = None
    max_completed: f.MaybeCount = None
    max_dead: f.MaybeCount = None
    max_cancelled: f.MaybeCount = None


class SettingsBody(_Body, frozen=True):
    """Changes to a queue's settings; null goes back to the server's default, absent stays."""

    max_running: f.Limit = UNSET
    max_depth: f.Limit = UNSET
    visibility_timeout: f.VisibilityChange = UNSET
    retention: RetentionBody | UnsetType | None = UNSET


MAX_WAIT_S: Final = 20.0
"""The longest that a long poll may ask for; proxies cut connections at 30 to 60 s."""


def token_of(lease: Token) -> str | None:
    """Return the token, however it was sent."""
    return lease.token if isinstance(lease, LeaseBody) else lease


def duration(value: f.Duration | None, pointer: str) -> float | None:
    """Return seconds, or None."""
    return None if value is None else parse_duration(value, pointer)


def status_of(text: str, pointer: str) -> Status:
    """Return the status that ``text`` names, in any case."""
    return intake.word(Status, text, pointer)
