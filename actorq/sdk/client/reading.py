"""Jobs in answers, as actorq's own records: the same that a queue gives which runs in this process.

Three things of a record are not told over HTTP: ``dedupe_until``, by which token a job was settled, and
when a lease was claimed. ``Lease.claimed_at`` is the instant of its last renewal, and its
``visibility_timeout`` is 0 where the lease is somebody else's.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Final, Literal

import msgspec
from msgspec import Meta

from actorq.core.instants import LATEST_US, from_datetime, to_us
from actorq.core.job import (
    DEFAULT_BACKOFF,
    Backoff,
    DeadReason,
    Delivery,
    ErrorKind,
    Job,
    JobError,
    Lease,
)
from actorq.core.results import Enqueued, Outcome, Page, PrunedReplay
from actorq.core.transitions import Status
from actorq.core.workflow import OnParentFailure, Workflow
from actorq.errors import InvalidInput
from actorq.sdk.client.problems import not_understood

if TYPE_CHECKING:
    from collections.abc import Generator

    from actorq.sdk.client.exchange import Answer, Subject

CREATED: Final = 201

Moment = Annotated[datetime, Meta(tz=True)]
"""An RFC 3339 instant."""

_NULL: Final = msgspec.Raw(b"null")
_KINDS: Final = frozenset(ErrorKind)
_REASONS: Final = frozenset(DeadReason)


class _Lease(msgspec.Struct, frozen=True):
    worker_id: str
    expires_at: Moment
    token: str = ""
    visibility_timeout: float = 0.0

    def record(self) -> Lease:
        """Return the lease as a record."""
        expires_at = from_datetime(self.expires_at)
        claimed_at = expires_at - to_us(self.visibility_timeout)
        return Lease(self.token, self.worker_id, claimed_at, expires_at, self.visibility_timeout)


class _Error(msgspec.Struct, frozen=True):
    attempt: int
    worker: str
    time: Moment
    kind: str
    message: str


class JobAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A job as a server shows it; one that is older may leave out what came later."""

    id: str
    queue_name: str
    status: Status
    payload: str
    priority: int
    max_retries: int
    retry_count: int = 0
    delivery: Delivery = Delivery.AT_LEAST_ONCE
    available_at: Moment | None
    created_at: Moment
    updated_at: Moment
    metadata: dict[str, str] = {}
    task: str | None = None
    attempt: int = 0
    expiries: int = 0
    interruptions: int = 0
    dedupe_key: str | None = None
    backoff: Backoff = DEFAULT_BACKOFF
    timeout: float | None = None
    expires_at: Moment | None = None
    progress: msgspec.Raw = _NULL
    result: msgspec.Raw = _NULL
    errors: tuple[_Error, ...] = ()
    dead_reason: str | None = None
    completed_at: Moment | None = None
    cancel_requested: bool = False
    version: int = 1
    lease: _Lease | None = None
    schedule: str | None = None
    tick: Moment | None = None
    depends_on: tuple[str, ...] = ()
    waiting_for: tuple[str, ...] = ()
    on_parent_failure: OnParentFailure = OnParentFailure.CANCEL
    not_before: Moment | None = None
    dependents: tuple[str, ...] = ()
    duplicate: bool = False
    replaced: bool = False

    def record(self) -> Job:
        """Return the job as a record."""
        return Job(
            id=self.id,
            queue_name=self.queue_name,
            status=self.status,
            payload=self.payload,
            priority=self.priority,
            max_retries=self.max_retries,
            retry_count=self.retry_count,
            delivery=self.delivery,
            available_at=_due(self.available_at),
            created_at=from_datetime(self.created_at),
            updated_at=from_datetime(self.updated_at),
            metadata=self.metadata,
            task=self.task,
            attempt=self.attempt,
            expiries=self.expiries,
            interruptions=self.interruptions,
            dedupe_key=self.dedupe_key,
            backoff=self.backoff,
            timeout=self.timeout,
            expires_at=_instant(self.expires_at),
            progress=_text(self.progress),
            result=_text(self.result),
            errors=_history(self.errors),
            dead_reason=_dead_reason(self.dead_reason),
            completed_at=_instant(self.completed_at),
            cancel_requested=self.cancel_requested,
            version=self.version,
            lease=None if self.lease is None else self.lease.record(),
            schedule=self.schedule,
            tick=_instant(self.tick),
            workflow=self._workflow(),
        )

    def _workflow(self) -> Workflow | None:
        """Return the job's place among others, if it has one."""
        if not self.depends_on and not self.dependents:
            return None
        return Workflow(
            depends_on=self.depends_on,
            waiting_for=self.waiting_for,
            on_parent_failure=self.on_parent_failure,
            not_before=_instant(self.not_before),
            dependents=self.dependents,
        )

    def outcome(self) -> Outcome:
        """Return what the enqueue did that this job is the answer to."""
        if self.replaced:
            return Outcome.REPLACED
        return Outcome.DUPLICATE if self.duplicate else Outcome.CREATED


class PrunedAnswer(msgspec.Struct, frozen=True):
    """What is left of a job that was pruned since its request was first made."""

    id: str
    queue_name: str
    created_at: Moment
    pruned: Literal[True]

    def record(self, status: int) -> PrunedReplay:
        """Return what is known; ``status`` is that of the answer when the request was first made."""
        outcome = Outcome.CREATED if status == CREATED else Outcome.DUPLICATE
        return PrunedReplay(self.id, self.queue_name, from_datetime(self.created_at), outcome)


class _Page(msgspec.Struct, frozen=True):
    jobs: list[JobAnswer]
    next: str | None


_job: Final = msgspec.json.Decoder(JobAnswer)
_jobs: Final = msgspec.json.Decoder(list[JobAnswer])
_page: Final = msgspec.json.Decoder(_Page)
_pruned: Final = msgspec.json.Decoder(PrunedAnswer)


@contextmanager
def understanding(answer: Answer) -> Generator[None]:
    """Turn whatever is wrong with an answer into ``BadAnswer``."""
    try:
        yield
    except (msgspec.DecodeError, InvalidInput, ValueError, OverflowError, RecursionError) as error:
        raise not_understood(answer, error) from error


def job(answer: Answer, about: Subject) -> Job:
    """Return the job that was asked for; raises ``BadAnswer``."""
    with understanding(answer):
        return read_job(answer.body, about)


def claimed(answer: Answer, about: Subject) -> tuple[Job, ...]:
    """Return jobs of the queue that was asked for, each under a lease; raises ``BadAnswer``."""
    with understanding(answer):
        found = tuple(one.record() for one in _jobs.decode(answer.body))
        for one in found:
            _check(one, about)
            if one.lease is None or not one.lease.token:
                raise ValueError(f"job {one.id} comes without a lease")
        return found


def page(answer: Answer) -> Page:
    """Return a page of a listing; its ``next_before`` is the server's cursor."""
    with understanding(answer):
        found = _page.decode(answer.body)
        return Page(tuple(one.record() for one in found.jobs), found.next)


def enqueued(answer: Answer, about: Subject) -> Enqueued | PrunedReplay:
    """Return what became of one enqueue; raises ``BadAnswer``."""
    replayed = answer.headers.get("idempotent-replayed", "").strip().lower() == "true"
    with understanding(answer):
        return read_enqueued(answer.body, about, answer.status, replayed=replayed)


def read_enqueued(
    data: bytes | msgspec.Raw, about: Subject, status: int, *, replayed: bool
) -> Enqueued | PrunedReplay:
    """Read one job that was enqueued, or what is left of it; ``status`` is 201 where it was made."""
    try:
        made = _job.decode(data)
    except msgspec.ValidationError as error:
        try:
            return _pruned.decode(data).record(status)
        except msgspec.ValidationError:
            raise error from None
    return Enqueued(_check(made.record(), about), made.outcome(), replayed)


def read_job(data: bytes | msgspec.Raw, about: Subject) -> Job:
    """Read one job."""
    return _check(_job.decode(data).record(), about)


def _check(found: Job, about: Subject) -> Job:
    """Refuse a job that nobody asked for: an answer that belongs to another request (I16)."""
    if about.job_id and found.id != about.job_id:
        raise ValueError(f"it is about job {found.id}, not {about.job_id}")
    if about.queue_name and found.queue_name != about.queue_name:
        raise ValueError(f"it is about queue {found.queue_name}, not {about.queue_name}")
    return found


def _due(moment: datetime | None) -> int:
    """Return when a job is due; one that waits for others is not before the end of time."""
    return LATEST_US if moment is None else from_datetime(moment)


def _instant(moment: datetime | None) -> int | None:
    return None if moment is None else from_datetime(moment)


def _text(raw: msgspec.Raw) -> str | None:
    text = bytes(raw).decode()
    return None if text == "null" else text


def _history(errors: tuple[_Error, ...]) -> tuple[JobError, ...]:
    """Return the entries whose kind is known here: a newer server may tell of others."""
    return tuple(
        JobError(one.attempt, one.worker, from_datetime(one.time), ErrorKind(one.kind), one.message)
        for one in errors
        if one.kind in _KINDS
    )


def _dead_reason(word: str | None) -> DeadReason | None:
    return DeadReason(word) if word in _REASONS else None
