"""Find every planted bug from seed 0 on: ``python -m tests.testing.simulation.planted``.

Prints the table, and exits with 1 if a bug is not found. With names, only those are looked for. With
``--write`` the seeds are written down, in ``seeds.json`` and in docs/reliability.md: to be done when
the simulation has changed, for a seed draws another world then.
"""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING

from tests.testing.simulation.planted import table
from tests.testing.simulation.planted.bugs import BUGS
from tests.testing.simulation.planted.hunting import MOST, hunt

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    """Hunt on all cores, and tell of each find."""
    names = [name for name in arguments if name != "--write"]
    wanted = [number for number, bug in enumerate(BUGS) if not names or bug.name in names]
    seeds: dict[str, int] = {}
    with ProcessPoolExecutor() as pool:
        for number, seed in zip(wanted, pool.map(_hunt, wanted), strict=True):
            bug = BUGS[number]
            where = f"{bug.breaks} in {bug.profile}"
            if seed is None:
                _say(f"{bug.name}: not found ({where}) in {MOST} seeds")
            else:
                _say(f"{bug.name}: found ({where}) by seed {seed}")
                seeds[bug.name] = seed
    if "--write" in arguments:
        table.write({**table.known_seeds(), **seeds})
    elif not names and len(seeds) == len(BUGS):
        _say(table.table(seeds))
    return int(len(seeds) < len(wanted))


def _hunt(number: int) -> int | None:
    # By its number: the classes of a bug cannot be sent to another process.
    return hunt(BUGS[number])


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
