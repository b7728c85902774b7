"""The oracle accuses nobody who keeps his promises, whatever was lost, late, doubled or unknown."""

from __future__ import annotations

from collections import Counter
from typing import get_args

import pytest

from actorq.testing.invariants import events as e
from actorq.testing.invariants import judge
from tests.testing.invariants.runs import hostile_run, outside, prompt_run

SEEDS = range(40)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_correct_run_in_trouble(seed: int) -> None:
    """No random run of a correct system is accused, with the store's moves and without them."""
    history = hostile_run(seed)
    assert judge(history) == []
    assert judge(outside(history)) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_a_correct_run_in_peace(seed: int) -> None:
    """Where nothing goes wrong, nobody is accused of being late either (I9)."""
    history = prompt_run(seed)
    assert judge(history) == []
    assert judge(outside(history)) == []


def test_the_runs_meet_what_they_are_for() -> None:
    """Together the runs hold every kind of event, every move and every outcome of a settlement."""
    events = [event for seed in SEEDS for event in hostile_run(seed)]
    kinds = {type(event) for event in events}
    onlookers = {e.Measured, e.Ticked, e.TickDue, e.Health, e.Reach}
    assert kinds | onlookers == set(get_args(e.Event))
    moves = Counter(event.event for event in events if isinstance(event, e.Move))
    # No job of theirs depends on another; the simulation has a profile for those.
    assert set(moves) | {"note"} == set(get_args(e.MoveEvent))
    outcomes = Counter(event.outcome for event in events if isinstance(event, e.Settled))
    assert set(outcomes) == set(get_args(e.Outcome)) - {"unknown"}
