"""The one table of the job's life: ``(status, event) -> status``.

Nothing else in actorq may decide a transition. The code, the diagram in ``docs/`` and the tests
read this table; every pair that is not in it is refused.
"""

from enum import StrEnum
from typing import Final

from actorq.errors import IllegalTransition


class Status(StrEnum):
    """Where a job is in its life (contract §2)."""

    PENDING = "pending"
    DELAYED = "delayed"
    RUNNING = "running"
    COMPLETED = "completed"
    DEAD = "dead"
    CANCELLED = "cancelled"


class Event(StrEnum):
    """What can happen to a job after it was made."""

    PROMOTE = "promote"
    """Its due time has come."""
    RESCHEDULE = "reschedule"
    """An edit moved its due time into the future."""
    EDIT = "edit"
    """An edit that leaves it where it is."""
    CLAIM = "claim"
    """A worker takes it, with a lease."""
    ACK = "ack"
    """Its holder did it."""
    RETRY = "retry"
    """Its holder failed, and a retry is left."""
    BURY = "bury"
    """A failure or an expiry that was the last one."""
    RELEASE = "release"
    """Its holder hands it back."""
    POSTPONE = "postpone"
    """Its holder hands it back for later."""
    EXPIRE = "expire"
    """Its holder fell silent."""
    EXTEND = "extend"
    """Its holder asks for more time, or reports progress."""
    REQUEST_CANCEL = "request_cancel"
    """Somebody asks its holder to stop."""
    ABORT = "abort"
    """Its holder stopped, as it was asked to."""
    CANCEL = "cancel"
    """Somebody cancels it before it runs."""
    LAPSE = "lapse"
    """It was not started before its ``expires_at``."""
    REDRIVE = "redrive"
    """Somebody gives a dead job another life."""


TRANSITIONS: Final[dict[tuple[Status, Event], Status]] = {
    (Status.DELAYED, Event.PROMOTE): Status.PENDING,
    (Status.DELAYED, Event.EDIT): Status.DELAYED,
    (Status.DELAYED, Event.CANCEL): Status.CANCELLED,
    (Status.DELAYED, Event.LAPSE): Status.DEAD,
    (Status.PENDING, Event.EDIT): Status.PENDING,
    (Status.PENDING, Event.RESCHEDULE): Status.DELAYED,
    (Status.PENDING, Event.CLAIM): Status.RUNNING,
    (Status.PENDING, Event.CANCEL): Status.CANCELLED,
    (Status.PENDING, Event.LAPSE): Status.DEAD,
    (Status.RUNNING, Event.ACK): Status.COMPLETED,
    (Status.RUNNING, Event.RETRY): Status.DELAYED,
    (Status.RUNNING, Event.BURY): Status.DEAD,
    (Status.RUNNING, Event.RELEASE): Status.PENDING,
    (Status.RUNNING, Event.POSTPONE): Status.DELAYED,
    (Status.RUNNING, Event.EXPIRE): Status.PENDING,
    (Status.RUNNING, Event.EXTEND): Status.RUNNING,
    (Status.RUNNING, Event.REQUEST_CANCEL): Status.RUNNING,
    (Status.RUNNING, Event.ABORT): Status.CANCELLED,
    (Status.DEAD, Event.REDRIVE): Status.PENDING,
}

LIVE: Final = frozenset({Status.PENDING, Status.DELAYED, Status.RUNNING})
"""The statuses in which a job still has something to do."""

WAITING: Final = frozenset({Status.PENDING, Status.DELAYED})
"""The statuses in which a job has not started."""

ENDED: Final = frozenset({Status.COMPLETED, Status.DEAD, Status.CANCELLED})
"""The statuses which nothing but a redrive of ``dead`` leaves."""


def move(job_id: str, status: Status, event: Event) -> Status:
    """Return the status after ``event``, or raise ``IllegalTransition`` naming the job."""
    try:
        return TRANSITIONS[status, event]
    except KeyError:
        raise IllegalTransition(job_id, status.value, event.value) from None
