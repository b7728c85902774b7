"""What can be done to a record, by name, and which events each act stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from actorq.core import lifecycle
from actorq.core.commands import Edit
from actorq.core.policy import Policy
from actorq.core.retry import Failure
from actorq.core.transitions import TRANSITIONS, Event, Status
from tests.core.records import ID, NOW

if TYPE_CHECKING:
    from collections.abc import Callable

    from actorq.core.job import Job


class Act(NamedTuple):
    """One function of ``lifecycle``, and the events which it may turn out to be."""

    name: str
    perform: Callable[[Job], Job]
    events: frozenset[Event]

    def leads_to(self, status: Status) -> set[Status]:
        """Return where the table lets this act lead from ``status``; empty where it is illegal."""
        return {
            TRANSITIONS[status, event] for event in self.events if (status, event) in TRANSITIONS
        }


def _act(name: str, perform: Callable[[Job], Job], *events: Event) -> Act:
    return Act(name, perform, frozenset(events))


EDITS: Final = (Event.EDIT, Event.RESCHEDULE, Event.PROMOTE)
ENDINGS: Final = (Event.BURY, Event.ABORT)
POLICY: Final = Policy()

ACTS: Final = (
    _act("promote", lambda job: lifecycle.promote(job, NOW), Event.PROMOTE),
    _act("lapse", lambda job: lifecycle.lapse(job, NOW), Event.LAPSE),
    _act("claim", lambda job: lifecycle.claim(job, "new", "w", 30.0, NOW), Event.CLAIM),
    _act("ack", lambda job: lifecycle.ack(job, "1", NOW), Event.ACK),
    _act("fail", lambda job: lifecycle.fail(job, Failure("x"), NOW), Event.RETRY, *ENDINGS),
    _act(
        "reject",
        lambda job: lifecycle.fail(job, Failure("x", retryable=False), NOW),
        *ENDINGS,
    ),
    _act(
        "release",
        lambda job: lifecycle.release(job, 0.0, POLICY, NOW),
        Event.RELEASE,
        Event.RETRY,
        *ENDINGS,
    ),
    _act(
        "postpone",
        lambda job: lifecycle.release(job, 5.0, POLICY, NOW),
        Event.POSTPONE,
        Event.RETRY,
        *ENDINGS,
    ),
    _act("expire", lambda job: lifecycle.expire(job, POLICY, NOW), Event.EXPIRE, *ENDINGS),
    _act("extend", lambda job: lifecycle.extend(job, None, POLICY, NOW), Event.EXTEND),
    _act("report", lambda job: lifecycle.report(job, "1", NOW), Event.EXTEND),
    _act("cancel", lambda job: lifecycle.cancel(job, NOW), Event.CANCEL, Event.REQUEST_CANCEL),
    _act("redrive", lambda job: lifecycle.redrive(job, NOW), Event.REDRIVE),
    _act("edit", lambda job: lifecycle.edit(job, Edit(id=ID, priority=7), NOW), *EDITS),
    _act("hold", lambda job: lifecycle.edit(job, Edit(id=ID, delay=9.0), NOW), *EDITS),
    _act("hurry", lambda job: lifecycle.edit(job, Edit(id=ID, delay=0.0), NOW), *EDITS),
)

LEASE_ENDS: Final = frozenset({"ack", "fail", "reject", "release", "postpone", "expire"})
"""The acts after which nobody holds the job."""
