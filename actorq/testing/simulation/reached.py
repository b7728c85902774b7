"""What a run has met with: fates, answers, moves and faults, so that none stays untested unnoticed."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from actorq.testing.invariants import events as e
from actorq.testing.simulation.handler import ENDS
from actorq.testing.simulation.network import FATES

if TYPE_CHECKING:
    from actorq.testing.simulation.running import Report

_NAMES: Final = {"exchange": FATES, "handler": ENDS}
"""What the numbers mean that are chosen under labels which end in these words."""


def reached(report: Report) -> Counter[str]:
    """Count what happened in a run, by name."""
    met = Counter({f"store: {name}": number for name, number in report.met.items()})
    for choice in report.record:
        names = _NAMES.get(choice.label.rpartition(" ")[2])
        if names is not None and choice.value:
            met[f"{choice.label.rpartition(' ')[2]}: {names[choice.value]}"] += 1
    for event in report.history:
        for name in _names(event):
            met[name] += 1
    met += _untold(report)
    return met


def _names(event: e.Event) -> tuple[str, ...]:  # noqa: PLR0911 - one return a kind of event
    match event:
        case e.Accepted():
            return (f"accepted: {'replayed' if event.replayed else event.outcome}",)
        case e.Refused():
            return (f"refused: {event.code}",)
        case e.Settled():
            return (f"settled: {event.outcome}",)
        case e.Renewed():
            return (f"renewed: {event.outcome}", f"told to {event.directive}")
        case e.End():
            return (f"handler: {event.how}",)
        case e.Move():
            return (f"moved: {event.event}",)
        case e.FaultBegan():
            return (f"fault: {event.kind} of {event.targets[0].partition('-')[0]}",)
        case e.Claimed(paused=True):
            return ("claimed: paused",)
        case e.Unknown() | e.RolledBack() | e.TickDue() | e.Ticked():
            return (type(event).__name__.lower(),)
        case _:
            return ()


def _untold(report: Report) -> Counter[str]:
    """Count what the actors did by themselves, and nobody asked them to."""
    met: Counter[str] = Counter()
    given: set[str] = set()
    released: set[str] = set()
    tokens: dict[str, str] = {}
    for event in report.history:
        match event:
            case e.Claimed():
                given.update(taken.token for taken in event.jobs)
            case e.Settle(action="release", token=str(token)):
                released.add(token)
            case e.Move(event="claim", job=job) if job.token is not None:
                tokens[job.job_id] = job.token
            case e.Move(event="release" | "postpone", job=job):
                token = tokens.get(job.job_id, "")
                if token not in released:
                    met["handed back for a caller that had gone"] += 1
            case _:
                pass
    return met
