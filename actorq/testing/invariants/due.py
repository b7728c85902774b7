"""I9, the first half: a job is never given out before it is due."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from actorq.testing.invariants import holding, requests
from actorq.testing.invariants.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actorq.testing.invariants.events import Settle, Settled
    from actorq.testing.invariants.story import Call, Life, Story

READY_MAKERS: Final = frozenset({"enqueue", "promote", "edit"})
"""The moves that make a job pending, or leave it so, because it is due."""


def check(story: Story) -> Iterator[Violation]:
    """Judge that nothing was early."""
    for life in story.lives.values():
        if not story.clock_steps:
            yield from _before_its_delay(story, life)
            yield from _before_its_next_try(story, life)
        yield from _in_the_store(story, life)


def _before_its_delay(story: Story, life: Life) -> Iterator[Violation]:
    made = life.created_by
    if not made or not made[0].sent.request.delay or requests.due_may_change(story, life):
        return
    due = requests.first_sent(story, made[0]) + made[0].sent.request.delay - story.terms.slack
    for grant in life.grants:
        # One that lapsed and was redriven is due at once.
        if grant.claim.end_at < due and not life.asked("redrive", before=grant.end):
            sentence = f"{life.job_id}: it was given out {due - grant.claim.end_at:g} s early"
            yield Violation("I9", sentence, (*made[0].events, *grant.claim.events))
            return


def _before_its_next_try(story: Story, life: Life) -> Iterator[Violation]:
    """Find a job that came back before the delay its holder asked for was over."""
    if requests.due_may_change(story, life):
        return
    own = {grant.taken.token: grant.taken.attempt for grant in life.grants}
    for settle in life.settles:
        attempt = own.get(settle.sent.token or "")
        if attempt is None or not settle.sent.delay or not holding.held(settle):
            continue
        # Past the bound, a hand-back is a failure, and the backoff takes the place of the delay.
        if settle.sent.action == "release" and attempt > story.terms.max_interruptions:
            continue
        due = _not_before(life, settle) - story.terms.slack
        for grant in life.grants:
            if grant.taken.attempt <= attempt or grant.claim.end_at >= due:
                continue
            if not life.asked("update", "redrive", before=grant.end):
                sentence = f"{life.job_id}: it came back {due - grant.claim.end_at:g} s early"
                yield Violation("I9", sentence, (*settle.events, *grant.claim.events))
                return


def _not_before(life: Life, settle: Call[Settle, Settled]) -> float:
    """Return when the delay is over, counted from the first time that this was said."""
    same = (
        call
        for call in life.settles
        if call.sent.token in {settle.sent.token, None} and call.sent.action == settle.sent.action
    )
    return min(call.at + call.sent.delay for call in same)


def _in_the_store(story: Story, life: Life) -> Iterator[Violation]:
    for _, move in life.moves:
        # A clock that was turned back leaves jobs pending which would not be due now.
        ready = move.event in READY_MAKERS or (move.event == "claim" and not story.clock_steps)
        early = move.job.due - move.store_time
        if ready and early > 0 and move.job.status in {"pending", "running"}:
            yield Violation("I9", f"{life.job_id}: {move.event} came {early} µs early", (move,))
