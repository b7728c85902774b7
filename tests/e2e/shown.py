"""What is read of a job that a server shows, and what a history keeps of it."""

from __future__ import annotations

import json

import msgspec

from actorq.testing.invariants import events as e


class Error(msgspec.Struct):
    """What is read of one entry of a job's errors."""

    attempt: int
    kind: e.ErrorKind


class Held(msgspec.Struct):
    """What is read of a lease: its token is shown to its holder alone."""

    visibility_timeout: float
    token: str = ""


class Shown(msgspec.Struct):
    """What is read of a job."""

    id: str
    queue_name: str
    status: e.Status
    payload: str
    priority: int
    delivery: e.Delivery
    attempt: int
    retry_count: int
    expiries: int
    interruptions: int
    version: int
    result: object
    errors: list[Error]
    dead_reason: e.DeadReason | None
    completed_at: str | None
    lease: Held | None

    @property
    def token(self) -> str:
        """The token of its lease, as its holder was given it."""
        assert self.lease is not None
        return self.lease.token

    def seen(self) -> e.Seen:
        """Return what a history keeps of a look at it."""
        return e.Seen(
            job_id=self.id,
            queue=self.queue_name,
            status=self.status,
            payload=e.digest(self.payload),
            result=None if self.result is None else result_digest(self.result),
            priority=self.priority,
            delivery=self.delivery,
            attempt=self.attempt,
            retry_count=self.retry_count,
            expiries=self.expiries,
            interruptions=self.interruptions,
            version=self.version,
            errors=tuple(e.ErrorSeen(error.attempt, error.kind) for error in self.errors),
            dead_reason=self.dead_reason,
            ended=self.completed_at is not None,
            has_lease=self.lease is not None,
        )

    def taken(self) -> e.Taken:
        """Return what a history keeps of its claim."""
        assert self.lease is not None
        return e.Taken(
            job_id=self.id,
            attempt=self.attempt,
            token=self.lease.token,
            visibility=self.lease.visibility_timeout,
            queue=self.queue_name,
            payload=e.digest(self.payload),
            priority=self.priority,
            delivery=self.delivery,
        )


def result_digest(result: object) -> str:
    """Return what a history keeps of a result."""
    return e.digest(json.dumps(result))
