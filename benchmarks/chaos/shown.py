"""What is read of a job that a server shows, and what is recorded of it."""

from __future__ import annotations

import msgspec

from actorq.testing.invariants.events import Delivery, ErrorSeen, Seen, Status, Taken, digest
from actorq.testing.invariants.records import DeadReason, ErrorKind


class ShownError(msgspec.Struct):
    """One entry of a job's errors."""

    attempt: int
    kind: ErrorKind


class ShownLease(msgspec.Struct):
    """The lease of a job; its token only for the holder."""

    token: str = ""
    visibility_timeout: float = 0.0


class ShownJob(msgspec.Struct, kw_only=True):
    """A job as a server shows it."""

    id: str
    queue_name: str
    status: Status
    payload: str
    priority: int
    delivery: Delivery
    attempt: int
    retry_count: int
    expiries: int
    interruptions: int
    version: int
    result: msgspec.Raw
    errors: list[ShownError]
    dead_reason: DeadReason | None
    dedupe_key: str | None
    completed_at: str | None
    lease: ShownLease | None
    duplicate: bool = False

    @property
    def token(self) -> str:
        """The token of its lease, as only its holder sees it."""
        assert self.lease is not None
        return self.lease.token

    def seen(self) -> Seen:
        """Return what is recorded of it."""
        result = bytes(self.result)
        return Seen(
            job_id=self.id,
            queue=self.queue_name,
            status=self.status,
            payload=digest(self.payload),
            result=None if result == b"null" else digest(result),
            priority=self.priority,
            delivery=self.delivery,
            attempt=self.attempt,
            retry_count=self.retry_count,
            expiries=self.expiries,
            interruptions=self.interruptions,
            version=self.version,
            errors=tuple(ErrorSeen(error.attempt, error.kind) for error in self.errors),
            dead_reason=self.dead_reason,
            dedupe_key=self.dedupe_key,
            ended=self.completed_at is not None,
            has_lease=self.lease is not None,
        )

    def taken(self) -> Taken:
        """Return what is recorded of it when it was claimed."""
        assert self.lease is not None
        return Taken(
            job_id=self.id,
            attempt=self.attempt,
            token=self.token,
            visibility=self.lease.visibility_timeout,
            queue=self.queue_name,
            payload=digest(self.payload),
            priority=self.priority,
            delivery=self.delivery,
        )
