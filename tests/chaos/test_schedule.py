"""The schedule of a chaos run: drawn from its seed, and hard enough."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import get_args

import pytest

from benchmarks.chaos.plan import FaultSet, Plan, StoreName
from benchmarks.chaos.schedule import draw, store_rates

A_QUARTER_S = 900.0


def plan(
    store: StoreName = "redis",
    seconds: float = A_QUARTER_S,
    seed: int = 1,
    faults: FaultSet = "usual",
) -> Plan:
    return Plan(store=store, seconds=seconds, seed=seed, faults=faults, out=Path())


def test_a_seed_is_a_schedule() -> None:
    """The same seed gives the same faults at the same times, another seed others."""
    assert draw(plan()) == draw(plan())
    assert draw(plan()) != draw(plan(seed=2))


@pytest.mark.parametrize("store", get_args(StoreName))
def test_a_quarter_of_an_hour_is_hard(store: StoreName) -> None:
    """In 15 minutes 60 workers, 20 servers and 10 stores die; 10 times all is cut, 10 times one stops."""
    made = Counter(planned.kind for planned in draw(plan(store)))
    assert made["kill worker"] >= 60
    assert made["kill server"] >= 20
    assert made["kill store"] >= 10
    assert made["cut store"] + made["cut clients"] >= 10
    assert made["pause worker"] >= 10


@pytest.mark.parametrize("faults", get_args(FaultSet))
def test_a_short_run_has_everything(faults: FaultSet) -> None:
    """However short a run is, each of its faults is made once at least, within its time, in order."""
    short = plan(seconds=30.0, faults=faults)
    schedule = draw(short)
    assert {planned.kind for planned in schedule} > store_rates(short).keys()
    times = [planned.at for planned in schedule]
    assert times == sorted(times)
    assert times[0] >= 1.0
    assert times[-1] < 30.0


@pytest.mark.parametrize("seed", range(20))
def test_the_store_gets_its_breath_back(seed: int) -> None:
    """Two faults of the store are so far apart that what follows the first can be seen."""
    usual = plan(seed=seed)
    store = [one.at for one in draw(usual) if one.kind in store_rates(usual)]
    evenly = A_QUARTER_S / len(store)
    assert min(later - earlier for earlier, later in pairwise(store)) > evenly * 0.4
