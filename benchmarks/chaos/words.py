"""A report as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from benchmarks.chaos.figures import Spread
    from benchmarks.chaos.report import Report

_MARGIN: Final = 12
_MOST_VIOLATIONS: Final = 10


def lines(report: Report) -> Iterator[str]:
    """Say what a run found."""
    totals, machine = report.totals, report.machine
    yield (
        f"chaos on {report.store}, {report.faults} faults, {totals.seconds / 60:.1f} minutes, seed "
        f"{report.seed}: {report.servers} servers, {report.workers} workers, {report.rate:g} jobs/s "
        f"asked for, leases of {report.lease:g} s"
    )
    yield f"{machine.system}, {machine.cores} cores, {machine.python}, {machine.date}"
    yield ""
    yield from _entry("jobs", f"{totals.asked:,} asked for, {totals.asked_rate:g} a second")
    yield from _entry("", f"{totals.accepted:,} accepted, {totals.accepted_rate:g} a second")
    yield from _entry("", f"{totals.completed:,} completed, {totals.completed_rate:g} a second")
    yield from _entry("", f"at the end: {_counts(totals.ended)}")
    yield from _entry("settled", f"{_counts(totals.settlements)} (what holders were told)")
    yield from _entry("servers", f"at most {totals.server_mb:g} MB each")
    yield from _entry("faults", _counts(report.made))
    yield ""
    for promise, broken in report.promises.items():
        yield from _entry("kept" if not broken else "BROKEN", f"{broken:,} {promise}")
    yield from _duplicates(report)
    yield ""
    yield from _entry("recovery", _spread(report.recovery.calm, "a dead worker's job was claimed"))
    yield from _entry("", f"whatever was done to the store: {_spread(report.recovery.all)}")
    yield from _entry("return", _spread(report.returns.seconds, "the usual rate was there again"))
    yield from _entry(
        "",
        f"usual is {report.returns.usual:g} jobs/s completed; {report.returns.unknown} times the "
        "next fault of the store came first",
    )
    yield ""
    for goal in report.goals:
        word = "reached" if goal.is_reached else "MISSED"
        yield from _entry(word, f"{goal.goal}: {goal.measured} ({goal.wanted})")
    for violation in report.violations[:_MOST_VIOLATIONS]:
        yield from _entry("VIOLATION", violation)
    for complaint in report.complaints:
        yield from _entry("COMPLAINT", complaint)


def _duplicates(report: Report) -> Iterator[str]:
    found = report.duplicates
    share = found.repeated / found.effects if found.effects else 0.0
    word = "kept" if not found.unexplained else "BROKEN"
    yield from _entry(
        word, f"{found.unexplained} effects repeated without a recorded end of their lease"
    )
    text = f"{found.repeated} of {found.effects:,} effects repeated ({share:.2%})"
    if found.causes:
        text += f": the lease had ended by {_counts(found.causes)}"
    yield from _entry("", text)


def _counts(counts: Mapping[str, int]) -> str:
    return " · ".join(f"{count:,} {word}" for word, count in counts.items()) or "none"


def _spread(spread: Spread, what: str = "") -> str:
    if not spread.count:
        return f"{what} never".strip()
    figures = f"p50 {spread.p50:.2f} s, p99 {spread.p99:.2f} s, most {spread.most:.2f} s"
    return f"{what} within {figures} ({spread.count} times)".strip()


def _entry(word: str, text: str) -> Iterator[str]:
    """Yield a line with a word in its margin; long ones go on below."""
    rest = text.splitlines() or [""]
    for number, line in enumerate(rest):
        yield f"  {word if not number else '':<{_MARGIN}}{line}".rstrip()
