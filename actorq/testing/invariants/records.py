"""What events carry: a request, a job that was claimed, a job as somebody saw it, a store's record.

Texts that could be large (payloads, results) stand in a history only as digests. Statuses and the like
are plain words here, on purpose: the oracle has a statement of the rules of its own.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Literal, TypeAlias

import msgspec

Status: TypeAlias = Literal["pending", "delayed", "running", "completed", "dead", "cancelled"]
Delivery: TypeAlias = Literal["at_least_once", "at_most_once"]
OnDuplicate: TypeAlias = Literal["return", "reject", "replace"]
ErrorKind: TypeAlias = Literal["failure", "lease_expired", "interrupted", "expired"]
DeadReason: TypeAlias = Literal["retries_exhausted", "rejected", "lease_expired", "expired"]


def digest(text: str | bytes) -> str:
    """Return what stands for a payload or a result in a history: 16 hexadecimal digits."""
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    return blake2b(data, digest_size=8).hexdigest()


class Base(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    gc=False,
    omit_defaults=True,
    tag=str.lower,
    tag_field="type",
):
    """What every event has: ``at`` in seconds on the observer's clock, and who recorded it."""

    at: float
    actor: str


class Request(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """What a client asked for. Durations are seconds, and count from the store's taking it.

    ``job_id`` is set when the caller minted the id itself. ``scope`` is the authenticated caller that
    an idempotency key belongs to. ``expires_in`` is the time in which it must be started. ``depends_on``
    are the ids of the jobs that it waits for; it ``runs_anyway`` where one of them does not succeed.
    """

    queue: str
    payload: str
    """A digest."""
    priority: int = 0
    delivery: Delivery = "at_least_once"
    max_retries: int = 3
    delay: float = 0.0
    expires_in: float | None = None
    job_id: str | None = None
    dedupe_key: str | None = None
    dedupe_window: float = 0.0
    on_duplicate: OnDuplicate = "return"
    idempotency_key: str | None = None
    scope: str = ""
    depends_on: tuple[str, ...] = ()
    runs_anyway: bool = False


class Taken(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One job of a claim's answer; ``visibility`` is the lease's length in seconds."""

    job_id: str
    attempt: int
    token: str
    visibility: float
    queue: str
    payload: str
    """A digest."""
    priority: int = 0
    delivery: Delivery = "at_least_once"


class ErrorSeen(msgspec.Struct, frozen=True, gc=False):
    """One entry of a job's recorded errors: in which attempt, and of which kind."""

    attempt: int
    kind: ErrorKind


class Seen(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A job as a door showed it. A field that the door did not show is None, and not judged.

    ``due_in`` is the seconds from that moment until it becomes due (negative: it is due),
    ``ended`` whether the time of its end is shown, ``has_lease`` whether a lease is.
    """

    job_id: str
    queue: str
    status: Status
    payload: str | None = None
    """A digest."""
    result: str | None = None
    """A digest; None when there is none, or it was not shown."""
    priority: int | None = None
    delivery: Delivery | None = None
    attempt: int | None = None
    retry_count: int | None = None
    expiries: int | None = None
    interruptions: int | None = None
    version: int | None = None
    errors: tuple[ErrorSeen, ...] | None = None
    dead_reason: DeadReason | None = None
    dedupe_key: str | None = None
    due_in: float | None = None
    ended: bool | None = None
    has_lease: bool | None = None


class Record(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A job's record after a committed move. Instants are microseconds on the store's clock.

    ``token`` and ``lease_until`` are those of the lease that runs, None without one.
    """

    job_id: str
    queue: str
    status: Status
    version: int
    payload: str
    """A digest."""
    priority: int = 0
    delivery: Delivery = "at_least_once"
    attempt: int = 0
    retry_count: int = 0
    expiries: int = 0
    interruptions: int = 0
    due: int = 0
    expires_at: int | None = None
    token: str | None = None
    lease_until: int | None = None
    dedupe_key: str | None = None
    dedupe_until: int | None = None
    dead_reason: DeadReason | None = None
    failures: int = 0
    """How many entries of kind ``failure`` this move added to its errors."""
