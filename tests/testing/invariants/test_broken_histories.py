"""The oracle finds each broken promise, and accuses nobody of anything else."""

from __future__ import annotations

import pytest

from actorq.testing.invariants import History, judge
from tests.testing.invariants import (
    broken_families,
    broken_lives,
    broken_queues,
    broken_stores,
    broken_wishes,
    broken_words,
)
from tests.testing.invariants.broken import BROKEN

REGISTERED = (
    broken_families,
    broken_lives,
    broken_queues,
    broken_stores,
    broken_wishes,
    broken_words,
)
"""The modules that filled the register."""


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_promise_is_found(name: str) -> None:
    """A history that breaks one invariant is judged to break that one, once, with its proof."""
    broken = BROKEN[name]
    events = broken.history().events
    (violation,) = judge(History(events))
    assert violation.invariant == broken.invariant
    assert violation.events
    assert set(map(id, violation.events)) <= set(map(id, events))
    assert str(violation).startswith(f"{broken.invariant}: ")


def test_every_invariant_can_be_broken() -> None:
    """There is a broken history for each of the twenty invariants."""
    assert {broken.invariant for broken in BROKEN.values()} == {f"I{n}" for n in range(1, 21)}
