"""I9, the second half: while all is well, a due job does not lie before a claim that waits.

Judged if the terms state a bound. A job is taken for due only if nobody may have changed that,
a time for well only if no fault went on and the last one is over for the time of recovery.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from actorq.testing.invariants import requests
from actorq.testing.invariants.trouble import Trouble
from actorq.testing.invariants.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actorq.testing.invariants.events import Claim, Claimed
    from actorq.testing.invariants.story import Call, Life, Story


def check(story: Story) -> Iterator[Violation]:
    """Judge that nothing was late."""
    bound = story.terms.lateness
    if bound is None or story.clock_steps:
        return
    trouble = Trouble(story)
    idle = {queue: _in_vain(claims, bound) for queue, claims in story.claims.items()}
    for life in story.lives.values():
        yield from _promoted_late(life, bound, trouble)
        ready = _ready_from(story, life)
        if ready is None or life.queue in requests.paused_queues(story):
            continue
        for claim, late in _kept_waiting(life, ready, idle.get(life.queue or "", [])):
            if late > bound and not trouble.met(ready, claim.end_at):
                sentence = f"{life.job_id}: a claim waited {late:g} s for it, and it was due"
                yield Violation("I9", sentence, (*life.created_by[0].events, *claim.events))
                break


def _ready_from(story: Story, life: Life) -> float | None:
    """Return when the job is due for certain; None if that cannot be told."""
    made = life.created_by
    if not made or made[0].sent.request.expires_in is not None:
        return None
    if requests.due_may_change(story, life) or life.asked("cancel", "update", "purge"):
        return None
    return made[0].end_at + made[0].sent.request.delay + story.terms.slack


def _kept_waiting(
    life: Life, ready: float, idle: list[Call[Claim, Claimed]]
) -> Iterator[tuple[Call[Claim, Claimed], float]]:
    """Yield the claims that waited while the job was due and nobody's, and for how long."""
    first = next((grant.claim for grant in life.grants if grant.taken.attempt == 1), None)
    if first is None:
        return
    if first.sent.wait:
        yield first, first.end_at - max(ready, first.at)
    # Until its claim was sent nobody had it: no other claim may have come back empty meanwhile.
    place = bisect_left(idle, ready, key=lambda claim: claim.end_at)
    for claim in idle[place:]:
        if claim.at >= first.at:
            break
        yield claim, min(claim.end_at, first.at) - max(claim.at, ready)


def _in_vain(claims: list[Call[Claim, Claimed]], bound: float) -> list[Call[Claim, Claimed]]:
    """Return the claims that waited long, and came back with nothing, by their end."""
    empty = [
        claim
        for claim in claims
        if claim.got is not None
        and not (claim.got.jobs or claim.got.paused)
        and claim.sent.wait > bound
    ]
    return sorted(empty, key=lambda claim: claim.end_at)


def _promoted_late(life: Life, bound: float, trouble: Trouble) -> Iterator[Violation]:
    due: int | None = None
    for _, move in life.moves:
        # An edit may promote too, to a due time that is past already.
        if move.event == "promote" and move.job.due == due:
            late = (move.store_time - move.job.due) / 1e6
            if late > bound and not trouble.met(move.at - late, move.at):
                yield Violation("I9", f"{life.job_id}: it was promoted {late:g} s late", (move,))
        due = move.job.due
