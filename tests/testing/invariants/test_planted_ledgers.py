"""The oracle finds the bugs of a store in random runs, whether the store tells its moves or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from actorq.testing.invariants import judge
from tests.testing.invariants.planted_ledgers import PLANTED
from tests.testing.invariants.runs import hostile_run, outside, prompt_run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actorq.testing.invariants import History
    from tests.testing.invariants.told_ledger import ToldLedger

SEEDS = 60


def runs(ledger: type[ToldLedger]) -> Iterator[History]:
    for seed in range(SEEDS):
        yield hostile_run(seed, ledger)
        yield prompt_run(seed, ledger)


@pytest.mark.parametrize("ledger", PLANTED, ids=lambda ledger: ledger.__name__)
def test_a_bug_is_found(ledger: type[ToldLedger]) -> None:
    """A store with a bug is caught within a few runs, and for what it did."""
    assert any(PLANTED[ledger] in {v.invariant for v in judge(run)} for run in runs(ledger))


@pytest.mark.parametrize("ledger", PLANTED, ids=lambda ledger: ledger.__name__)
def test_a_bug_is_found_from_outside(ledger: type[ToldLedger]) -> None:
    """What clients, workers and audits saw is enough to catch it."""
    seen = (judge(outside(run)) for run in runs(ledger))
    assert any(PLANTED[ledger] in {v.invariant for v in found} for found in seen)
