"""What an onlooker records: audits through a door, the faults that were made, the terms of the run.

``since`` is when an audit's question was sent: what was read was true at some moment from then to ``at``.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from actorq.testing.invariants.records import Base, Seen, Status

FaultKind: TypeAlias = Literal[
    "kill",
    "pause",
    "cut",
    "restart",
    "fail_over",
    "clock_step",
    "lost_reply",
    "slow",
    "refuse",
]

# ── audits: what was read through a door ────────────────────────────────────────────────────────


class Audited(Base, frozen=True):
    """A job was read, not as part of the load; None when the door said that there is none."""

    since: float
    job_id: str
    seen: Seen | None = None


class Listed(Base, frozen=True):
    """All ids of a queue in one status (None: in any), through all pages of a listing."""

    since: float
    queue: str
    job_ids: tuple[str, ...]
    status: Status | None = None


class Counted(Base, frozen=True):
    """A queue's figures. ``door`` says where: ``queues``, ``metrics``."""

    since: float
    queue: str
    counts: dict[Status, int]
    accepted: int
    pruned: int
    door: str = "queues"


class Measured(Base, frozen=True):
    """A resource was measured against the bound that is promised for it (I18)."""

    what: str
    value: float
    bound: float


class Ticked(Base, frozen=True):
    """A job was seen that a schedule made, for one of its ticks (I19)."""

    schedule: str
    tick: str
    job_id: str


class TickDue(Base, frozen=True):
    """By its definition a schedule must have fired for this tick by now (I19)."""

    schedule: str
    tick: str


class Health(Base, frozen=True):
    """A server was asked whether it is ready (I20)."""

    since: float
    server: str
    ready: bool


# ── faults ──────────────────────────────────────────────────────────────────────────────────────


class FaultBegan(Base, frozen=True):
    """The one who makes trouble is about to: whom it meets, and what it is called until it ends."""

    fault: str
    kind: FaultKind
    targets: tuple[str, ...]
    """Names of actors; ``store`` for the store."""


class FaultEnded(Base, frozen=True):
    """The fault is over: what it met can work again (a killed server: is back and ready)."""

    fault: str


class Reach(Base, frozen=True):
    """From now on a server can, or cannot, reach its store: whoever cuts and mends says so (I20)."""

    server: str
    reachable: bool


class Healed(Base, frozen=True):
    """All faults are over and none will follow; workers are there for every queue (I17)."""


class Quiet(Base, frozen=True):
    """Nothing is under way any more, and audits after this one read what does not move (I13)."""


class Terms(Base, frozen=True):
    """What was promised in this run: recorded first, once. Durations are seconds.

    ``slack`` is how far the observer's clock and the store's may drift apart over one lease or one delay.
    ``recovery`` is the time after ``Healed`` in which every due job ends (I17); ``lateness`` bounds how
    long a due job may lie before a waiting claim (I9), None judges neither. ``keeps`` is how long an
    ended job is kept at least, None when nothing is pruned in this run. ``hand_back`` is how long a lease
    of which nobody was told may last before it is given back (I8), and ``skew`` how far the time in an id
    may be from the store's (I12), None judges nothing.
    """

    max_expiries: int = 3
    max_interruptions: int = 100
    max_extension: float = 43_200.0
    idempotency_ttl: float = 86_400.0
    slack: float = 0.05
    recovery: float | None = None
    lateness: float | None = None
    readiness: float = 2.0
    keeps: float | None = None
    hand_back: float | None = None
    skew: float | None = None
