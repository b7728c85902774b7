"""A history read once: every call with its outcome, every job with all that happened to it.

Before and after are places in the history (``start``, ``end``); seconds are used for durations
only. Whatever has not happened, or is not known, has the place ``NEVER``.
"""

from __future__ import annotations

import sys
from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, Final, Generic, TypeAlias, TypeVar

from actorq.testing.invariants.events import (
    Accepted,
    Answered,
    Ask,
    Claim,
    Claimed,
    Counted,
    Delivery,
    Effect,
    End,
    Event,
    FaultBegan,
    FaultEnded,
    Healed,
    Health,
    Listed,
    Measured,
    Move,
    Quiet,
    Reach,
    Refused,
    Renew,
    Renewed,
    Seen,
    Settle,
    Settled,
    Start,
    Submit,
    Taken,
    Terms,
    TickDue,
    Ticked,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

NEVER: Final = sys.maxsize

SentT = TypeVar("SentT", Submit, Ask, Claim, Settle, Renew)
Work: TypeAlias = Start | Effect | End
GotT = TypeVar("GotT", Accepted, Answered, Claimed, Settled, Renewed)


class BadHistory(ValueError):
    """The events do not make a history: a recorder's mistake, and nobody can be judged by it."""


@dataclass(slots=True, eq=False)
class Call(Generic[SentT, GotT]):
    """One call. ``end`` is where its outcome stands: NEVER if nobody knows it, ever."""

    sent: SentT
    start: int
    got: GotT | None = None
    refusal: Refused | None = None
    end: int = NEVER

    @property
    def at(self) -> float:
        """When it was sent."""
        return self.sent.at

    @property
    def end_at(self) -> float:
        """When its outcome was known; infinity if it never was."""
        if self.end == NEVER:
            return inf
        answer = self.got or self.refusal
        return inf if answer is None else answer.at

    @property
    def possible(self) -> bool:
        """Whether it may have had an effect."""
        return self.refusal is None

    @property
    def events(self) -> tuple[Event, ...]:
        """What was recorded of it."""
        answer = self.got or self.refusal
        return (self.sent,) if answer is None else (self.sent, answer)


@dataclass(slots=True, eq=False)
class Grant:
    """One job of a claim's answer: a lease that somebody was told of."""

    taken: Taken
    claim: Call[Claim, Claimed]

    @property
    def start(self) -> int:
        """Where its claim was sent."""
        return self.claim.start

    @property
    def end(self) -> int:
        """Where its claim was answered."""
        return self.claim.end


@dataclass(slots=True, eq=False)
class Look:
    """A job as it was read: true at some moment between ``start`` and ``end``."""

    seen: Seen | None
    start: int
    since: float
    end: int
    event: Event

    @property
    def at(self) -> float:
        """When it was answered."""
        return self.event.at


@dataclass(slots=True, eq=False)
class Life:
    """All that is known of one job."""

    job_id: str
    submissions: list[Call[Submit, Accepted]] = field(default_factory=list[Call[Submit, Accepted]])
    """Those that were answered with this job."""
    grants: list[Grant] = field(default_factory=list[Grant])
    """In the order of their answers."""
    settles: list[Call[Settle, Settled]] = field(default_factory=list[Call[Settle, Settled]])
    renewals: list[Call[Renew, Renewed]] = field(default_factory=list[Call[Renew, Renewed]])
    asks: list[Call[Ask, Answered]] = field(default_factory=list[Call[Ask, Answered]])
    """Those of its whole queue too; they have no ``job_id``."""
    work: list[tuple[int, Work]] = field(default_factory=list[tuple[int, Work]])
    """What handlers did, with its place."""
    looks: list[Look] = field(default_factory=list[Look])
    """In the order of their answers."""
    moves: list[tuple[int, Move]] = field(default_factory=list[tuple[int, Move]])

    @property
    def created_by(self) -> list[Call[Submit, Accepted]]:
        """The submissions whose answer says that they made this job, not that they met it."""
        return [call for call in self.submissions if call.got and call.got.outcome == "created"]

    @property
    def parents(self) -> tuple[str, ...]:
        """The jobs that it was made to depend on."""
        made = self.created_by
        return made[0].sent.request.depends_on if made else ()

    @property
    def queue(self) -> str | None:
        """The queue, if anybody named it."""
        if self.submissions:
            return self.submissions[0].sent.request.queue
        if self.grants:
            return self.grants[0].taken.queue
        if self.moves:
            return self.moves[0][1].job.queue
        return next((look.seen.queue for look in self.looks if look.seen), None)

    @property
    def delivery(self) -> Delivery | None:
        """How often it may be started, if anybody named it."""
        if self.created_by:
            return self.created_by[0].sent.request.delivery
        if self.grants:
            return self.grants[0].taken.delivery
        if self.moves:
            return self.moves[0][1].job.delivery
        return next((look.seen.delivery for look in self.looks if look.seen), None)

    def asked(self, *verbs: str, before: int = NEVER) -> bool:
        """Tell whether one of these verbs may have been done to the job before a place."""
        return any(
            ask.sent.verb in verbs and ask.possible and ask.start < before for ask in self.asks
        )


Watched: TypeAlias = (
    Counted
    | FaultBegan
    | FaultEnded
    | Healed
    | Health
    | Listed
    | Measured
    | Quiet
    | Reach
    | TickDue
    | Ticked
)
"""What is kept as it was recorded, with its place."""

WatchedT = TypeVar("WatchedT", bound=Watched)


@dataclass(slots=True, eq=False)
class Calm:
    """All that was read in one quiet span, from the place ``start`` to ``end``."""

    start: int
    end: int
    looks: dict[str, Look] = field(default_factory=dict[str, Look])
    """The last one of each job."""
    listed: list[Listed] = field(default_factory=list[Listed])
    counted: list[Counted] = field(default_factory=list[Counted])

    def ids(self, queue: str, status: str | None) -> frozenset[str] | None:
        """Return the ids that a listing showed, None if there was none."""
        found = [e for e in self.listed if e.queue == queue and e.status == status]
        return frozenset(found[-1].job_ids) if found else None


@dataclass(slots=True, eq=False)
class Story:
    """The whole run. ``events`` are in the order of time, places point into it."""

    events: list[Event]
    times: list[float]
    terms: Terms = field(default_factory=lambda: Terms(at=0.0, actor=""))
    lives: dict[str, Life] = field(default_factory=dict[str, Life])
    submissions: list[Call[Submit, Accepted]] = field(default_factory=list[Call[Submit, Accepted]])
    by_identity: dict[tuple[str, str, str], list[Call[Submit, Accepted]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    """By scope, queue and idempotency key."""
    by_minted_id: dict[str, list[Call[Submit, Accepted]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    """By the id that the caller minted."""
    replacing: dict[tuple[str, str], list[Call[Submit, Accepted]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    """By queue and dedupe key: those that take over a waiting job."""
    claims: dict[str, list[Call[Claim, Claimed]]] = field(default_factory=lambda: defaultdict(list))
    """By queue."""
    unheard_claims: dict[str, list[Call[Claim, Claimed]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    """By queue: those whose outcome nobody knows, so that they may have taken any job."""
    queue_asks: dict[str, list[Call[Ask, Answered]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    """What was asked of a whole queue: purges, pauses, redrives of all its dead jobs."""
    moves: list[tuple[int, Move]] = field(default_factory=list[tuple[int, Move]])
    """Those that were not lost again, in the order of their commits, each with its place."""
    watched: list[tuple[int, Watched]] = field(default_factory=list[tuple[int, Watched]])
    clock_steps: list[int] = field(default_factory=list[int])
    """Places at which the store's clock was moved."""
    quiet: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    """Spans of places in which nothing was under way."""
    calms: list[Calm] = field(default_factory=list[Calm])
    """What was read in them."""

    def life(self, job_id: str) -> Life:
        """Return what is known of a job, so far nothing if it is new."""
        life = self.lives.get(job_id)
        if life is None:
            life = self.lives[job_id] = Life(job_id)
        return life

    def place(self, since: float) -> int:
        """Return the first place that may be as late as ``since``: all before it is surely earlier."""
        return bisect_left(self.times, since)

    def of(self, kind: type[WatchedT]) -> Iterator[tuple[int, WatchedT]]:
        """Yield what was watched of one kind, with its place."""
        for place, event in self.watched:
            if isinstance(event, kind):
                yield place, event

    @property
    def told_by_store(self) -> bool:
        """Whether a simulated store told its moves."""
        return bool(self.moves)
