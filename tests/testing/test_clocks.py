"""The clocks of tests."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

from actorq.testing.clock import START_US, ManualClock, SharedClock

if TYPE_CHECKING:
    from pathlib import Path


def test_a_manual_clock_moves_by_hand_only() -> None:
    """It starts where it is told to, and goes on or back by as much as it is told."""
    clock = ManualClock(5)
    assert (clock(), clock(), ManualClock()()) == (5, 5, START_US)
    clock.advance(1.5)
    clock.advance(-0.5)
    assert clock() == 1_000_005


def test_a_shared_clock_is_one_clock(tmp_path: Path) -> None:
    """Whoever opens the same file reads the same instant, also through a pickle."""
    clock = SharedClock(tmp_path / "clock")
    other = SharedClock(tmp_path / "clock", start=7)
    copy: SharedClock = pickle.loads(pickle.dumps(clock))  # noqa: S301 - our own bytes
    assert clock() == other() == copy() == START_US
    clock.advance(2.0)
    other.advance(-1.0)
    assert clock() == other() == copy() == START_US + 1_000_000
    assert SharedClock(tmp_path / "another", start=7)() == 7
