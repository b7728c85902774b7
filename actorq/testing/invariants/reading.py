"""Reads a history once, and tells its story."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

from actorq.testing.invariants import calm, holding
from actorq.testing.invariants.events import (
    Accepted,
    Answered,
    Ask,
    Audited,
    Claim,
    Claimed,
    Effect,
    End,
    Event,
    FaultBegan,
    Move,
    Quiet,
    Refused,
    Renew,
    Renewed,
    RolledBack,
    Seen,
    Settle,
    Settled,
    Start,
    Submit,
    Terms,
    Unknown,
)
from actorq.testing.invariants.requests import identity
from actorq.testing.invariants.story import (
    NEVER,
    BadHistory,
    Call,
    GotT,
    Grant,
    Look,
    SentT,
    Story,
    Watched,
)

if TYPE_CHECKING:
    from collections.abc import Iterable


def read(history: Iterable[Event]) -> Story:
    """Return the story of a history.

    Raises ``BadHistory`` for an outcome without its call, a second outcome, a name that two calls have.
    """
    # Threads append in an order that is almost that of time; equal times keep their order.
    events = sorted(history, key=attrgetter("at"))
    reader = _Reader(Story(events, [event.at for event in events]))
    for place, event in enumerate(events):
        reader.take(place, event)
    reader.finish(len(events))
    return reader.story


class _Reader:
    """Puts each event where it belongs."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self._names: set[str] = set()
        self._submits: dict[str, Call[Submit, Accepted]] = {}
        self._asks: dict[str, Call[Ask, Answered]] = {}
        self._claims: dict[str, Call[Claim, Claimed]] = {}
        self._settles: dict[str, Call[Settle, Settled]] = {}
        self._renewals: dict[str, Call[Renew, Renewed]] = {}
        self._quiet_from: int | None = None

    def take(self, place: int, event: Event) -> None:
        """Take the next event."""
        match event:
            case Submit() | Ask() | Claim() | Settle() | Renew():
                self._name(event.call)
                self._send(place, event)
                if not (isinstance(event, Ask) and event.verb == "look"):
                    self._disturb(place)
            case Accepted() | Answered() | Claimed() | Settled() | Renewed():
                self._answer(place, event)
            case Refused() | Unknown():
                self._give_up(place, event)
            case Start() | Effect() | End():
                self.story.life(event.job_id).work.append((place, event))
            case Move():
                self.story.moves.append((place, event))
            case RolledBack():
                self._roll_back(event.step)
            case Audited():
                self._look(event.job_id, event.seen, self.story.place(event.since), place, event)
            case Terms():
                self.story.terms = event
            case _:
                self._watch(place, event)

    def finish(self, end: int) -> None:
        """End the last quiet span, and give every job its moves."""
        self._disturb(end)
        for place, move in self.story.moves:
            self.story.life(move.job.job_id).moves.append((place, move))
        for queue, claims in self.story.claims.items():
            self.story.unheard_claims[queue] = [claim for claim in claims if claim.end == NEVER]
        for life in self.story.lives.values():
            life.asks += self.story.queue_asks.get(life.queue or "", ())
        self.story.clock_steps = holding.clock_steps(self.story)
        self.story.calms = calm.find(self.story)

    def _name(self, call: str) -> None:
        if call in self._names:
            raise BadHistory(f"two calls have the name {call!r}")
        self._names.add(call)

    def _send(self, place: int, event: Submit | Ask | Claim | Settle | Renew) -> None:
        story = self.story
        match event:
            case Submit():
                self._submit(self._submits.setdefault(event.call, Call(event, place)))
            case Claim():
                claim = self._claims[event.call] = Call(event, place)
                story.claims[event.queue].append(claim)
            case Settle():
                settle = self._settles[event.call] = Call(event, place)
                story.life(event.job_id).settles.append(settle)
            case Renew():
                renewal = self._renewals[event.call] = Call(event, place)
                story.life(event.job_id).renewals.append(renewal)
            case Ask():
                ask = self._asks[event.call] = Call(event, place)
                if event.job_id is not None:
                    story.life(event.job_id).asks.append(ask)
                elif event.queue is not None:
                    story.queue_asks[event.queue].append(ask)

    def _submit(self, call: Call[Submit, Accepted]) -> None:
        story, request = self.story, call.sent.request
        story.submissions.append(call)
        own = identity(call)
        if own is not None:
            story.by_identity[own].append(call)
        if request.job_id is not None:
            story.by_minted_id[request.job_id].append(call)
        if request.dedupe_key is not None and request.on_duplicate == "replace":
            story.replacing[request.queue, request.dedupe_key].append(call)

    def _answer(self, place: int, event: Accepted | Answered | Claimed | Settled | Renewed) -> None:
        match event:
            case Accepted():
                submission = _close(self._submits, place, event)
                self.story.life(event.job_id).submissions.append(submission)
            case Claimed():
                claim = _close(self._claims, place, event)
                for taken in event.jobs:
                    self.story.life(taken.job_id).grants.append(Grant(taken, claim))
            case Settled() | Renewed() if event.outcome == "unknown":
                self._give_up(place, event)
            case Settled():
                settle = _close(self._settles, place, event)
                if event.seen is not None:
                    self._look(settle.sent.job_id, event.seen, settle.start, place, event)
            case Renewed():
                _close(self._renewals, place, event)
            case Answered():
                ask = _close(self._asks, place, event)
                if event.seen is not None:
                    job_id = ask.sent.job_id or event.seen.job_id
                    self._look(job_id, event.seen, ask.start, place, event)

    def _give_up(self, place: int, event: Refused | Unknown | Settled | Renewed) -> None:
        open_calls = (self._submits, self._asks, self._claims, self._settles, self._renewals)
        for calls in open_calls:
            call = calls.pop(event.call, None)
            if call is not None:
                break
        else:
            raise BadHistory(f"an outcome without its call: {event!r}")
        if isinstance(event, Refused):
            call.refusal, call.end = event, place

    def _look(self, job_id: str, seen: Seen | None, start: int, place: int, event: Event) -> None:
        since = self.story.times[start] if start < len(self.story.times) else event.at
        self.story.life(job_id).looks.append(Look(seen, start, since, place, event))

    def _roll_back(self, step: int) -> None:
        moves = self.story.moves
        while moves and moves[-1][1].step > step:
            moves.pop()

    def _watch(self, place: int, event: Watched) -> None:
        self.story.watched.append((place, event))
        if isinstance(event, FaultBegan):
            self._disturb(place)
        elif isinstance(event, Quiet):
            self._quiet_from = place

    def _disturb(self, place: int) -> None:
        if self._quiet_from is not None:
            self.story.quiet.append((self._quiet_from, place))
            self._quiet_from = None


def _close(calls: dict[str, Call[SentT, GotT]], place: int, event: GotT) -> Call[SentT, GotT]:
    call = calls.pop(event.call, None)
    if call is None:
        raise BadHistory(f"an outcome without its call: {event!r}")
    call.got, call.end = event, place
    return call
