"""I6: only the current lease's token counts, and every claim has a token of its own (contract, section 4).

A repeat of an accepted call is accepted again; a stale one changes nothing and says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from actorq.testing.invariants import holding
from actorq.testing.invariants.events import Start
from actorq.testing.invariants.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from actorq.testing.invariants.events import (
        Action,
        MoveEvent,
        Renew,
        Renewed,
        Settle,
        Settled,
    )
    from actorq.testing.invariants.story import Call, Grant, Life, Story

    Holding = Call[Settle, Settled] | Call[Renew, Renewed]

ENDS: Final[dict[Action, frozenset[MoveEvent]]] = {
    "ack": frozenset({"ack"}),
    "fail": frozenset({"retry", "bury", "abort"}),
    "release": frozenset({"release", "postpone", "retry", "bury", "abort"}),
}
"""What a settlement may come to in the store."""

WORDS: Final[dict[MoveEvent, str]] = {
    "ack": "it was completed",
    "release": "it was handed back",
    "postpone": "it was handed back",
    "extend": "its lease was renewed",
}
"""The moves that only the holder's word brings about; failures are the matter of I8."""

BACK: Final[frozenset[MoveEvent]] = frozenset({"release", "postpone"})


def check(story: Story) -> Iterator[Violation]:
    """Judge I6."""
    for life in story.lives.values():
        yield from _tokens(life)
        yield from _one_word(life)
        yield from _stale_settles(life)
        yield from _stale_renewals(life)
        yield from _refused_holders(story, life)
        yield from _results(life)
        if story.told_by_store:
            yield from _in_the_store(life)
            yield from _by_others(life)


def _tokens(life: Life) -> Iterator[Violation]:
    attempts: dict[str, Grant] = {}
    for grant in life.grants:
        other = attempts.setdefault(grant.taken.token, grant)
        if other.taken.attempt != grant.taken.attempt:
            sentence = f"{life.job_id}: two attempts were given the same token"
            yield Violation("I6", sentence, (*other.claim.events, *grant.claim.events))
    started: dict[str, Start] = {}
    for _, event in life.work:
        if isinstance(event, Start):
            before = started.setdefault(event.token, event)
            # A job that may start once only is the matter of I4.
            if before is not event and life.delivery != "at_most_once":
                sentence = f"{life.job_id}: one claim was started twice"
                yield Violation("I6", sentence, (before, event))


def _one_word(life: Life) -> Iterator[Violation]:
    """Find a token that settled in two ways, and two tokens that completed one job."""
    completed: Call[Settle, Settled] | None = None
    words: dict[str, Call[Settle, Settled]] = {}
    for settle in life.settles:
        if not holding.held(settle):
            continue
        token = settle.sent.token
        if settle.sent.action == "ack":
            if completed is None:
                completed = settle
            elif None not in {token, completed.sent.token} and completed.sent.token != token:
                sentence = f"{life.job_id}: two tokens completed it"
                yield Violation("I6", sentence, (*completed.events, *settle.events))
        if token is not None:
            first = words.setdefault(token, settle)
            if first.sent.action != settle.sent.action:
                sentence = f"{life.job_id}: one token settled it in two ways"
                yield Violation("I6", sentence, (*first.events, *settle.events))


def _stale_settles(life: Life) -> Iterator[Violation]:
    by_token = {grant.taken.token: grant for grant in life.grants}
    for settle in life.settles:
        own = by_token.get(settle.sent.token or "")
        if own is None or not holding.held(settle):
            continue
        later = _later(life, own, settle.start)
        if later is None:
            continue
        # A completed job is never given out again: no repeat explains this one.
        if settle.sent.action == "ack" or not _is_repeat(life, settle, later.end):
            sentence = f"{life.job_id}: a stale {settle.sent.action} was accepted"
            yield Violation("I6", sentence, (*later.claim.events, *settle.events))


def _later(life: Life, own: Grant, before: int) -> Grant | None:
    """Return a later attempt that was known to be given out before a place."""
    later = (
        grant
        for grant in life.grants
        if grant.taken.attempt > own.taken.attempt and grant.end < before
    )
    return next(later, None)


def _is_repeat(life: Life, settle: Call[Settle, Settled], given_out: int) -> bool:
    """Tell whether the same word may have held before the job was given on, also without a token."""
    return any(
        other.sent.token in {settle.sent.token, None}
        and other.sent.action == settle.sent.action
        and other.possible
        and other.start < given_out
        for other in life.settles
        if other is not settle
    )


def _stale_renewals(life: Life) -> Iterator[Violation]:
    by_token = {grant.taken.token: grant for grant in life.grants}
    for renewal in life.renewals:
        own = by_token.get(renewal.sent.token or "")
        if own is None or renewal.got is None or renewal.got.outcome not in holding.TAKEN_EFFECT:
            continue
        later = _later(life, own, renewal.start)
        if later is not None:
            sentence = f"{life.job_id}: a stale renewal was accepted"
            yield Violation("I6", sentence, (*later.claim.events, *renewal.events))


def _refused_holders(story: Story, life: Life) -> Iterator[Violation]:
    """Find a holder who was told that its lease is lost, while it surely had it.

    A failure or a hand-back may be told so although it took effect: see ``holding.endings``.
    """
    by_token = {grant.taken.token: grant for grant in life.grants}
    acks = [settle for settle in life.settles if settle.sent.action == "ack"]
    for call in _lost(acks) + _lost(life.renewals):
        own = by_token.get(call.sent.token or "")
        if own is None or not holding.steady(story, own.start, call.end):
            continue
        if any(settle is not call for settle in holding.endings(life, own, call.end)):
            continue
        if call.end_at < holding.surely_until(story, life, own, call.end):
            sentence = f"{life.job_id}: its holder was told that the lease is lost"
            yield Violation("I6", sentence, (*own.claim.events, *call.events))


def _lost(calls: Sequence[Holding]) -> list[Holding]:
    return [call for call in calls if call.got is not None and call.got.outcome == "lease_lost"]


def _results(life: Life) -> Iterator[Violation]:
    """Find a completed job that shows another result than its holder reported."""
    acks = [call for call in life.settles if call.sent.action == "ack" and call.possible]
    final = next((call for call in acks if holding.held(call)), None)
    for look in life.looks:
        if look.seen is None or look.seen.status != "completed" or look.seen.result is None:
            continue
        known = {call.sent.result for call in acks if call.start < look.end}
        if final is not None and final.sent.result is not None:
            known = {final.sent.result}
        if known - {None} and look.seen.result not in known:
            sentence = f"{life.job_id}: it shows a result that its holder did not report"
            yield Violation("I6", sentence, (*(final.events if final else ()), look.event))


def _in_the_store(life: Life) -> Iterator[Violation]:
    """Find an accepted word that did not end its own lease, and a token that is not fresh."""
    ended: dict[str, set[MoveEvent]] = {}
    claimed: set[str] = set()
    token: str | None = None
    for _, move in life.moves:
        if move.event == "claim" and move.job.token is not None:
            if move.job.token in claimed:
                sentence = f"{life.job_id}: a claim was given a token that the job had before"
                yield Violation("I6", sentence, (move,))
            claimed.add(move.job.token)
        elif token is not None and move.job.token != token:
            ended.setdefault(token, set()).add(move.event)
        token = move.job.token
    for settle in life.settles:
        own = settle.sent.token
        if own is None or own not in claimed or not holding.held(settle):
            continue
        if not ended.get(own, set()) & ENDS[settle.sent.action]:
            sentence = f"{life.job_id}: a {settle.sent.action} was accepted which ended no lease"
            yield Violation("I6", sentence, settle.events)


def _by_others(life: Life) -> Iterator[Violation]:
    """Find a lease that was ended or renewed by the word of somebody who did not hold it."""
    told = {grant.taken.token for grant in life.grants}
    token: str | None = None
    until: int | None = None
    for place, move in life.moves:
        # What nobody was told of, the server gives back by itself; all else is the holder's to say.
        judged = token in told or (token is not None and move.event not in BACK)
        # A report of progress leaves the lease as it is; histories do not hold who made it.
        judged = judged and (move.event != "extend" or move.job.lease_until != until)
        if judged and move.event in WORDS and not _said(life, token, move.event, place):
            sentence = f"{life.job_id}: {WORDS[move.event]}, but not by its holder"
            yield Violation("I6", sentence, (move,))
            return
        token, until = move.job.token, move.job.lease_until


def _said(life: Life, token: str | None, event: MoveEvent, before: int) -> bool:
    if event == "extend":
        words = [(call.sent.token, call.start) for call in life.renewals]
    else:
        words = [
            (call.sent.token, call.start)
            for call in life.settles
            if event in ENDS[call.sent.action]
        ]
    return any(own in {token, None} and start < before for own, start in words)
