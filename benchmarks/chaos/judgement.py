"""The judgement: the histories of a run put together, judged, measured and written down."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from actorq.testing.invariants.history import History
from actorq.testing.invariants.judge import judge
from benchmarks.chaos import report as reports
from benchmarks.chaos import timeline, words
from benchmarks.chaos.lives import Lives

if TYPE_CHECKING:
    from benchmarks.chaos.conductor import Performance
    from benchmarks.chaos.plan import Plan
    from benchmarks.chaos.report import Report


def judge_run(plan: Plan, performance: Performance) -> Report:
    """Judge a run by what everybody noted, and write the report beside the notes."""
    history = History.load(*sorted((plan.out / "notes").glob("*.jsonl")))
    violations = judge(history)
    report = reports.make(plan, performance, Lives(history), violations)
    text = msgspec.json.format(msgspec.json.encode(report), indent=1)
    (plan.out / "report.json").write_bytes(text + b"\n")
    (plan.out / "report.txt").write_text("\n".join(words.lines(report)) + "\n", "utf-8")
    picture = timeline.draw(report.timeline, *_titles(report))
    (plan.out / "timeline.svg").write_text(picture, encoding="utf-8")
    return report


def _titles(report: Report) -> tuple[str, str]:
    totals = report.totals
    title = f"actorq on {report.store} under {sum(report.made.values())} faults"
    if report.faults != "usual":
        title += f" ({report.faults})"
    kept = "every promise kept" if report.is_kept else "PROMISES BROKEN"
    return title, (
        f"{totals.seconds / 60:.1f} minutes, seed {report.seed}, {report.servers} servers, "
        f"{report.workers} workers, {totals.accepted:,} jobs accepted: {kept}"
    )
