"""The page of states is what the table says now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from actorq.core.transitions import TRANSITIONS, Event, Status
from tests.docs.makers import DOCS, load

if TYPE_CHECKING:
    from types import ModuleType


@pytest.fixture(scope="module")
def diagrams() -> ModuleType:
    """Return the program that writes the page."""
    return load("diagrams")


def test_the_page_of_states_is_up_to_date(diagrams: ModuleType) -> None:
    """docs/reference/states.md is what docs/diagrams.py makes from the table now (§2)."""
    page = (DOCS / "reference" / "states.md").read_text(encoding="utf-8")
    assert page == diagrams.page()


def test_every_transition_is_drawn(diagrams: ModuleType) -> None:
    """Each legal pair is on an arrow of the diagram, and every pair in the table (§2)."""
    arrows = [line.strip() for line in diagrams.diagram().splitlines()]
    for (status, event), after in TRANSITIONS.items():
        (labels,) = (line for line in arrows if line.startswith(f"{status} --> {after}: "))
        assert event.value in labels.partition(": ")[2].split(", ")
    rows = diagrams.table().splitlines()
    assert len(rows) == len(Event) + 2
    assert all(row.count("|") == len(Status) + 3 for row in rows)
