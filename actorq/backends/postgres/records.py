"""Records: a job as a row, and back.

What an index or a statement needs has a column of its own. All else is ``rest``: JSON, by the names of
``Job``, without the defaults. A row of a later format may have more in there than this program knows;
whoever writes such a row again puts it back as it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from actorq.core.job import (
    DEFAULT_BACKOFF,
    FORMAT,
    Backoff,
    DeadReason,
    Delivery,
    Job,
    JobError,
    Lease,
    Settlement,
)
from actorq.core.transitions import Status
from actorq.core.workflow import Workflow

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

CODES: Final = {status: code for code, status in enumerate(Status)}
"""The numbers of the statuses in the tables: the order in which ``Status`` names them, for ever."""

STATUSES: Final = tuple(Status)
"""The statuses by their numbers."""


class Rest(msgspec.Struct, frozen=True, omit_defaults=True):
    """What no index and no statement needs."""

    max_retries: int = 3
    retry_count: int = 0
    delivery: Delivery = Delivery.AT_LEAST_ONCE
    metadata: dict[str, str] = {}
    task: str | None = None
    expiries: int = 0
    interruptions: int = 0
    backoff: Backoff = DEFAULT_BACKOFF
    timeout: float | None = None
    progress: str | None = None
    errors: tuple[JobError, ...] = ()
    dead_reason: DeadReason | None = None
    cancel_requested: bool = False
    schedule: str | None = None
    tick: int | None = None
    workflow: Workflow | None = None


Unknown = dict[str, msgspec.Raw]
"""The fields of a later format, as they were found."""

_ENCODER: Final = msgspec.json.Encoder()
_REST: Final = msgspec.json.Decoder(Rest)
_FIELDS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_PLAIN: Final = Rest()
_EMPTY: Final = "{}"


class Entry(msgspec.Struct):
    """A job in a transaction: how it is by now, and how it was found (None: it is new)."""

    job: Job
    queue: int
    was: Job | None = None
    format: int = FORMAT
    unknown: Unknown | None = None


def encode_rest(job: Job, unknown: Unknown | None = None) -> str:
    """Encode what has no column."""
    if unknown is None and _is_plain(job):
        return _EMPTY
    rest = Rest(
        job.max_retries,
        job.retry_count,
        job.delivery,
        job.metadata,
        job.task,
        job.expiries,
        job.interruptions,
        job.backoff,
        job.timeout,
        job.progress,
        job.errors,
        job.dead_reason,
        job.cancel_requested,
        job.schedule,
        job.tick,
        job.workflow,
    )
    data = _ENCODER.encode(rest)
    if unknown:
        data = _ENCODER.encode({**_FIELDS.decode(data), **unknown})
    return data.decode()


def _is_plain(job: Job) -> bool:
    """Tell whether nothing but defaults would be in the rest: the most frequent case, told at once."""
    return (
        not job.metadata
        and job.task is None
        and job.max_retries == _PLAIN.max_retries
        and job.delivery is Delivery.AT_LEAST_ONCE
        and job.backoff is DEFAULT_BACKOFF
        and job.timeout is None
        and job.retry_count == job.expiries == job.interruptions == 0
        and job.progress is None
        and not job.errors
        and job.dead_reason is None
        and not job.cancel_requested
        and job.schedule is None
        and job.workflow is None
    )


def decode_rest(text: str) -> Rest:
    """Decode what has no column."""
    return _PLAIN if text == _EMPTY else _REST.decode(text)


def rest_changed(old: Job, new: Job) -> bool:
    """Tell whether a step changed anything that has no column."""
    # A step replaces what it changes and keeps the rest as the same objects, which makes this cheap.
    return (
        old.errors is not new.errors
        or old.metadata is not new.metadata
        or old.progress is not new.progress
        or old.max_retries != new.max_retries
        or old.retry_count != new.retry_count
        or old.expiries != new.expiries
        or old.interruptions != new.interruptions
        or old.dead_reason is not new.dead_reason
        or old.cancel_requested is not new.cancel_requested
        or old.workflow is not new.workflow
    )


def reader(name_of: Callable[[int], str]) -> Callable[[Sequence[Any]], Entry]:
    """Return what makes an entry of a row of ``jobs.sql``; ``name_of`` knows queues by number."""

    def read(row: Sequence[Any]) -> Entry:
        (
            job_id, queue, status, priority, available_at, created_at, updated_at, expires_at,
            attempt, version, record_format, dedupe_key, dedupe_until, settled_token, settled_by,
            token, worker_id, claimed_at, leased_until, visibility,
            completed_at, result, payload, text,
        ) = row  # fmt: skip
        rest = decode_rest(text)
        job = Job(
            id=job_id,
            queue_name=name_of(queue),
            status=STATUSES[int(status)],
            payload=payload.decode(),
            priority=priority,
            max_retries=rest.max_retries,
            retry_count=rest.retry_count,
            delivery=rest.delivery,
            available_at=available_at,
            created_at=created_at,
            updated_at=updated_at,
            metadata=rest.metadata or {},
            task=rest.task,
            attempt=attempt,
            expiries=rest.expiries,
            interruptions=rest.interruptions,
            dedupe_key=dedupe_key,
            dedupe_until=dedupe_until,
            backoff=rest.backoff,
            timeout=rest.timeout,
            expires_at=expires_at,
            progress=rest.progress,
            result=result,
            errors=rest.errors,
            dead_reason=rest.dead_reason,
            completed_at=completed_at,
            cancel_requested=rest.cancel_requested,
            version=version,
            lease=_lease(token, worker_id, claimed_at, leased_until, visibility),
            settled_token=settled_token,
            settled_by=None if settled_by is None else Settlement(settled_by),
            schedule=rest.schedule,
            tick=rest.tick,
            workflow=rest.workflow,
        )
        return Entry(job, queue, job, record_format, _unknown(text, record_format))

    return read


def _lease(
    token: str | None, worker_id: str, claimed_at: int, leased_until: int, visibility: float
) -> Lease | None:
    return None if token is None else Lease(token, worker_id, claimed_at, leased_until, visibility)


def _unknown(text: str, record_format: int) -> Unknown | None:
    if record_format <= FORMAT:
        return None
    known = Rest.__struct_fields__
    # Copies: a Raw is a view that would keep the whole text.
    return {name: raw.copy() for name, raw in _FIELDS.decode(text).items() if name not in known}
