"""``python -m benchmarks``: measures, prints a table, writes JSON; ``goals`` judges."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from benchmarks import arguments, goals
from benchmarks.contest import BenchmarkError
from benchmarks.machine import this_machine
from benchmarks.report import heading, lines, report, verdicts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchmarks.contest import Result
    from benchmarks.plan import Plan
    from benchmarks.report import Verdict

MISSED = 1
FAILED = 3


def main(given: Sequence[str] | None = None) -> int:
    """Run what the arguments ask for; return the exit code."""
    asked = arguments.read(given)
    plan, machine = asked.plan, this_machine()
    _print(heading(plan, machine))
    results: list[Result] = []
    found: list[Verdict] = []
    try:
        if asked.is_goals:
            _judge(plan, results, found)
        else:
            for measure in asked.selection.measures(plan):
                _keep(results, measure())
    except BenchmarkError as error:
        sys.stderr.write(f"benchmarks: {error}\n")
        return FAILED
    if asked.json is not None:
        asked.json.write_bytes(report(plan, machine, results, found))
    return 0 if all(goal.is_reached for goal in found) else MISSED


def _judge(plan: Plan, results: list[Result], found: list[Verdict]) -> None:
    for judge in goals.judgements():
        measured, judged = judge(plan)
        _keep(results, measured)
        found += judged
    print()
    _print(verdicts(found))


def _keep(results: list[Result], measured: list[Result]) -> None:
    results += measured
    for result in measured:
        _print(lines(result))


def _print(text: Iterable[str]) -> None:
    for line in text:
        # A run takes minutes, and its reader may be a file: let them see how far it is.
        print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
