"""What is sent: jobs, settlements and edits as JSON. What stands for itself by default is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import msgspec
from msgspec import UNSET
from msgspec.structs import asdict

from actorq.core.commands import Ack, Edit, Extend, Fail, ListJobs, Release
from actorq.core.instants import format_instant
from actorq.core.job import CheckedJob, DependentJob, NewJob
from actorq.core.workflow import OnParentFailure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from msgspec.structs import FieldInfo

    from actorq.core.queue import QueueEdit

encode: Final = msgspec.json.Encoder().encode

NO_PLACES: Final[Mapping[str, int]] = {}

_INSTANTS: Final = ("available_at", "expires_at")
_NAMED: Final = frozenset({"id", "queue_name", "payload", "idempotency"})

_WISHES: Final = [field for field in msgspec.structs.fields(NewJob) if field.name not in _NAMED]
"""All that may be said of a job beside its queue and its payload."""


class ClientJob(CheckedJob, frozen=True, kw_only=True):
    """A job that a client is to make; ``key`` is the idempotency key of the request.

    What it depends on is named by an id: of a job, or of one that a client is to make with it.
    """

    key: str
    depends_on: tuple[str, ...] = ()
    on_parent_failure: OnParentFailure = OnParentFailure.CANCEL


def key_of(new: NewJob) -> str:
    """Return the idempotency key under which a job is sent, whenever it is sent.

    A job that was made elsewhere has its id, which nobody else uses; or, when it has an idempotency key of
    its own, that key's digest, all that is left of it.
    """
    if isinstance(new, ClientJob):
        return new.key
    return new.id if new.idempotency is None else new.idempotency.key


def job_body(new: NewJob, key: str | None, places: Mapping[str, int] = NO_PLACES) -> bytes:
    """Return the body that asks for ``new``; ``key`` is None where a header has it.

    ``places`` are those of the jobs of its batch, by their ids, which the server does not know.
    """
    body: dict[str, object] = {"queue_name": new.queue_name, "payload": new.payload}
    for wish in _WISHES:
        value: object = getattr(new, wish.name)
        if value != _default(wish):
            body[wish.name] = value
    for name in _INSTANTS:
        if isinstance(instant := body.get(name), int):
            body[name] = format_instant(instant)
    if isinstance(new, (ClientJob, DependentJob)) and new.depends_on:
        body["depends_on"] = [
            f"#{places[name]}" if name in places else name for name in new.depends_on
        ]
        body["on_parent_failure"] = new.on_parent_failure
    if key is not None:
        body["idempotency_key"] = key
    return encode(body)


def depends_on_any(new: NewJob, names: Mapping[str, int]) -> bool:
    """Tell whether a job depends on one that is to be made with it."""
    return isinstance(new, (ClientJob, DependentJob)) and any(
        map(names.__contains__, new.depends_on)
    )


def _default(wish: FieldInfo) -> object:
    return wish.default if wish.default_factory is msgspec.NODEFAULT else wish.default_factory()


def settle_body(item: Ack | Fail | Release) -> dict[str, object]:
    """Return the body of one settlement, as its own route takes it."""
    body: dict[str, object] = {} if item.token is None else {"lease": item.token}
    match item:
        case Ack():
            if item.result is not None:
                body["result"] = msgspec.Raw(item.result.encode())
        case Fail():
            body |= asdict(item.failure)
            if item.failure.retry_in is None:
                del body["retry_in"]
        case Release():
            body["delay"] = item.delay
    return body


def settle_item(item: Ack | Fail | Release) -> bytes:
    """Return one settlement of a batch."""
    action = type(item).__name__.lower()
    return encode({"id": item.id, "action": action, **settle_body(item)})


def extend_body(item: Extend) -> dict[str, object]:
    """Return the body of one renewal."""
    body: dict[str, object] = {} if item.token is None else {"lease": item.token}
    if item.visibility_timeout is not None:
        body["visibility_timeout"] = item.visibility_timeout
    return body


def edit_body(edit: Edit) -> bytes:
    """Return the body of an edit of a job."""
    body = {
        name: value
        for name, value in asdict(edit).items()
        if name not in {"id", "version"} and value is not None
    }
    if edit.available_at is not None:
        body["available_at"] = format_instant(edit.available_at)
    return encode(body)


def settings_body(edit: QueueEdit) -> bytes:
    """Return the body of an edit of a queue's settings, without the pause, which has its own routes."""
    names = ("max_running", "max_depth", "visibility_timeout", "retention")
    fields: dict[str, object] = {name: getattr(edit, name) for name in names}
    return encode({name: value for name, value in fields.items() if value is not UNSET})


def query_of(wanted: ListJobs) -> tuple[tuple[str, str], ...]:
    """Return the parameters of a listing."""
    pairs: list[tuple[str, str]] = [("limit", str(wanted.limit))]
    if wanted.queue_name is not None:
        pairs.append(("queue_name", wanted.queue_name))
    pairs += [("status", status.value) for status in sorted(wanted.statuses)]
    for name in ("created_from", "created_to"):
        instant: int | None = getattr(wanted, name)
        if instant is not None:
            pairs.append((name, format_instant(instant)))
    pairs += [(f"metadata.{key}", value) for key, value in wanted.metadata.items()]
    if wanted.error is not None:
        pairs.append(("error", wanted.error))
    if wanted.before is not None:
        pairs.append(("cursor", wanted.before))
    return tuple(pairs)


def batch(name: str, items: Sequence[bytes]) -> bytes:
    """Return the body that holds ``items``, JSON already, as the list ``name``."""
    return encode({name: [msgspec.Raw(item) for item in items]})


def segment(name: str) -> str:
    """Return a name as a segment of a path."""
    return quote(name, safe="")
