"""A clock that stands still until a test moves it."""

from __future__ import annotations

from typing import Final

from actorq.core.instants import to_us

START_US: Final = 1_767_225_600_000_000
"""Where a manual clock starts: 2026-01-01T00:00:00Z, in microseconds since the Unix epoch."""


class ManualClock:
    """A store's clock for tests: calling it tells the instant, ``advance`` is all that moves it."""

    def __init__(self, start: int = START_US) -> None:
        """Start at the instant ``start``, in microseconds since the Unix epoch."""
        self._now = start

    def __call__(self) -> int:
        """Return the instant it shows: microseconds since the Unix epoch."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Move on by ``seconds``; a negative number turns the clock back, as an operator might."""
        self._now += to_us(seconds)
