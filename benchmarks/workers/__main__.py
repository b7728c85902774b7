"""``python -m benchmarks.workers``: measures workers, and judges what they must reach."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final, get_args

from benchmarks.contest import BenchmarkError
from benchmarks.machine import this_machine
from benchmarks.plan import LoopName, Plan
from benchmarks.report import Verdict, heading, lines, verdicts
from benchmarks.verdicts import at_least, below, share
from benchmarks.workers import endings, memory, rates

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

MISSED: Final = 1
FAILED: Final = 3
MANY: Final = 100_000
QUICK_JOBS: Final = 1_000
LOOPS: Final[tuple[LoopName, ...]] = get_args(LoopName)


class _Asked(argparse.Namespace):
    loop: LoopName
    jobs: int
    rounds: int
    quick: bool
    folder: Path


def main(given: Sequence[str] | None = None) -> int:
    """Measure and judge; return the exit code."""
    plan = _plan(given)
    _print(heading(plan, this_machine()))
    try:
        found = list(_judge(plan))
    except BenchmarkError as error:
        sys.stderr.write(f"benchmarks: {error}\n")
        return FAILED
    print()
    _print(verdicts(found))
    return 0 if all(goal.is_reached for goal in found) else MISSED


def _judge(plan: Plan) -> Iterator[Verdict]:
    embedded = rates.of_the_face(plan, "sqlite")
    _print(lines(embedded))
    what = "Worker, embedded, SQLite, whole lives: of the bare face"
    yield at_least(what, share(embedded, rates.BY_HAND), 0.7)
    remote = rates.of_single_steps(plan, "sqlite", "hypercorn")
    _print(lines(remote))
    what = "Worker over HTTP: of one request a step"
    yield at_least(what, share(remote, rates.STEP_BY_STEP), 3.0)
    footprint = memory.measure(plan, QUICK_JOBS if plan.quick else MANY)
    what = f"Worker over HTTP: memory grown by {footprint.runs - memory.WARM_UP:,} jobs"
    yield below(what, footprint.grown_mb, 20.0, "MB")
    yield _none("Jobs that were not run exactly once, without a fault", footprint.odd)
    job = endings.blocked(plan)
    what = "A handler blocks the loop for 3 leases: leases lost"
    yield _none(what, job.attempt - 1 + job.expiries)
    for loop in LOOPS:
        ending = endings.stop(plan, loop)
        late = ending.seconds - endings.GRACE_S
        yield below(f"SIGTERM under load, {loop}: beyond the grace", late, 1.0, "s")
        spent = ending.failed + ending.retries + ending.exit_code
        yield _none(f"SIGTERM under load, {loop}: failures and retries spent", spent)


def _none(goal: str, count: int) -> Verdict:
    """Judge a count that must be zero."""
    return Verdict(goal=goal, wanted="0", measured=f"{count:,}", is_reached=count == 0)


def _plan(given: Sequence[str] | None) -> Plan:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.workers", description=__doc__)
    parser.add_argument("--loop", choices=LOOPS, default="asyncio")
    parser.add_argument("--jobs", type=int, default=10_000, metavar="N", help="a round [10000]")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="in turns [5]")
    parser.add_argument("--quick", action="store_true", help="see that it works, in little time")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    asked = parser.parse_args(given, _Asked())
    jobs, rounds = (QUICK_JOBS, 1) if asked.quick else (asked.jobs, asked.rounds)
    return Plan(
        folder=asked.folder.resolve(), jobs=jobs, rounds=rounds, loop=asked.loop, quick=asked.quick
    )


def _print(text: Iterable[str]) -> None:
    for line in text:
        print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
