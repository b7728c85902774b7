"""I5: the leases of one job never overlap, by the store's clock.

From the outside: whoever is told of a lease of ``v`` seconds holds the job for ``v`` seconds from the moment
he asked. If somebody else is told of a later attempt before that, something must have ended the
first lease: its holder's failure or hand-back. So a second start of a job is always explained.
"""

from __future__ import annotations

from itertools import pairwise
from operator import attrgetter
from typing import TYPE_CHECKING

from actorq.testing.invariants import holding
from actorq.testing.invariants.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actorq.testing.invariants.story import Grant, Life, Story


def check(story: Story) -> Iterator[Violation]:
    """Judge I5."""
    for life in story.lives.values():
        grants = sorted(life.grants, key=attrgetter("taken.attempt"))
        for first, second in pairwise(grants):
            if first.taken.attempt != second.taken.attempt and _overlap(story, life, first, second):
                yield Violation(
                    "I5",
                    f"{life.job_id}: attempt {second.taken.attempt} was given out while the lease "
                    f"of attempt {first.taken.attempt} ran",
                    (*first.claim.events, *second.claim.events),
                )
        yield from _ended_early(life)


def _overlap(story: Story, life: Life, first: Grant, second: Grant) -> bool:
    if second.end < first.start:
        # Attempts against the order of time are the matter of I7.
        return False
    for settle in holding.endings(life, first, second.end):
        # A failure or a hand-back explains it; a completion is the matter of I3 and I6.
        if settle.sent.action != "ack" or holding.held(settle):
            return False
    if not holding.steady(story, first.start, second.end):
        return False
    return second.claim.end_at < holding.surely_until(story, life, first, second.end)


def _ended_early(life: Life) -> Iterator[Violation]:
    until: int | None = None
    for _, move in life.moves:
        if move.event == "expire" and until is not None and move.store_time < until:
            sentence = f"{life.job_id}: its lease was ended {until - move.store_time} µs early"
            yield Violation("I5", sentence, (move,))
        until = move.job.lease_until
