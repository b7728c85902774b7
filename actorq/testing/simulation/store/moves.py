"""What a commit means for a history: each change of a record as a move, under the name of its event."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from actorq.core import dependence
from actorq.core.job import ErrorKind
from actorq.core.transitions import Status
from actorq.testing.invariants.events import Move, MoveEvent
from actorq.testing.invariants.records import Record, digest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actorq.core.job import Job
    from actorq.testing.simulation.store.data import Change, Commit

_BY_STATUS: Final[dict[tuple[str, Status], MoveEvent]] = {
    ("dequeue", Status.RUNNING): "claim",
    ("dequeue", Status.DEAD): "lapse",
    ("fail", Status.DELAYED): "retry",
    ("fail", Status.DEAD): "bury",
    ("fail", Status.CANCELLED): "abort",
    ("release", Status.PENDING): "release",
    ("release", Status.DELAYED): "postpone",
    ("release", Status.DEAD): "bury",
    ("release", Status.CANCELLED): "abort",
    ("requeue_expired", Status.PENDING): "expire",
    ("requeue_expired", Status.DEAD): "bury",
    ("requeue_expired", Status.CANCELLED): "abort",
    ("promote_delayed", Status.PENDING): "promote",
    ("promote_delayed", Status.DEAD): "lapse",
    ("cancel", Status.RUNNING): "request_cancel",
    ("cancel", Status.CANCELLED): "cancel",
}
"""The event that a verb causes when it leaves a record in this status."""

_BY_VERB: Final[dict[str, MoveEvent]] = {
    "enqueue": "edit",
    "dequeue": "claim",
    "ack": "ack",
    "fail": "retry",
    "release": "release",
    "requeue_expired": "expire",
    "promote_delayed": "promote",
    "extend": "extend",
    "report": "extend",
    "cancel": "cancel",
    "redrive": "redrive",
    "update_job": "edit",
}
"""The same whatever the status: what a store with a bug did is told by the name of what it was to do."""

_REMOVALS: Final[dict[str, MoveEvent]] = {"prune": "prune", "delete": "delete", "purge": "purge"}


def moves_of(commit: Commit, step: int, at: float) -> Iterator[Move]:
    """Return the moves of a commit, which is the atomic step ``step`` at the virtual time ``at``."""
    for change in commit.changes:
        before, after = change
        job = after or before
        assert job is not None
        yield Move(
            at=at,
            actor="store",
            step=step,
            store_time=commit.instant,
            event=event_of(commit.verb, change),
            before=None if before is None else before.status.value,
            job=record_of(job, before),
        )


def event_of(verb: str, change: Change) -> MoveEvent:
    """Name what a verb did to a record; total, for a store with a bug may do anything."""
    before, after = change
    if before is None:
        return "enqueue"
    if after is None:
        return _REMOVALS.get(verb, "prune")
    told = _told(before, after)
    if told is not None:
        return told
    if verb in {"enqueue", "update_job"} and before.status is not after.status:
        # An edit of the due time: it moves a waiting job from one kind of waiting to the other.
        return "promote" if after.status is Status.PENDING else "reschedule"
    return _BY_STATUS.get((verb, after.status)) or _BY_VERB.get(verb, "edit")


def _told(before: Job, after: Job) -> MoveEvent | None:
    """Name what a record was told of another job: that it depends on this one, or that it ended."""
    if dependence.dependents(after) != dependence.dependents(before):
        return "note"
    if before.workflow is None or after.workflow is None or not before.waits_for_others:
        return None
    if after.status is Status.CANCELLED:
        return "cancel"
    if after.workflow.waiting_for == before.workflow.waiting_for:
        return None
    return "promote" if after.status is Status.PENDING else "edit"


def record_of(job: Job, before: Job | None) -> Record:
    """Return a record as histories hold it; ``before`` is what the move found."""
    lease = job.lease
    return Record(
        job_id=job.id,
        queue=job.queue_name,
        status=job.status.value,
        version=job.version,
        payload=_digest(job.payload),
        priority=job.priority,
        delivery=job.delivery.value,
        attempt=job.attempt,
        retry_count=job.retry_count,
        expiries=job.expiries,
        interruptions=job.interruptions,
        due=job.available_at,
        expires_at=job.expires_at,
        token=None if lease is None else lease.token,
        lease_until=None if lease is None else lease.expires_at,
        dedupe_key=job.dedupe_key,
        dedupe_until=job.dedupe_until,
        dead_reason=None if job.dead_reason is None else job.dead_reason.value,
        failures=_new_failures(job, before),
    )


def _new_failures(job: Job, before: Job | None) -> int:
    """Count the failures that a move added: what is equal to an entry that was there is not new."""
    known = () if before is None else before.errors
    if job.errors == known:
        return 0
    return sum(e.kind is ErrorKind.FAILURE for e in job.errors if e not in known)


@lru_cache(maxsize=4096)
def _digest(payload: str) -> str:
    # A job is written many times and its payload hardly ever.
    return digest(payload)
