"""The report: a table to read and JSON to compare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from benchmarks.machine import Machine

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.contest import Result
    from benchmarks.plan import Plan

FORMAT: Final = 1
"""The version of the JSON report."""

_WIDTHS: Final = (9, 7, 24, 28, 11)
_TITLES: Final = ("scenario", "store", "door", "shape", "unit")
_COARSE: Final = 100.0


class Floor(msgspec.Struct, frozen=True):
    """A floor in the report: its rounds, their median, and subject to floor."""

    name: str
    median: float
    ratio: float | None
    rounds: list[float]


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One unit of a contest in the report."""

    scenario: str
    store: str
    door: str
    shape: str
    unit: str
    subject: str
    median: float
    rounds: list[float]
    floors: list[Floor]


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """A goal: what was wanted, what was measured, and whether that reaches it."""

    goal: str
    wanted: str
    measured: str
    is_reached: bool


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a run found."""

    format: int
    machine: Machine
    jobs: int
    rounds: int
    loop: str
    is_quick: bool
    results: list[Row]
    goals: list[Verdict]


def report(
    plan: Plan, machine: Machine, results: Sequence[Result], goals: Sequence[Verdict]
) -> bytes:
    """Return the run as JSON, indented for people."""
    made = Report(
        format=FORMAT,
        machine=machine,
        jobs=plan.jobs,
        rounds=plan.rounds,
        loop=plan.loop,
        is_quick=plan.quick,
        results=[_row(result) for result in results],
        goals=list(goals),
    )
    return msgspec.json.format(msgspec.json.encode(made), indent=2) + b"\n"


def heading(plan: Plan, machine: Machine) -> Iterator[str]:
    """Yield the lines that stand above a table."""
    versions = ", ".join(f"{name} {number}" for name, number in machine.versions.items())
    yield f"{machine.date} · {machine.python} · {machine.cores} cores · {machine.system}"
    yield versions
    yield f"{plan.rounds} rounds in turns; medians, and the median of the rounds' ratios"
    if plan.quick:
        yield "A quick run: it shows that everything works; its figures are not to be quoted."
    yield ""
    yield f"{_columns(_TITLES)} {'measured':>11}   {'beside':<31} {'measured':>11}   ratio"


def lines(result: Result) -> Iterator[str]:
    """Yield the table's lines of one result: the subject, then a line for each further floor."""
    titles = (result.scenario, result.store, result.door, result.shape, result.unit)
    start = f"{_columns(titles)} {_figure(result.subject.median):>11}"
    if not result.floors:
        yield start
    for floor in result.floors:
        ratio = _ratio(result.ratio(floor))
        yield f"{start}   {floor.name:<31} {_figure(floor.median):>11}   {ratio}"
        start = " " * len(start)


def verdicts(goals: Sequence[Verdict]) -> Iterator[str]:
    """Yield the table of the goals."""
    width = max(len(goal.goal) for goal in goals)
    for goal in goals:
        word = "reached" if goal.is_reached else "MISSED"
        yield f"{word:<8} {goal.goal:<{width}}  {goal.wanted:>9}  {goal.measured:>9}"


def _row(result: Result) -> Row:
    return Row(
        scenario=result.scenario,
        store=result.store,
        door=result.door,
        shape=result.shape,
        unit=result.unit,
        subject=result.subject.name,
        median=result.subject.median,
        rounds=result.subject.rounds,
        floors=[Floor(f.name, f.median, result.ratio(f), f.rounds) for f in result.floors],
    )


def _columns(values: Sequence[str]) -> str:
    return " ".join(f"{value:<{width}}" for value, width in zip(values, _WIDTHS, strict=True))


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= _COARSE else f"{value:,.3g}"


def _ratio(ratio: float | None) -> str:
    if ratio is None:
        return "-"
    return f"{ratio:.1f} x" if ratio >= 2 else f"{100 * ratio:.0f} %"  # noqa: PLR2004 - a matter of reading
