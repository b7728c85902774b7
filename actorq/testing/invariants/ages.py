"""I12, of the ids that servers mint: they tell the store's time, so that the oldest job is the smallest.

Judged if the terms state how far an id may be off, from a store's moves: an id is made after its request was
sent and before its job is written. Where somebody turned a clock, nothing is said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import UUID

from actorq.testing.invariants import requests
from actorq.testing.invariants.events import FaultBegan
from actorq.testing.invariants.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actorq.testing.invariants.story import Life, Story

SECOND_US: Final = 1_000_000
VERSION: Final = 7
"""Of the ids that begin with a time (RFC 9562)."""


def check(story: Story) -> Iterator[Violation]:
    """Judge how far ids are from the store's time."""
    skew = story.terms.skew
    turned = any(event.kind == "clock_step" for _, event in story.of(FaultBegan))
    if skew is None or turned:
        return
    for life in story.lives.values():
        if life.moves and life.moves[0][1].event == "enqueue":
            yield from _off(story, life, skew)


def _off(story: Story, life: Life, skew: float) -> Iterator[Violation]:
    _, born = life.moves[0]
    told = _told(life.job_id)
    if told is None:
        return
    ahead = (told - born.store_time) / SECOND_US
    if ahead > skew:
        sentence = f"{life.job_id}: its id is {ahead:g} s ahead of the store's clock"
        yield Violation("I12", sentence, (born,))
    for call in life.created_by:
        # What passed since the request was sent is the same on every clock.
        waited = born.at - requests.first_sent(story, call)
        if -ahead > waited + skew:
            sentence = f"{life.job_id}: its id is {-ahead - waited:g} s older than its request"
            yield Violation("I12", sentence, (*call.events, born))
            return


def _told(job_id: str) -> int | None:
    """Return the instant that an id tells, to a millisecond; None if it is of another make."""
    try:
        uuid = UUID(job_id)
    except ValueError:
        return None
    return (uuid.int >> 80) * 1_000 if uuid.version == VERSION else None
