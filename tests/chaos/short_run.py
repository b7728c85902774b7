"""A chaos run as short as CI can bear: every kind of fault at least once, and every promise judged.

What depends on how fast the machine is, is not judged here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from benchmarks.chaos.conductor import perform
from benchmarks.chaos.judgement import judge_run
from benchmarks.chaos.plan import Plan
from benchmarks.chaos.schedule import draw
from benchmarks.chaos.words import lines

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.chaos.plan import StoreName

SECONDS: Final = 30.0
RATE: Final = 50.0
QUIET_S: Final = 200.0
"""Seconds in which all jobs must have ended: whatever is slow here is the machine."""

MOST_S: Final = 400.0
"""Seconds after which a test is ended."""

FEWEST_JOBS: Final = 200


def endure(store: StoreName, folder: Path) -> None:
    """Run servers, workers and producers on a private store through half a minute of faults."""
    plan = Plan(
        store=store, seconds=SECONDS, seed=1, out=folder, rate=RATE, is_timed=False, quiet=QUIET_S
    )
    report = judge_run(plan, perform(plan))
    assert report.is_kept, "\n".join(lines(report))
    assert report.made.keys() == {planned.kind for planned in draw(plan)}
    assert report.totals.completed >= FEWEST_JOBS
