"""When a run was in trouble: promises about time hold only while it is not."""

from __future__ import annotations

from bisect import bisect_right
from math import inf
from typing import TYPE_CHECKING

from actorq.testing.invariants.events import FaultBegan, FaultEnded

if TYPE_CHECKING:
    from actorq.testing.invariants.story import Story


class Trouble:
    """The times in which a fault went on, or was over for less than ``tail`` seconds.

    Without a ``tail`` it is the time of recovery that the terms state.
    """

    def __init__(self, story: Story, tail: float | None = None) -> None:
        """Read the faults of a story."""
        tail = (story.terms.recovery or 0.0) if tail is None else tail
        ends = {event.fault: event.at for _, event in story.of(FaultEnded)}
        spans = sorted(
            (event.at, ends.get(event.fault, inf) + tail) for _, event in story.of(FaultBegan)
        )
        self._starts = [start for start, _ in spans]
        self._latest: list[float] = []
        for _, end in spans:
            self._latest.append(max(end, self._latest[-1]) if self._latest else end)

    def met(self, start: float, end: float) -> bool:
        """Tell whether there was trouble at any moment from ``start`` to ``end``."""
        before = bisect_right(self._starts, end)
        return before > 0 and self._latest[before - 1] >= start
