"""The checks of what is asked of jobs that exist already: settlements, renewals, look-ups, listings.

Like ``intake``, they raise ``InvalidInput``; what passes can be taken by every store. Whether such a
job is there, and whether the token is right, is the store's to say.
"""

from collections.abc import Sequence
from typing import Final, TypeVar

import msgspec

from actorq.core import bounds, intake
from actorq.core.commands import Ack, Extend, Fail, ListJobs, Release, Report
from actorq.core.instants import check_instant
from actorq.core.job import NewJob
from actorq.core.policy import Policy
from actorq.core.results import Claimed
from actorq.core.transitions import Status
from actorq.errors import InvalidInput

_ANY_JSON: Final = msgspec.json.Decoder(msgspec.Raw)

C = TypeVar("C", Ack, Fail, Release, Extend, Report)


def names(ids: Sequence[str]) -> tuple[str, ...]:
    """Return ids that can be looked up; one that names no job is the store's to answer."""
    return tuple(_name(job_id, "/id") for job_id in ids)


def new_jobs(items: Sequence[NewJob], policy: Policy) -> tuple[NewJob, ...]:
    """Check jobs to make; what is wrong has its place in the list."""
    return tuple(_new_job(number, item, policy) for number, item in enumerate(items))


def acks(items: Sequence[Ack], policy: Policy) -> tuple[Ack, ...]:
    """Check acknowledgements; a result is JSON text, as large as a payload may be."""
    return tuple(_ack(item, policy.max_payload_bytes) for item in items)


def fails(items: Sequence[Fail]) -> tuple[Fail, ...]:
    """Check failures."""
    return tuple(
        msgspec.structs.replace(
            _held(item),
            failure=intake.failure(
                item.failure.reason,
                retryable=item.failure.retryable,
                retry_in=item.failure.retry_in,
            ),
        )
        for item in items
    )


def releases(items: Sequence[Release]) -> tuple[Release, ...]:
    """Check hand-backs."""
    return tuple(
        msgspec.structs.replace(
            _held(item),
            delay=bounds.seconds(item.delay, "/delay", least=0.0, most=bounds.MAX_DELAY_S),
        )
        for item in items
    )


def extends(items: Sequence[Extend]) -> tuple[Extend, ...]:
    """Check renewals."""
    for item in items:
        if item.visibility_timeout is not None:
            bounds.visibility_timeout(item.visibility_timeout)
    return tuple(_held(item) for item in items)


def reports(items: Sequence[Report]) -> tuple[Report, ...]:
    """Check reports of progress, which are JSON text."""
    for item in items:
        _is_json(item.progress, "/progress", bounds.MAX_PROGRESS_BYTES)
    return tuple(_held(item) for item in items)


def query(wanted: ListJobs) -> ListJobs:
    """Check what a listing asks for."""
    intake.page_size(wanted.limit)
    if wanted.queue_name is not None:
        bounds.queue_name(wanted.queue_name)
    for name in ("created_from", "created_to"):
        instant: object = getattr(wanted, name)
        if instant is not None:
            check_instant(instant, f"/{name}")
    for name in ("before", "error"):
        text: object = getattr(wanted, name)
        if text is not None:
            bounds.utf8(text, f"/{name}")
    statuses = frozenset(intake.word(Status, status, "/status") for status in wanted.statuses)
    metadata = bounds.metadata(wanted.metadata)
    return msgspec.structs.replace(wanted, statuses=statuses, metadata=metadata)


def hand_backs(claimed: Sequence[Claimed]) -> tuple[Release, ...]:
    """Return the releases of all jobs of ``claimed``, each by its own token."""
    return tuple(
        Release(job.id, job.lease.token)
        for answer in claimed
        for job in answer.jobs
        if job.lease is not None
    )


def _ack(item: Ack, most_bytes: int) -> Ack:
    if item.result is not None:
        _is_json(item.result, "/result", most_bytes)
    return _held(item)


def _held(item: C) -> C:
    _name(item.id, "/id")
    if item.token is not None:
        _name(item.token, "/lease")
    return item


def _new_job(number: int, item: NewJob, policy: Policy) -> NewJob:
    try:
        return intake.check(item, policy)
    except InvalidInput as error:
        raise InvalidInput(f"/jobs/{number}{error.pointer}", error.message) from None


def _name(value: object, pointer: str) -> str:
    if not isinstance(value, str) or not value.isascii():
        bounds.utf8(value, pointer)
    return str(value)


def _is_json(text: object, pointer: str, most_bytes: int) -> None:
    data = bounds.utf8(text, pointer)
    if len(data) > most_bytes:
        raise InvalidInput(pointer, f"must be at most {most_bytes} bytes of JSON")
    try:
        _ANY_JSON.decode(data)
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidInput(pointer, f"must be JSON text: {error}") from None
