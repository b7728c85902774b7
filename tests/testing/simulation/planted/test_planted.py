"""The simulation has teeth: whatever bug is planted in it, a world shows what that breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from actorq.testing.simulation import PROFILES, simulate
from tests.testing.simulation.planted import table
from tests.testing.simulation.planted.bugs import BUGS
from tests.testing.simulation.planted.hunting import MOST, shown_by

if TYPE_CHECKING:
    from tests.testing.simulation.planted.bug import Bug

RENEW = "python -m tests.testing.simulation.planted --write"
"""What is to be done when the simulation has changed, for a seed draws another world then."""


def name_of(bug: Bug) -> str:
    return bug.name


@pytest.mark.parametrize("bug", BUGS, ids=name_of)
def test_a_planted_bug_is_found(bug: Bug) -> None:
    """The known seed shows each bug by the invariant that it breaks."""
    violation = shown_by(bug, table.known_seeds()[bug.name])
    assert violation is not None, f"run: {RENEW}"
    assert violation.events


@pytest.mark.parametrize(
    ("profile", "seed"), sorted({(bug.profile, table.known_seeds()[bug.name]) for bug in BUGS})
)
def test_the_same_world_keeps_its_promises_without_it(profile: str, seed: int) -> None:
    """It is the bug that breaks them, and nothing else in that world."""
    assert simulate(PROFILES[profile], seed).violations == ()


def test_no_bug_hides_for_long() -> None:
    """Each bug shows within the seeds that it may hide from, and has a name of its own."""
    assert set(table.known_seeds()) == {bug.name for bug in BUGS}
    assert max(table.known_seeds().values()) < MOST
    assert len({bug.name for bug in BUGS}) == len(BUGS) >= 25


def test_the_page_has_the_table() -> None:
    """docs/reliability.md shows the bugs with the seeds that find them now."""
    assert table.table_on_the_page() == table.table(table.known_seeds()), f"run: {RENEW}"
