"""The arguments: what a run is to measure, read from the command line."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final, get_args

import msgspec

from benchmarks.plan import DoorName, LoopName, Plan, ServerName, StoreName
from benchmarks.scenarios import OTHERS, RATES, Selection

if TYPE_CHECKING:
    from collections.abc import Sequence

_DESCRIPTION: Final = """\
Measure actorq, each figure next to its floor: the least that the same work can cost. Without
arguments everything is measured, which takes a while; options narrow it, and may be given more
than once. "goals" measures what actorq must reach, prints a verdict on each goal, and exits with 1
when one is missed.
"""

_QUICK_JOBS: Final = 500
_QUICK_ROUNDS: Final = 1


class Arguments(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for."""

    plan: Plan
    selection: Selection
    is_goals: bool
    json: Path | None


class _Parsed(argparse.Namespace):
    what: str
    scenario: list[str]
    store: list[StoreName]
    door: list[DoorName]
    server: list[ServerName]
    loop: LoopName
    jobs: int | None
    rounds: int | None
    quick: bool
    folder: Path
    json: Path | None


def read(arguments: Sequence[str] | None) -> Arguments:
    """Read the command line; wrong arguments end the process with 2."""
    parser = _parser()
    found = parser.parse_args(arguments, _Parsed())
    if not found.folder.is_dir():
        parser.error("--folder must name a folder that is there")
    return Arguments(
        plan=_plan(found),
        selection=Selection(
            tuple(found.scenario), tuple(found.store), tuple(found.door), tuple(found.server)
        ),
        is_goals=found.what == "goals",
        json=found.json,
    )


def _plan(found: _Parsed) -> Plan:
    plan = Plan(folder=found.folder.resolve(), loop=found.loop, quick=found.quick)
    jobs = found.jobs or (_QUICK_JOBS if found.quick else plan.jobs)
    rounds = found.rounds or (_QUICK_ROUNDS if found.quick else plan.rounds)
    return msgspec.structs.replace(plan, jobs=jobs, rounds=rounds)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=_DESCRIPTION,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", nargs="?", choices=("run", "goals"), default="run")
    for name, choices in (
        ("scenario", (*RATES, *OTHERS)),
        ("store", get_args(StoreName)),
        ("door", get_args(DoorName)),
        ("server", get_args(ServerName)),
    ):
        parser.add_argument(f"--{name}", action="append", choices=choices, default=[])
    parser.add_argument("--loop", choices=get_args(LoopName), default="asyncio")
    parser.add_argument("--jobs", type=_count, metavar="N", help="jobs a round (5000)")
    parser.add_argument("--rounds", type=_count, metavar="N", help="rounds in turns (5)")
    parser.add_argument("--quick", action="store_true", help="see that it works, in little time")
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path(tempfile.gettempdir()),
        help="where files of stores are made: choose the disk that you want to know about",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report there as well")
    return parser


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError(text)
    return value
