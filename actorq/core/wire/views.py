"""What is shown of a job and of a queue: never a lease's token, but to its holder."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from actorq.core.instants import format_instant
from actorq.core.job import Backoff, DeadReason, Delivery, ErrorKind, Job
from actorq.core.policy import Retention
from actorq.core.queue import QueueLength, QueueStats
from actorq.core.results import Enqueued, Outcome, PrunedReplay
from actorq.core.transitions import Status
from actorq.core.workflow import OnParentFailure, Workflow

_NULL: Final = msgspec.Raw(b"null")

_INSTANT: Final = Meta(extra_json_schema={"format": "date-time"})
Instant = Annotated[str, _INSTANT]
MaybeInstant = Annotated[str | None, _INSTANT]
StatusName = Annotated[str, Meta(extra_json_schema={"enum": [*Status]})]
DeliveryName = Annotated[str, Meta(extra_json_schema={"enum": [*Delivery]})]
ErrorKindName = Annotated[str, Meta(extra_json_schema={"enum": [*ErrorKind]})]
DeadReasonName = Annotated[str | None, Meta(extra_json_schema={"enum": [*DeadReason, None]})]
JobIds = tuple[str, ...] | msgspec.UnsetType
OnParentFailureName = Annotated[
    str | msgspec.UnsetType, Meta(extra_json_schema={"enum": [*OnParentFailure]})
]
DirectiveName = Annotated[
    str | msgspec.UnsetType,
    Meta(
        description="What the holder is asked to do.",
        extra_json_schema={"enum": ["continue", "cancel", "drain"]},
    ),
]


class LeaseView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who works on the job, and until when; the token only for its holder."""

    worker_id: str
    expires_at: Instant
    token: str | None = None
    visibility_timeout: float | None = None


class ErrorView(msgspec.Struct, frozen=True):
    """One entry of a job's history."""

    attempt: int
    worker: str
    time: Instant
    kind: ErrorKindName
    message: str


class JobView(msgspec.Struct, frozen=True, kw_only=True):
    """A job as JSON shows it. Instants are RFC 3339 in UTC; durations are seconds."""

    id: str
    queue_name: str
    status: StatusName
    payload: str
    priority: int
    max_retries: int
    retry_count: int
    delivery: DeliveryName
    available_at: MaybeInstant
    created_at: Instant
    updated_at: Instant
    metadata: dict[str, str]
    task: str | None
    attempt: int
    expiries: int
    interruptions: int
    dedupe_key: str | None
    backoff: Backoff
    timeout: float | None
    expires_at: MaybeInstant
    progress: msgspec.Raw
    result: msgspec.Raw
    errors: list[ErrorView]
    dead_reason: DeadReasonName
    completed_at: MaybeInstant
    cancel_requested: bool
    version: int
    lease: LeaseView | None
    schedule: str | msgspec.UnsetType = msgspec.UNSET
    tick: Instant | msgspec.UnsetType = msgspec.UNSET
    depends_on: JobIds = msgspec.UNSET
    waiting_for: JobIds = msgspec.UNSET
    on_parent_failure: OnParentFailureName = msgspec.UNSET
    not_before: Instant | msgspec.UnsetType = msgspec.UNSET
    dependents: JobIds = msgspec.UNSET
    duplicate: bool | msgspec.UnsetType = msgspec.UNSET
    replaced: bool | msgspec.UnsetType = msgspec.UNSET
    directive: DirectiveName = msgspec.UNSET


class PrunedView(msgspec.Struct, frozen=True):
    """What is left of a job that was pruned since its request was first made."""

    id: str
    queue_name: str
    created_at: Instant
    pruned: bool = True


class QueueView(msgspec.Struct, frozen=True, kw_only=True):
    """A queue's figures; ``oldest_pending_age`` is seconds."""

    name: str
    pending: int
    delayed: int
    running: int
    completed: int
    dead: int
    cancelled: int
    paused: bool
    oldest_pending_age: float | None
    accepted: int
    pruned: int
    as_of: Instant


class LengthView(msgspec.Struct, frozen=True, kw_only=True):
    """How many jobs wait: ``length`` counts pending only."""

    queue_name: str
    length: int
    pending: int
    delayed: int
    running: int
    paused: bool


class SettingsView(msgspec.Struct, frozen=True, kw_only=True):
    """A queue's settings; null where the server's default holds."""

    queue_name: str
    paused: bool
    paused_reason: str | None
    max_running: int | None
    max_depth: int | None
    visibility_timeout: float | None
    retention: Retention | None


def job_view(job: Job, *, holder: bool = False) -> JobView:
    """Show a job; to its holder with the lease's token."""
    created_at = format_instant(job.created_at)
    # A job that was just made is shown most often, and has one instant for all three.
    is_new = job.created_at == job.updated_at == job.available_at
    view = JobView(
        id=job.id,
        queue_name=job.queue_name,
        # A member is written as its value; to look that up here, for each job, is slow.
        status=job.status,
        payload=job.payload,
        priority=job.priority,
        max_retries=job.max_retries,
        retry_count=job.retry_count,
        delivery=job.delivery,
        available_at=created_at if is_new else format_instant(job.available_at),
        created_at=created_at,
        updated_at=created_at if is_new else format_instant(job.updated_at),
        metadata=job.metadata,
        task=job.task,
        attempt=job.attempt,
        expiries=job.expiries,
        interruptions=job.interruptions,
        dedupe_key=job.dedupe_key,
        backoff=job.backoff,
        timeout=job.timeout,
        expires_at=_instant(job.expires_at),
        progress=_raw(job.progress),
        result=_raw(job.result),
        errors=[
            ErrorView(e.attempt, e.worker, format_instant(e.time), e.kind, e.message)
            for e in job.errors
        ],
        dead_reason=job.dead_reason,
        completed_at=_instant(job.completed_at),
        cancel_requested=job.cancel_requested,
        version=job.version,
        lease=_lease(job, holder=holder),
        schedule=msgspec.UNSET if job.schedule is None else job.schedule,
        tick=msgspec.UNSET if job.tick is None else format_instant(job.tick),
    )
    return view if job.workflow is None else _with_workflow(view, job.workflow)


def enqueued_view(result: Enqueued) -> JobView:
    """Show what an enqueue came to: ``duplicate`` when the job was there before."""
    view = job_view(result.job)
    if result.outcome is Outcome.CREATED:
        return view
    replaced = True if result.outcome is Outcome.REPLACED else msgspec.UNSET
    return msgspec.structs.replace(view, duplicate=True, replaced=replaced)


def pruned_view(replay: PrunedReplay) -> PrunedView:
    """Show what an idempotency record still knows of its job."""
    return PrunedView(replay.id, replay.queue_name, format_instant(replay.created_at))


def queue_view(stats: QueueStats, now: int) -> QueueView:
    """Show a queue's figures as they were at the instant ``now``."""
    oldest = stats.oldest_pending_at
    count = stats.counts.get
    return QueueView(
        name=stats.name,
        pending=count(Status.PENDING, 0),
        delayed=count(Status.DELAYED, 0),
        running=count(Status.RUNNING, 0),
        completed=count(Status.COMPLETED, 0),
        dead=count(Status.DEAD, 0),
        cancelled=count(Status.CANCELLED, 0),
        paused=stats.settings.paused,
        oldest_pending_age=None if oldest is None else max(0.0, (now - oldest) / 1_000_000),
        accepted=stats.accepted,
        pruned=stats.pruned,
        as_of=format_instant(now),
    )


def length_view(length: QueueLength) -> LengthView:
    """Show a queue's exact length."""
    return LengthView(
        queue_name=length.queue_name,
        length=length.pending,
        pending=length.pending,
        delayed=length.delayed,
        running=length.running,
        paused=length.paused,
    )


def settings_view(stats: QueueStats) -> SettingsView:
    """Show a queue's settings."""
    settings = stats.settings
    return SettingsView(
        queue_name=stats.name,
        paused=settings.paused,
        paused_reason=settings.paused_reason,
        max_running=settings.max_running,
        max_depth=settings.max_depth,
        visibility_timeout=settings.visibility_timeout,
        retention=settings.retention,
    )


def _with_workflow(view: JobView, known: Workflow) -> JobView:
    """Show a job's place among others: those that it depends on, if any, and those that depend on it."""
    if known.dependents:
        view = msgspec.structs.replace(view, dependents=known.dependents)
    if not known.depends_on:
        return view
    early = known.not_before
    return msgspec.structs.replace(
        view,
        # One that waits for others has no due time, nor has one that ended so.
        available_at=None if known.waiting_for else view.available_at,
        depends_on=known.depends_on,
        waiting_for=known.waiting_for,
        on_parent_failure=known.on_parent_failure,
        not_before=msgspec.UNSET if early is None else format_instant(early),
    )


def _instant(instant: int | None) -> str | None:
    return None if instant is None else format_instant(instant)


def _raw(text: str | None) -> msgspec.Raw:
    return _NULL if text is None else msgspec.Raw(text.encode())


def _lease(job: Job, *, holder: bool) -> LeaseView | None:
    lease = job.lease
    if lease is None:
        return None
    if not holder:
        return LeaseView(worker_id=lease.worker_id, expires_at=format_instant(lease.expires_at))
    return LeaseView(
        worker_id=lease.worker_id,
        expires_at=format_instant(lease.expires_at),
        token=lease.token,
        visibility_timeout=lease.visibility_timeout,
    )
