"""The command: ``python -m actorq.testing.simulation``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Final

from actorq.testing.simulation.campaign import Ran, campaign
from actorq.testing.simulation.cases import load
from actorq.testing.simulation.profiles import PROFILES, TURNS
from actorq.testing.simulation.running import Report, simulate
from actorq.testing.simulation.shrink import shrunk

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actorq.testing.simulation.director import Parts

MODULE: Final = "python -m actorq.testing.simulation"


class Asked(argparse.Namespace):
    """What was asked for, by the names of the options."""

    seed: int
    seeds: tuple[int, int] | None
    replay: str | None
    profile: str
    processes: int | None
    failures: str
    no_shrink: bool


def main(arguments: Sequence[str] | None = None, parts: Parts | None = None) -> int:
    """Run what is asked for; return 1 when a promise was broken, else 0.

    ``parts`` are the classes that worlds are made of, for tests that plant a bug.
    """
    asked = _parser().parse_args(arguments, Asked())
    if asked.replay is not None:
        return _replay(Path(asked.replay), parts)
    names = TURNS if asked.profile == "all" else (asked.profile,)
    if asked.seeds is not None:
        first, last = asked.seeds
        return _many(first, last, names, asked, parts)
    name = names[asked.seed % len(names)]
    return _one(name, asked.seed, asked, parts)


def _parser() -> argparse.ArgumentParser:
    profiles = "; ".join(f"{profile.name}: {profile.about}" for profile in PROFILES.values())
    parser = argparse.ArgumentParser(
        prog=MODULE,
        description="Run a simulated cluster through trouble, and judge what it promised.",
        epilog=f"Profiles. {profiles}.",
    )
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--seed", type=int, metavar="S", help="run this seed")
    which.add_argument("--seeds", type=_range, metavar="A-B", help="run all seeds from A to B")
    which.add_argument("--replay", metavar="FILE", help="make the choices of a failure again")
    parser.add_argument(
        "--profile",
        choices=[*PROFILES, "all"],
        default="all",
        help="what goes wrong; all takes turns [all]",
    )
    parser.add_argument(
        "--processes", type=int, metavar="N", help="how many at a time [one per core]"
    )
    parser.add_argument(
        "--failures",
        default="failures",
        metavar="FOLDER",
        help="where the choices of what failed are written, shrunk [failures]",
    )
    parser.add_argument("--no-shrink", action="store_true", help="write them as they are, at once")
    return parser


def _range(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    try:
        return int(first), int(last or first)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form 0-999") from None


def _one(name: str, seed: int, asked: Asked, parts: Parts | None) -> int:
    began = perf_counter()
    report = simulate(PROFILES[name], seed, parts=parts)
    _say(_figures(report, perf_counter() - began))
    return _failed(report, asked, parts) if report.violations else 0


def _many(first: int, last: int, names: Sequence[str], asked: Asked, parts: Parts | None) -> int:
    summary = None
    for ran, summary in campaign(first, last, names, asked.processes):
        if ran.violation is not None:
            _say(f"{ran.profile} {ran.seed}: {ran.violation}\n{_command(ran)}")
        if summary.seeds % 1_000 == 0:
            _say(str(summary))
    if summary is None:
        return 0
    _say(str(summary))
    for ran in summary.failed:
        _failed(simulate(PROFILES[ran.profile], ran.seed, parts=parts), asked, parts)
    return 1 if summary.failed else 0


def _replay(path: Path, parts: Parts | None) -> int:
    began = perf_counter()
    report = load(path).run(parts)
    _say(_figures(report, perf_counter() - began))
    for violation in report.violations:
        _say(str(violation))
    return 1 if report.violations else 0


def _figures(report: Report, took: float) -> str:
    speed = report.seconds / max(took, 1e-9)
    excused = f", {len(report.excused)} losses that are not promised" if report.excused else ""
    return (
        f"{report.profile} {'replayed' if report.seed is None else report.seed}: "
        f"{report.seconds:.1f} virtual seconds ({speed:.0f} a second), {report.jobs} jobs, "
        f"{report.faults} faults{excused}\ntrace {report.trace}"
    )


def _failed(report: Report, asked: Asked, parts: Parts | None) -> int:
    """Tell of a failure, and write it down as small as it can be had."""
    for violation in report.violations:
        _say(str(violation))
    case = shrunk(report, parts, 0) if asked.no_shrink else shrunk(report, parts)
    path = case.save(Path(asked.failures))
    _say(f"{len(case.choices)} choices of {len(report.record)} lead to it: {case.violation}")
    _say(f"{MODULE} --profile {report.profile} --seed {report.seed}")
    _say(f"{MODULE} --replay {path}")
    return 1


def _command(ran: Ran) -> str:
    return f"{MODULE} --profile {ran.profile} --seed {ran.seed}"


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
