"""Records: how a job is kept, in two fields, and put together again.

What a job *is* is written once; how it *stands* is written at every step, and is small. A job to which
nothing has happened yet has no state: it follows from the body. A claim is written by a script, which
knows no record from inside: it puts the lease behind the state as that was, and ``lifecycle.claim``
is applied when the record is read. Both fields are MessagePack, laid out so that scripts find what they
need at fixed places:

    body    [created_at, Body]
    state   [version, created_at, updated_at, State or nil, Tenure or nil]    the numbers as 64 bits each

A field that this version does not know stands in the map ``later`` and is written back as it was.
"""

from __future__ import annotations

from struct import Struct as Packing
from typing import Final, NamedTuple

import msgspec
from msgspec.structs import astuple, replace

from actorq.backends.redis.origin import origin_of, schedule_in, tick_in
from actorq.backends.redis.tenure import Tenure, encode_lease, lease_of
from actorq.backends.redis.workflow import asked_in, standing_in, with_standing
from actorq.core import lifecycle
from actorq.core.instants import to_us
from actorq.core.job import (
    DEFAULT_BACKOFF,
    FORMAT,
    Backoff,
    DeadReason,
    Delivery,
    ErrorKind,
    Job,
    JobError,
    NewJob,
    Settlement,
    TickJob,
)
from actorq.core.transitions import Status

_Later = dict[str, msgspec.Raw]


class Body(msgspec.Struct, array_like=True, frozen=True):
    """What a job is. It is due at ``due``, or ``delay`` microseconds after its creation.

    ``format`` is the version of the program that made the record.
    """

    format: int
    queue_name: str
    payload: str
    priority: int
    max_retries: int
    at_most_once: bool
    due: int | None
    delay: int
    metadata: dict[str, str]
    task: str | None
    backoff: Backoff | None
    timeout: float | None
    expires_at: int | None
    dedupe_key: str | None
    dedupe_window: int
    later: _Later = {}


class State(msgspec.Struct, array_like=True, frozen=True):
    """How a job stands; while it runs, perhaps how it stood before it was claimed.

    A ``completed_at`` of 0 stands for the instant of the latest write.
    """

    status: Status
    available_at: int
    attempt: int
    retry_count: int
    expiries: int
    interruptions: int
    expires_at: int | None
    completed_at: int | None
    dead_reason: DeadReason | None
    cancel_requested: bool
    progress: str | None
    result: str | None
    errors: tuple[tuple[int, str, int, ErrorKind, str], ...]
    settled_token: str | None
    settled_by: Settlement | None
    later: _Later = {}


class StoredBody(msgspec.Struct, array_like=True, frozen=True):
    """The field ``body``."""

    created_at: int
    body: Body


class StoredState(msgspec.Struct, array_like=True, frozen=True):
    """The field ``state``."""

    version: int
    created_at: int
    updated_at: int
    state: State | None
    tenure: Tenure | None


class Record(NamedTuple):
    """A job as it was read, and what a later version of this program keeps beside it."""

    job: Job
    untouched: bool
    """True when there is no state yet."""
    format: int
    body_later: _Later
    state_later: _Later


_NOTHING: Final[_Later] = {}
_HEAD: Final = Packing(">BBQBQBQ")
_ARRAY_OF_5, _UINT64, _NIL = 0x95, 0xCF, b"\xc0"
_encode = msgspec.msgpack.Encoder().encode


def version_mark(version: int) -> bytes:
    """Return how the state of a job at ``version`` begins."""
    return bytes((_ARRAY_OF_5, _UINT64)) + version.to_bytes(8, "big")


def encode_new(new: NewJob) -> bytes:
    """Return the body of a job that is to be made; the script puts its creation in front."""
    return _encode(
        Body(
            FORMAT,
            new.queue_name,
            new.payload,
            new.priority,
            new.max_retries,
            new.delivery is Delivery.AT_MOST_ONCE,
            new.available_at,
            to_us(new.delay) if new.delay and new.available_at is None else 0,
            new.metadata,
            new.task,
            None if new.backoff == DEFAULT_BACKOFF else new.backoff,
            new.timeout,
            new.expires_at,
            new.dedupe_key,
            to_us(new.dedupe_window) if new.dedupe_key is not None else 0,
            origin_of(new) if type(new) is TickJob else _NOTHING,
        )
    )


def encode_body(job: Job, later: _Later, format_: int = FORMAT) -> bytes:
    """Return the field ``body`` of a job."""
    body = Body(
        format_,
        job.queue_name,
        job.payload,
        job.priority,
        job.max_retries,
        job.delivery is Delivery.AT_MOST_ONCE,
        job.available_at,
        0,
        job.metadata,
        job.task,
        None if job.backoff == DEFAULT_BACKOFF else job.backoff,
        job.timeout,
        job.expires_at,
        job.dedupe_key,
        job.dedupe_until - job.created_at if job.dedupe_until is not None else 0,
        later,
    )
    return _encode(StoredBody(job.created_at, body))


def encode_state(job: Job, later: _Later) -> bytes:
    """Return the field ``state`` of a job."""
    lease = job.lease
    if job.workflow is not None:
        later = with_standing(later, job.workflow)
    state = State(
        job.status,
        job.available_at,
        job.attempt,
        job.retry_count,
        job.expiries,
        job.interruptions,
        job.expires_at,
        job.completed_at,
        job.dead_reason,
        job.cancel_requested,
        job.progress,
        job.result,
        tuple(astuple(error) for error in job.errors),
        job.settled_token,
        job.settled_by,
        later,
    )
    head = _HEAD.pack(
        _ARRAY_OF_5, _UINT64, job.version, _UINT64, job.created_at, _UINT64, job.updated_at
    )
    return head + _encode(state) + (_NIL if lease is None else encode_lease(lease))


def assemble(job_id: str, stored: StoredBody, kept: StoredState | None) -> Record:
    """Put a record together from its two fields."""
    body = stored.body
    job = _untouched(job_id, stored)
    if kept is None:
        return Record(job, True, body.format, body.later, {})
    state, tenure = kept.state, kept.tenure
    # The script that wrote a claim has raised the version; the decision will raise it as well.
    by_script = tenure is not None and (state is None or state.status is not Status.RUNNING)
    if state is not None:
        job = _standing(job, kept, state, kept.version - by_script)
    if tenure is not None:
        job = _claimed(job, tenure) if by_script else replace(job, lease=lease_of(tenure))
    state_later = _NOTHING if state is None else state.later
    return Record(job, False, body.format, body.later, state_later)


def _claimed(job: Job, tenure: Tenure) -> Job:
    """Return a job that a script has claimed: its record is as it was before, but for the lease."""
    return lifecycle.claim(
        job, tenure.token, tenure.worker_id, tenure.visibility_timeout, tenure.claimed_at
    )


def _untouched(job_id: str, stored: StoredBody) -> Job:
    """Return the job as it was made."""
    created_at, body = stored.created_at, stored.body
    due = body.due
    available_at = created_at + body.delay if due is None else due
    key = body.dedupe_key
    return Job(
        id=job_id,
        queue_name=body.queue_name,
        status=Status.DELAYED if available_at > created_at else Status.PENDING,
        payload=body.payload,
        priority=body.priority,
        max_retries=body.max_retries,
        delivery=Delivery.AT_MOST_ONCE if body.at_most_once else Delivery.AT_LEAST_ONCE,
        available_at=available_at,
        created_at=created_at,
        updated_at=created_at,
        metadata=body.metadata,
        task=body.task,
        dedupe_key=key,
        dedupe_until=None if key is None else created_at + body.dedupe_window,
        backoff=body.backoff or DEFAULT_BACKOFF,
        timeout=body.timeout,
        expires_at=body.expires_at,
        schedule=schedule_in(body.later),
        tick=tick_in(body.later),
        workflow=asked_in(body.later),
    )


def _standing(job: Job, kept: StoredState, state: State, version: int) -> Job:
    """Return the job with what has happened to it since it was made."""
    return replace(
        job,
        status=state.status,
        available_at=state.available_at,
        updated_at=kept.updated_at,
        attempt=state.attempt,
        retry_count=state.retry_count,
        expiries=state.expiries,
        interruptions=state.interruptions,
        expires_at=state.expires_at,
        completed_at=kept.updated_at if state.completed_at == 0 else state.completed_at,
        dead_reason=state.dead_reason,
        cancel_requested=state.cancel_requested,
        progress=state.progress,
        result=state.result,
        errors=tuple(JobError(*error) for error in state.errors),
        settled_token=state.settled_token,
        settled_by=state.settled_by,
        version=version,
        workflow=standing_in(state.later, job.workflow),
    )
