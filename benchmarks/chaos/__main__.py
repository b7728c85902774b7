"""``python -m benchmarks.chaos``: makes a run, judges it, reports."""

from __future__ import annotations

import sys
import traceback
from typing import TYPE_CHECKING, Final

from benchmarks.chaos import arguments
from benchmarks.chaos.conductor import perform
from benchmarks.chaos.judgement import judge_run
from benchmarks.chaos.words import lines

if TYPE_CHECKING:
    from collections.abc import Sequence

BROKEN: Final = 1
FAILED: Final = 3


def main(given: Sequence[str] | None = None) -> int:
    """Make the run that the arguments ask for; return the exit code."""
    plan = arguments.read(given)
    print(f"everything goes to {plan.out}", flush=True)
    try:
        report = judge_run(plan, perform(plan))
    except Exception:  # noqa: BLE001 - whatever it is: there is no verdict, and that is no broken promise
        sys.stderr.write(f"chaos: the run could not be made\n{traceback.format_exc()}")
        return FAILED
    for line in lines(report):
        print(line)
    return 0 if report.is_kept and report.is_reached else BROKEN


if __name__ == "__main__":
    sys.exit(main())
