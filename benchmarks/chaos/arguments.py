"""The arguments of a chaos run, read from the command line."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final, get_args

from benchmarks.chaos.plan import FaultSet, Plan, StoreName

if TYPE_CHECKING:
    from collections.abc import Sequence

_DESCRIPTION: Final = """\
Run servers, workers and producers as real processes on one private store, do to them whatever a
bad day does, and judge afterwards what all of them saw. Exits with 1 when a promise was broken or a
figure missed, and names each; with 3 when the run itself could not be made.
"""
_MINUTE_S: Final = 60.0


class _Parsed(argparse.Namespace):
    store: StoreName
    minutes: float
    seed: int
    faults: FaultSet
    rate: float
    out: Path | None


def read(arguments: Sequence[str] | None) -> Plan:
    """Read the command line; wrong arguments end the process with 2."""
    parser = _parser()
    found = parser.parse_args(arguments, _Parsed())
    if found.faults != "usual" and found.store != "redis":
        parser.error(f"--faults {found.faults} is about Redis: say --store redis")
    out = found.out or Path(tempfile.mkdtemp(prefix="actorq-chaos-"))
    out.mkdir(parents=True, exist_ok=True)
    if any(out.iterdir()):
        parser.error("--out must name a folder that is empty, or not there yet")
    return Plan(
        store=found.store,
        seconds=found.minutes * _MINUTE_S,
        seed=found.seed,
        out=out.resolve(),
        faults=found.faults,
        rate=found.rate,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.chaos",
        description=_DESCRIPTION,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--store", choices=get_args(StoreName), required=True)
    parser.add_argument(
        "--minutes", type=_positive, default=15.0, help="how long faults are made (15)"
    )
    parser.add_argument("--seed", type=int, default=1, help="which faults, and when (1)")
    parser.add_argument(
        "--faults",
        choices=get_args(FaultSet),
        default="usual",
        help="usual; or, for Redis: failover (to a replica that may lack writes: the loss is "
        "counted), failover-wait (no write counts that it lacks), cluster (three nodes)",
    )
    parser.add_argument("--rate", type=_positive, default=200.0, help="jobs a second (200)")
    parser.add_argument(
        "--out", type=Path, help="a folder for the report and the histories (a temporary one)"
    )
    return parser


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise ValueError(text)
    return value
