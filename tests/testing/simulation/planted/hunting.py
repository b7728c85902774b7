"""The hunt: seeds are run from 0 on, until one shows what a planted bug breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from actorq.testing.simulation.profiles import PROFILES
from actorq.testing.simulation.running import simulate
from tests.testing.simulation.planted.bug import planted

if TYPE_CHECKING:
    from actorq.testing.invariants.violation import Violation
    from tests.testing.simulation.planted.bug import Bug

MOST: Final = 2_000
"""From how many seeds a planted bug may hide."""


def shown_by(bug: Bug, seed: int) -> Violation | None:
    """Run one world with the bug in it; return what shows it."""
    with planted(bug) as parts:
        report = simulate(PROFILES[bug.profile], seed, parts=parts)
    return next((v for v in report.violations if v.invariant == bug.breaks), None)


def hunt(bug: Bug) -> int | None:
    """Return the first seed that shows the bug; None if it hides from too many."""
    return next((seed for seed in range(MOST) if shown_by(bug, seed) is not None), None)
