"""``python -m benchmarks.chaos``: makes a run, judges it, reports."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from benchmarks.chaos import arguments
from benchmarks.chaos.conductor import perform

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(given: Sequence[str] | None = None) -> int:
    plan = arguments.read(given)
    p = perform(plan)
    import msgspec
    (plan.out / "performance.json").write_bytes(msgspec.json.encode(p))
    print(p.complaints)
    return 0


if __name__ == "__main__":
    sys.exit(main())
