"""I7: ``attempt`` rises by exactly 1 per claim, and never falls.

From the outside: attempts rise with time, no number is given out twice, and each claim that a job shows is
accounted for: by a retry, a lost lease, a hand-back, or the way in which it stands.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Final

from actorq.testing.invariants.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actorq.testing.invariants.events import Seen
    from actorq.testing.invariants.story import Life, Story

OPEN: Final[dict[str, tuple[int, ...]]] = {
    "pending": (0,),
    "delayed": (0,),
    "running": (1,),
    "completed": (1,),
    "cancelled": (0, 1),
    "dead": (0, 1),
}
"""How many claims of a job end in the state that it shows, and not in a retry, an expiry, a release."""


def check(story: Story) -> Iterator[Violation]:
    """Judge I7."""
    for life in story.lives.values():
        yield from _rises(life)
        yield from _looks(life)
        yield from _accounted_for(story, life)
        yield from _in_the_store(life)


def _rises(life: Life) -> Iterator[Violation]:
    ends = [grant.end for grant in life.grants]
    highest: list[int] = []
    given: dict[int, int] = {}
    for place, grant in enumerate(life.grants):
        attempt = grant.taken.attempt
        before = bisect_left(ends, grant.start, hi=place)
        if before and highest[before - 1] >= attempt:
            sentence = f"{life.job_id}: attempt {attempt} came after {highest[before - 1]}"
            yield Violation("I7", sentence, grant.claim.events)
        elif attempt in given and life.grants[given[attempt]].taken.token != grant.taken.token:
            sentence = f"{life.job_id}: attempt {attempt} was given out twice"
            other = life.grants[given[attempt]]
            yield Violation("I7", sentence, (*other.claim.events, *grant.claim.events))
        given.setdefault(attempt, place)
        highest.append(max(highest[-1], attempt) if highest else attempt)


def _looks(life: Life) -> Iterator[Violation]:
    """Find a look that shows fewer claims than were known, or more than there can have been."""
    for look in life.looks:
        shown = look.seen.attempt if look.seen is not None else None
        if shown is None:
            continue
        for grant in life.grants:
            early = grant.end < look.start and shown < grant.taken.attempt
            late = grant.start > look.end and shown >= grant.taken.attempt
            if early or late:
                order = "after" if early else "before"
                sentence = f"{life.job_id}: {shown} attempts, {order} attempt {grant.taken.attempt}"
                yield Violation("I7", sentence, (*grant.claim.events, look.event))
                return


def _accounted_for(story: Story, life: Life) -> Iterator[Violation]:
    for look in life.looks:
        seen = look.seen
        if seen is None or life.asked("redrive", before=look.end):
            continue
        open_claims = _open_claims(seen)
        # Past the bound a hand-back counts as a failure too.
        if open_claims is None or (seen.interruptions or 0) > story.terms.max_interruptions:
            continue
        if open_claims not in OPEN[seen.status]:
            sentence = (
                f"{life.job_id}: {seen.attempt} attempts, and {seen.retry_count} retries, "
                f"{seen.expiries} expiries, {seen.interruptions} hand-backs for {seen.status}"
            )
            yield Violation("I7", sentence, (look.event,))
            return


def _open_claims(seen: Seen) -> int | None:
    if (
        seen.attempt is None
        or seen.retry_count is None
        or seen.expiries is None
        or seen.interruptions is None
    ):
        return None
    return seen.attempt - seen.retry_count - seen.expiries - seen.interruptions


def _in_the_store(life: Life) -> Iterator[Violation]:
    last = 0
    for _, move in life.moves:
        expected = last + (move.event == "claim")
        if move.job.attempt != expected:
            sentence = f"{life.job_id}: {move.event} made {move.job.attempt} attempts of {last}"
            yield Violation("I7", sentence, (move,))
        last = move.job.attempt
