"""The calm times of a run: what was read while nothing moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actorq.testing.invariants.events import Counted, Listed
from actorq.testing.invariants.story import Calm

if TYPE_CHECKING:
    from actorq.testing.invariants.story import Story


def find(story: Story) -> list[Calm]:
    """Return the calm times. What was asked before one began does not belong to it."""
    return [_read(story, start, end) for start, end in story.quiet]


def _read(story: Story, start: int, end: int) -> Calm:
    calm, began = Calm(start, end), story.times[start]
    for life in story.lives.values():
        for look in reversed(life.looks):
            if look.end <= start:
                break
            if look.since >= began and look.end < end:
                calm.looks.setdefault(life.job_id, look)
    for place, event in story.watched:
        if start < place < end and isinstance(event, Listed | Counted) and event.since >= began:
            if isinstance(event, Listed):
                calm.listed.append(event)
            else:
                calm.counted.append(event)
    return calm
