"""I18, I19, I20: bounds, schedules and health, as an onlooker recorded them."""

from __future__ import annotations

from collections import defaultdict
from math import inf
from typing import TYPE_CHECKING

from actorq.testing.invariants.events import (
    FaultBegan,
    FaultEnded,
    Health,
    Measured,
    Reach,
    TickDue,
    Ticked,
)
from actorq.testing.invariants.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actorq.testing.invariants.story import Story


def check(story: Story) -> Iterator[Violation]:
    """Judge I18, I19 and I20."""
    yield from _bounds(story)
    yield from _ticks(story)
    yield from _health(story)


def _bounds(story: Story) -> Iterator[Violation]:
    for _, event in story.of(Measured):
        if event.value > event.bound:
            sentence = (
                f"{event.actor}: {event.what} was {event.value:g}, of at most {event.bound:g}"
            )
            yield Violation("I18", sentence, (event,))


def _ticks(story: Story) -> Iterator[Violation]:
    fired: defaultdict[tuple[str, str], dict[str, Ticked]] = defaultdict(dict)
    for _, event in story.of(Ticked):
        jobs = fired[event.schedule, event.tick]
        jobs.setdefault(event.job_id, event)
    for (schedule, tick), jobs in fired.items():
        if len(jobs) > 1:
            sentence = f"{schedule}: {len(jobs)} jobs for the tick {tick}"
            yield Violation("I19", sentence, tuple(jobs.values()))
    for _, due in story.of(TickDue):
        if (due.schedule, due.tick) not in fired:
            sentence = f"{due.schedule}: no job for the tick {due.tick}"
            yield Violation("I19", sentence, (due,))


def _health(story: Story) -> Iterator[Violation]:
    """Compare each look at a server with what held from long before it was asked until it answered."""
    reach: dict[str, Reach] = {}
    excused: dict[str, float] = {}
    faults: dict[str, FaultBegan] = {}
    timeline = (
        event
        for _, event in story.watched
        if isinstance(event, Reach | FaultBegan | FaultEnded | Health)
    )
    for event in timeline:
        match event:
            case Reach():
                reach[event.server] = event
            case FaultBegan():
                faults[event.fault] = event
                excused |= dict.fromkeys(event.targets, inf)
            case FaultEnded():
                over = event.at + story.terms.readiness
                fault = faults.get(event.fault)
                excused |= dict.fromkeys(fault.targets if fault else (), over)
            case Health():
                known = reach.get(event.server)
                if known is None or known.at + story.terms.readiness > event.since:
                    continue
                # A server that was itself killed or paused may have other reasons not to be ready.
                if event.since < excused.get(event.server, -inf) and known.reachable:
                    continue
                if event.ready != known.reachable:
                    state = "ready" if event.ready else "not ready"
                    sentence = f"{event.server}: it said that it is {state}"
                    yield Violation("I20", sentence, (known, event))
