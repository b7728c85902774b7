"""The job: the record that every store keeps, and what it is made of.

A record holds texts, numbers and other records, so no cycle can run through it: ``gc=False`` spares
the garbage collector the look at each of a million of them.
"""

from enum import StrEnum
from typing import Final

import msgspec

from actorq.core.instants import to_us
from actorq.core.transitions import LIVE, Status
from actorq.core.workflow import OnParentFailure, Workflow

FORMAT: Final = 2
"""The version of the stored record. A store writes it beside each job, and leaves alone every
field that it does not know, so that an older and a newer server can share one store."""

MAX_ERRORS: Final = 20
"""How many of a job's errors are kept: the latest."""


class Delivery(StrEnum):
    """How often a job may be started."""

    AT_LEAST_ONCE = "at_least_once"
    AT_MOST_ONCE = "at_most_once"


class DeadReason(StrEnum):
    """Why a job is in the dead letter queue."""

    RETRIES_EXHAUSTED = "retries_exhausted"
    REJECTED = "rejected"
    LEASE_EXPIRED = "lease_expired"
    EXPIRED = "expired"


class ErrorKind(StrEnum):
    """What an entry of a job's history tells; only ``failure`` is the handler's own."""

    FAILURE = "failure"
    LEASE_EXPIRED = "lease_expired"
    INTERRUPTED = "interrupted"
    EXPIRED = "expired"


class OnDuplicate(StrEnum):
    """What an enqueue does when a job holds its dedupe key already."""

    RETURN = "return"
    REJECT = "reject"
    REPLACE = "replace"


class Settlement(StrEnum):
    """How a lease was settled by its holder."""

    ACK = "ack"
    FAIL = "fail"
    RELEASE = "release"


class Backoff(msgspec.Struct, frozen=True, gc=False):
    """The delays between retries: ``min(max, base * factor ** (n - 1))`` seconds before retry n."""

    base: float = 1.0
    factor: float = 2.0
    max: float = 3_600.0


DEFAULT_BACKOFF: Final = Backoff()
"""What a job gets which asks for nothing else (contract §5)."""


class JobError(msgspec.Struct, frozen=True, gc=False):
    """One entry of a job's history: which attempt, whose, when (instant), what."""

    attempt: int
    worker: str
    time: int
    kind: ErrorKind
    message: str


class Lease(msgspec.Struct, frozen=True, gc=False):
    """The right to work on a job, until ``expires_at``.

    ``claimed_at`` and ``expires_at`` are instants on the store's clock; ``visibility_timeout`` is
    seconds. The token is shown to nobody but the holder: to all others it is empty.
    """

    token: str
    worker_id: str
    claimed_at: int
    expires_at: int
    visibility_timeout: float


class Idempotency(msgspec.Struct, frozen=True):
    """One request's identity: the scoped key and the fingerprint of what was asked, both digests."""

    key: str
    fingerprint: str


class NewJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job that somebody asks for: with its id, not yet written. ``JobQueue.new_job`` makes it.

    Exactly one of ``delay`` (seconds, counted by the store's clock) and ``available_at`` (instant)
    says when it is due; neither means at once. ``dedupe_window`` is seconds.
    """

    id: str
    queue_name: str
    payload: str
    priority: int = 0
    max_retries: int = 3
    delivery: Delivery = Delivery.AT_LEAST_ONCE
    delay: float | None = None
    available_at: int | None = None
    metadata: dict[str, str] = {}
    task: str | None = None
    backoff: Backoff = DEFAULT_BACKOFF
    timeout: float | None = None
    expires_at: int | None = None
    dedupe_key: str | None = None
    dedupe_window: float = 0.0
    on_duplicate: OnDuplicate = OnDuplicate.RETURN
    idempotency: Idempotency | None = None


class CheckedJob(NewJob, frozen=True, kw_only=True):
    """A job that the intake made: its values need not be looked at again."""


class TickJob(CheckedJob, frozen=True, kw_only=True):
    """The job that a schedule makes: for ``tick`` (instant), or when somebody asked for it (None).

    A class of its own, as the fingerprint of a request must not change with what no request can say.
    """

    schedule: str
    tick: int | None


class DependentJob(CheckedJob, frozen=True, kw_only=True):
    """A job that waits for the ends of others, ``depends_on``: their ids, none of them twice.

    A class of its own for the same reason, and so that a job without parents pays nothing for them.
    """

    depends_on: tuple[str, ...]
    on_parent_failure: OnParentFailure = OnParentFailure.CANCEL


class Job(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The record of one job (contract §1).

    Instants are microseconds since the Unix epoch, by the store's clock; ``timeout`` is seconds;
    ``progress`` and ``result`` are JSON text. ``dedupe_until`` is the instant to which the dedupe window
    holds the key beyond the job's own life. ``settled_token`` and ``settled_by`` remember the last
    settlement by a holder, so that a repeated call is known as one; they are the store's business.
    ``schedule`` names the schedule that made it, ``tick`` is the instant for which. A job that waits for
    others is ``delayed``, and not available before the end of time (``LATEST_US``).
    """

    id: str
    queue_name: str
    status: Status
    payload: str
    priority: int
    max_retries: int
    retry_count: int = 0
    delivery: Delivery = Delivery.AT_LEAST_ONCE
    available_at: int
    created_at: int
    updated_at: int
    metadata: dict[str, str] = {}
    task: str | None = None
    attempt: int = 0
    expiries: int = 0
    interruptions: int = 0
    dedupe_key: str | None = None
    dedupe_until: int | None = None
    backoff: Backoff = DEFAULT_BACKOFF
    timeout: float | None = None
    expires_at: int | None = None
    progress: str | None = None
    result: str | None = None
    errors: tuple[JobError, ...] = ()
    dead_reason: DeadReason | None = None
    completed_at: int | None = None
    cancel_requested: bool = False
    version: int = 1
    lease: Lease | None = None
    settled_token: str | None = None
    settled_by: Settlement | None = None
    schedule: str | None = None
    tick: int | None = None
    workflow: Workflow | None = None

    @property
    def waits_for_others(self) -> bool:
        """Whether the job has no due time yet, as others must end before."""
        return (
            self.workflow is not None
            and bool(self.workflow.waiting_for)
            and self.status is Status.DELAYED
        )

    def holds_key(self, now: int) -> bool:
        """Tell whether the job holds its dedupe key at the instant ``now``: live, or in its window."""
        if self.dedupe_key is None:
            return False
        return self.status in LIVE or (self.dedupe_until is not None and self.dedupe_until > now)


def create(new: NewJob, now: int) -> Job:
    """Make the record of ``new`` at the store's instant ``now``: pending if due, else delayed."""
    available_at = new.available_at
    if available_at is None:
        available_at = now + to_us(new.delay) if new.delay else now
    job = Job(
        id=new.id,
        queue_name=new.queue_name,
        status=Status.DELAYED if available_at > now else Status.PENDING,
        payload=new.payload,
        priority=new.priority,
        max_retries=new.max_retries,
        delivery=new.delivery,
        available_at=available_at,
        created_at=now,
        updated_at=now,
        metadata=new.metadata,
        task=new.task,
        dedupe_key=new.dedupe_key,
        dedupe_until=now + to_us(new.dedupe_window) if new.dedupe_key is not None else None,
        backoff=new.backoff,
        timeout=new.timeout,
        expires_at=new.expires_at,
    )
    # By identity: the class of a struct asks its metaclass who is an instance, which takes a while.
    if type(new) is TickJob:
        return msgspec.structs.replace(job, schedule=new.schedule, tick=new.tick)
    if type(new) is DependentJob:
        known = Workflow(depends_on=new.depends_on, on_parent_failure=new.on_parent_failure)
        return msgspec.structs.replace(job, workflow=known)
    return job
