"""I4: a job that may start at most once is started at most once, over all time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from actorq.testing.invariants.events import Effect, Start
from actorq.testing.invariants.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actorq.testing.invariants.story import Life, Story

UNSTARTED: Final = frozenset({"release", "postpone"})
"""The holder's word that the handler did not start: all that lets such a job be claimed again."""


def check(story: Story) -> Iterator[Violation]:
    """Judge I4."""
    for life in story.lives.values():
        if life.delivery == "at_most_once":
            yield from _starts(life)
            yield from _redriven(life)
            yield from _claims(life)


def _starts(life: Life) -> Iterator[Violation]:
    for kind, what in ((Start, "started"), (Effect, "done")):
        events = [event for _, event in life.work if isinstance(event, kind)]
        if len(events) > 1:
            times = f"{len(events)} times"
            yield Violation("I4", f"{life.job_id}: it was {what} {times}", tuple(events))
            return


def _redriven(life: Life) -> Iterator[Violation]:
    for ask in life.asks:
        if ask.sent.verb != "redrive" or ask.sent.job_id is None or ask.got is None:
            continue
        claimed = [grant for grant in life.grants if grant.end < ask.start]
        if claimed:
            sentence = f"{life.job_id}: it was claimed, and redriven"
            yield Violation("I4", sentence, (*claimed[0].claim.events, *ask.events))


def _claims(life: Life) -> Iterator[Violation]:
    running = False
    spent = False
    for _, move in life.moves:
        if running and move.job.status != "running":
            spent = spent or move.event not in UNSTARTED
        if move.event == "claim" and spent:
            sentence = f"{life.job_id}: it was claimed again, and had not been handed back"
            yield Violation("I4", sentence, (move,))
        running = move.job.status == "running"
