"""Traces: the same seed is the same world, to the last event, in any process."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from actorq.testing.simulation import PROFILES, Report, simulate

SEEDS = range(3)
SCRIPT = """
from actorq.testing.simulation import PROFILES, simulate
for seed in range(3):
    print(simulate(PROFILES["storms"], seed).trace)
"""


def run(seed: int) -> Report:
    """Run one world of the most varied kind."""
    return simulate(PROFILES["storms"], seed)


@pytest.fixture(scope="module")
def reports() -> list[Report]:
    """Run each of the worlds once."""
    return [run(seed) for seed in SEEDS]


@pytest.mark.parametrize("hash_seed", ["0", "1", "2"])
def test_a_trace_is_the_same_in_every_process(reports: list[Report], hash_seed: str) -> None:
    """Neither the order of sets nor anything else of a process leaks into a world."""
    told = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-c", SCRIPT],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
    )
    assert told.stdout.split() == [report.trace for report in reports]


def test_every_seed_is_another_world(reports: list[Report]) -> None:
    """A seed decides what happens."""
    assert len({report.trace for report in reports}) == len(reports)


def test_a_record_is_the_same_world(reports: list[Report]) -> None:
    """A replay of what was chosen is the run itself, also without what it would choose anyhow."""
    for report in reports:
        again = simulate(PROFILES["storms"], record=report.record)
        assert again.trace == report.trace
        harmful = [choice for choice in report.record if choice.value]
        assert simulate(PROFILES["storms"], record=harmful).trace == report.trace


def test_nothing_is_left_of_a_world(reports: list[Report]) -> None:
    """The same world twice in one process: whatever ran before has left no mark."""
    run(99)
    assert run(0).trace == reports[0].trace
