"""The report of a run: what was promised and held, what was measured, and text to read."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import msgspec

from benchmarks.chaos import figures
from benchmarks.chaos.figures import Duplicates, Recovery, Returns
from benchmarks.chaos.timeline import Mark, Timeline
from benchmarks.machine import Machine, this_machine
from benchmarks.report import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from actorq.testing.invariants.violation import Violation
    from benchmarks.chaos.conductor import Performance
    from benchmarks.chaos.lives import Lives
    from benchmarks.chaos.plan import Plan

FORMAT: Final = 1
"""The version of ``report.json``."""

RECOVERY_S: Final = 2.0
"""How much longer than its lease a job may lie after the death of its worker (p99)."""

RETURN_S: Final = 5.0
"""Seconds after the store is back in which work goes on as usual."""

_WANTED: Final = {
    "kill worker": 4.0,
    "kill server": 4 / 3,
    "kill store": 2 / 3,
    "mass disconnect": 2 / 3,
    "pause": 2 / 3,
}
"""Faults in a minute that make it a chaos run: 60, 20, 10, 10 and 10 in a quarter of an hour."""

_GROUPS: Final = {
    "cut store": "mass disconnect",
    "cut clients": "mass disconnect",
    "pause worker": "pause",
    "pause server": "pause",
    "pause store": "pause",
}
_PROMISES: Final = {
    "I1": "acknowledged jobs lost",
    "I4": "at-most-once jobs started twice",
    "I6": "settlements judged wrongly, such as a stale one taken",
}
_MOST_SHOWN: Final = 50
_AFTERWARDS_S: Final = 3.0


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """What the load was, and its rates over the time of the faults, in jobs a second.

    Of the jobs that were asked for, those are not accepted which a live one with the same dedupe key stands
    for.
    """

    seconds: float
    asked: int
    asked_rate: float
    accepted: int
    accepted_rate: float
    completed: int
    completed_rate: float
    ended: dict[str, int]
    settlements: dict[str, int]
    expiries: int
    events: int
    server_mb: float


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a run found."""

    format: int
    machine: Machine
    store: str
    faults: str
    seed: int
    rate: float
    lease: float
    servers: int
    workers: int
    totals: Totals
    made: dict[str, int]
    promises: dict[str, int]
    """How often each was broken."""

    violations: list[str]
    """The first of them, in words."""

    complaints: list[str]
    duplicates: Duplicates
    recovery: Recovery
    returns: Returns
    goals: list[Verdict]
    timeline: Timeline

    @property
    def is_kept(self) -> bool:
        """Whether every promise was kept, and nobody ended or failed to stop without a reason.

        A fail-over to a replica that may lack writes is beyond the promise: what it cost is counted.
        """
        is_lossy = self.faults == "failover"
        broken = sum(self.promises.values()) + self.duplicates.unexplained
        return not self.complaints and (is_lossy or not broken)

    @property
    def is_reached(self) -> bool:
        """Whether every figure is what it is to be."""
        return all(goal.is_reached for goal in self.goals)


def make(
    plan: Plan, performance: Performance, lives: Lives, violations: Sequence[Violation]
) -> Report:
    """Put the report of a run together."""
    made = Counter(fault.kind for fault in performance.made)
    recovery = figures.recoveries(lives, performance.made)
    returned = figures.returns(lives, performance)
    return Report(
        format=FORMAT,
        machine=this_machine(),
        store=plan.store,
        faults=plan.faults,
        seed=plan.seed,
        rate=plan.rate,
        lease=plan.lease,
        servers=plan.servers,
        workers=plan.workers,
        totals=_totals(performance, lives),
        made=dict(made.most_common()),
        promises=_promises(violations),
        violations=[str(violation) for violation in violations[:_MOST_SHOWN]],
        complaints=performance.complaints,
        duplicates=figures.duplicates(lives, performance.made, plan.lease),
        recovery=recovery,
        returns=returned,
        goals=list(_goals(plan, Counter(made), recovery, returned)),
        timeline=_timeline(performance, lives),
    )


def _totals(performance: Performance, lives: Lives) -> Totals:
    seconds = performance.healed - performance.began
    ends = [life.end for life in lives.jobs.values() if life.end is not None]
    return Totals(
        seconds=round(seconds, 1),
        asked=len(lives.asked),
        asked_rate=round(len(lives.asked) / seconds, 1),
        accepted=len(lives.accepted),
        accepted_rate=_rate(lives.accepted, performance),
        completed=len(lives.completed),
        completed_rate=_rate(lives.completed, performance),
        ended=dict(Counter(end.status for end in ends).most_common()),
        settlements=dict(lives.outcomes.most_common()),
        expiries=sum(end.expiries or 0 for end in ends),
        events=lives.events,
        server_mb=performance.server_mb,
    )


def _rate(moments: Sequence[float], performance: Performance) -> float:
    began, healed = performance.began, performance.healed
    return round(sum(began <= at <= healed for at in moments) / (healed - began), 1)


def _promises(violations: Sequence[Violation]) -> dict[str, int]:
    broken = Counter(violation.invariant for violation in violations)
    kept = {name: broken.pop(invariant, 0) for invariant, name in _PROMISES.items()}
    others = {f"violations of {invariant}": count for invariant, count in sorted(broken.items())}
    return kept | others


def _goals(
    plan: Plan, made: Counter[str], recovery: Recovery, returned: Returns
) -> Iterator[Verdict]:
    most = plan.lease + RECOVERY_S
    yield Verdict(
        goal="a dead worker's job is claimed again, p99, while the store is well",
        wanted=f"≤ {most:g} s",
        measured=f"{recovery.calm.p99:g} s",
        is_reached=recovery.calm.p99 <= most,
    )
    yield Verdict(
        goal=f"{figures.SHARE:.0%} of the usual rate after the store was away, always",
        wanted=f"≤ {RETURN_S:g} s",
        measured=f"{returned.seconds.most:g} s",
        is_reached=returned.seconds.most <= RETURN_S,
    )
    if plan.faults != "usual":
        return
    grouped: Counter[str] = Counter()
    for kind, count in made.items():
        grouped[_GROUPS.get(kind, kind)] += count
    for kind, a_minute in _WANTED.items():
        wanted = int(a_minute * plan.seconds / 60)
        yield Verdict(
            goal=f"faults made: {kind}",
            wanted=f"≥ {wanted}",
            measured=str(grouped[kind]),
            is_reached=grouped[kind] >= wanted,
        )


def _timeline(performance: Performance, lives: Lives) -> Timeline:
    began = performance.began
    # What is read afterwards is no load: the picture ends a moment after the last job.
    last = max([performance.healed, *lives.completed])
    ended = min(performance.ended, last + _AFTERWARDS_S)
    return Timeline(
        accepted=figures.per_second(sorted(lives.accepted), began, ended),
        completed=figures.per_second(sorted(lives.completed), began, ended),
        healed=round(performance.healed - began, 3),
        marks=[
            Mark(fault.kind, round(fault.began - began, 3), round(fault.ended - began, 3))
            for fault in performance.made
        ],
    )
