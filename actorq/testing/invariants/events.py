"""Every event of a history: who records it, when, and what it then says for certain.

One rule for all calls: the *call* is recorded before its first byte is sent, its *outcome* as soon as it
is known, under the same ``call`` (any text that no other call of the history has). A call without an
outcome, because its caller was killed or gave up, counts as one whose outcome is unknown: it may have
taken effect never, once, at any time after it was sent. So a recorder must have the call on disk (or in a
history that outlives the actor) before it sends. A batch is recorded item by item, a repeat after
an unknown outcome as a new call.

``at`` is seconds on the one clock of the observer (virtual time in a simulation, the machine's monotonic
clock elsewhere), and ``actor`` the name of whoever records. Events are in the order in which they were
recorded; where ``at`` is equal, that order tells which came first.
"""

from __future__ import annotations

from typing import TypeAlias

from actorq.testing.invariants.calls import (
    Accepted,
    Action,
    Answered,
    Ask,
    Claim,
    Claimed,
    Effect,
    End,
    Outcome,
    Refused,
    Renew,
    Renewed,
    Settle,
    Settled,
    Start,
    Submit,
    Unknown,
    Verb,
)
from actorq.testing.invariants.commits import (
    Move,
    MoveEvent,
    RolledBack,
)
from actorq.testing.invariants.records import (
    Base,
    DeadReason,
    Delivery,
    ErrorKind,
    ErrorSeen,
    OnDuplicate,
    Record,
    Request,
    Seen,
    Status,
    Taken,
    digest,
)
from actorq.testing.invariants.watch import (
    Audited,
    Counted,
    FaultBegan,
    FaultEnded,
    FaultKind,
    Healed,
    Health,
    Listed,
    Measured,
    Quiet,
    Reach,
    Terms,
    TickDue,
    Ticked,
)

Event: TypeAlias = (
    Submit | Accepted | Refused | Unknown | Ask | Answered
    | Claim | Claimed | Start | Effect | End | Settle | Settled | Renew | Renewed
    | Move | RolledBack
    | Audited | Listed | Counted | Measured | Ticked | TickDue | Health
    | FaultBegan | FaultEnded | Reach | Healed | Quiet | Terms
)  # fmt: skip

__all__ = [
    "Accepted",
    "Action",
    "Answered",
    "Ask",
    "Audited",
    "Base",
    "Claim",
    "Claimed",
    "Counted",
    "DeadReason",
    "Delivery",
    "Effect",
    "End",
    "ErrorKind",
    "ErrorSeen",
    "Event",
    "FaultBegan",
    "FaultEnded",
    "FaultKind",
    "Healed",
    "Health",
    "Listed",
    "Measured",
    "Move",
    "MoveEvent",
    "OnDuplicate",
    "Outcome",
    "Quiet",
    "Reach",
    "Record",
    "Refused",
    "Renew",
    "Renewed",
    "Request",
    "RolledBack",
    "Seen",
    "Settle",
    "Settled",
    "Start",
    "Status",
    "Submit",
    "Taken",
    "Terms",
    "TickDue",
    "Ticked",
    "Unknown",
    "Verb",
    "digest",
]
