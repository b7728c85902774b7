"""Records: a job as two blobs, one of what hardly ever changes and one of what does with each step.

Each blob is a map in MessagePack, from the names of ``Job`` to their values, without the defaults. Two
maps put together are one map, so a job is read by decoding both at once.

A record of a later format may have fields that this program does not know. They are kept: whoever
writes such a record again puts them back as they were.
"""

from __future__ import annotations

from typing import Final

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


class Body(msgspec.Struct, frozen=True, omit_defaults=True):
    """What only an edit, a replacement or a redrive changes."""

    id: str
    queue_name: str
    payload: str
    priority: int
    max_retries: int
    created_at: int
    delivery: Delivery = Delivery.AT_LEAST_ONCE
    metadata: dict[str, str] = {}
    task: str | None = None
    dedupe_key: str | None = None
    dedupe_until: int | None = None
    backoff: Backoff = DEFAULT_BACKOFF
    timeout: float | None = None
    expires_at: int | None = None
    schedule: str | None = None
    tick: int | None = None


class State(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the steps of a job's life change.

    ``workflow`` is in here as each end of a parent changes it, and a payload is not to be written along.
    """

    status: Status
    available_at: int
    updated_at: int
    version: int
    retry_count: int = 0
    attempt: int = 0
    expiries: int = 0
    interruptions: int = 0
    progress: str | None = None
    result: str | None = None
    errors: tuple[JobError, ...] = ()
    dead_reason: DeadReason | None = None
    completed_at: int | None = None
    cancel_requested: bool = False
    lease: Lease | None = None
    settled_token: str | None = None
    settled_by: Settlement | None = None
    workflow: Workflow | None = None


class Unknown(msgspec.Struct, frozen=True):
    """The fields of a later format, encoded as they were found."""

    state: dict[str, msgspec.Raw]
    body: dict[str, msgspec.Raw]


UNREADABLE: Final = (
    msgspec.DecodeError,
    UnicodeDecodeError,
    IndexError,
    TypeError,
    OverflowError,
    RecursionError,
)
"""What ``decode`` raises for a record that is damaged, or of which a half is missing."""

_ENCODER: Final = msgspec.msgpack.Encoder()
_JOB: Final = msgspec.msgpack.Decoder(Job)
_FIELDS: Final = msgspec.msgpack.Decoder(dict[str, msgspec.Raw])
_MAP16: Final = 0xDE
"""The first byte of a map whose number of pairs follows in two bytes; a shorter one has it inside."""
HAS_WORKFLOW: Final = _ENCODER.encode("workflow")
"""What is found in the state of every job that knows of others, and hardly in that of another one."""
_KNOWN: Final = frozenset((*Body.__struct_fields__, *State.__struct_fields__))


def encode_state(job: Job, unknown: Unknown | None = None) -> bytes:
    """Encode what the steps of the job's life change."""
    state = _ENCODER.encode(
        State(
            job.status,
            job.available_at,
            job.updated_at,
            job.version,
            job.retry_count,
            job.attempt,
            job.expiries,
            job.interruptions,
            job.progress,
            job.result,
            job.errors,
            job.dead_reason,
            job.completed_at,
            job.cancel_requested,
            job.lease,
            job.settled_token,
            job.settled_by,
            job.workflow,
        )
    )
    return state if unknown is None else _with(state, unknown.state)


def encode_body(job: Job, unknown: Unknown | None = None) -> bytes:
    """Encode what hardly ever changes."""
    body = _ENCODER.encode(
        Body(
            job.id,
            job.queue_name,
            job.payload,
            job.priority,
            job.max_retries,
            job.created_at,
            job.delivery,
            job.metadata,
            job.task,
            job.dedupe_key,
            job.dedupe_until,
            job.backoff,
            job.timeout,
            job.expires_at,
            job.schedule,
            job.tick,
        )
    )
    return body if unknown is None else _with(body, unknown.body)


def decode(state: bytes, body: bytes) -> Job:
    """Read a job from both halves of its record."""
    in_state, in_body = state[0], body[0]
    if in_state == _MAP16 and in_body != _MAP16 and state[1] == 0:
        # As both halves are written nowadays.
        return _JOB.decode(_HEADERS[state[2] + (in_body & 0x0F)] + state[3:] + body[1:])
    (state_count, state_pairs), (body_count, body_pairs) = _pairs(state), _pairs(body)
    return _JOB.decode(_header(state_count + body_count) + state_pairs + body_pairs)


def find_unknown(record_format: int, state: bytes, body: bytes) -> Unknown | None:
    """Return the fields of a record of a later format that this program does not know."""
    if record_format <= FORMAT:
        return None
    return Unknown(_unknown(state), _unknown(body))


def _unknown(blob: bytes) -> dict[str, msgspec.Raw]:
    # Copies: a Raw is a view that would keep the whole blob.
    pairs = _FIELDS.decode(blob).items()
    return {name: value.copy() for name, value in pairs if name not in _KNOWN}


def _with(blob: bytes, unknown: dict[str, msgspec.Raw]) -> bytes:
    return _ENCODER.encode({**_FIELDS.decode(blob), **unknown})


def _pairs(blob: bytes) -> tuple[int, bytes]:
    if blob[0] == _MAP16:
        return int.from_bytes(blob[1:3], "big"), blob[3:]
    return blob[0] & 0x0F, blob[1:]


def _header(count: int) -> bytes:
    return bytes((_MAP16, count >> 8, count & 0xFF))


_HEADERS: Final = [_header(count) for count in range(512)]
