"""Families (contract §2): a job that depends on others starts after their ends, and by what they came to.

Judged where a simulated store told its moves. A child that was redriven is on its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from actorq.testing.invariants.states import FINAL, REMOVALS
from actorq.testing.invariants.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actorq.testing.invariants.events import Move, Status
    from actorq.testing.invariants.story import Life, Story

GONE: Final = "removed"
"""How a parent ended of which nothing is left, and that had not ended before."""


def check(story: Story) -> Iterator[Violation]:
    """Judge that children wait for their parents, are told of every end, and heed it."""
    for life in story.lives.values():
        if life.parents and life.moves and not life.asked("redrive"):
            yield from _waits(story, life)
            yield from _is_told(story, life)


def _waits(story: Story, life: Life) -> Iterator[Violation]:
    """Compare the first claim of a child with the ends of its parents until then."""
    claim = next((move for _, move in life.moves if move.event == "claim"), None)
    if claim is None:
        return
    born = life.moves[0][1].step
    runs_anyway = life.created_by[0].sent.request.runs_anyway
    for parent_id in life.parents:
        end = _end(story, parent_id, born, claim.step)
        if end is None:
            sentence = f"{life.job_id}: it was given out, and {parent_id} had not ended"
            yield Violation("I9", sentence, (claim,))
        elif end != "completed" and not runs_anyway:
            sentence = f"{life.job_id}: it was given out, and {parent_id} was {end}"
            yield Violation("I3", sentence, (claim,))


def _is_told(story: Story, life: Life) -> Iterator[Violation]:
    """Look at a child where the history ends: it waits for nobody who has ended."""
    last = life.moves[-1][1]
    born, now = life.moves[0][1].step, story.moves[-1][1].step
    ends = {parent_id: _end(story, parent_id, born, now) for parent_id in life.parents}
    if last.job.status == "cancelled" and not life.asked("cancel"):
        if set(ends.values()) == {"completed"}:
            sentence = f"{life.job_id}: it is cancelled, and its parents were completed"
            yield Violation("I3", sentence, (last,))
    elif last.event not in REMOVALS and _waits_for_others(last) and None not in ends.values():
        sentence = f"{life.job_id}: it waits for others, and all of them have ended"
        yield Violation("I17", sentence, (last,))


def _end(story: Story, parent_id: str, born: int, step: int) -> Status | str | None:
    """Return how a parent had ended when its child was born, or ended first afterwards, up to ``step``.

    ``born`` and ``step`` are atomic steps. None: it had not.
    """
    parent = story.lives.get(parent_id)
    end: Status | str | None = None
    for _, move in parent.moves if parent is not None else ():
        if move.step > step or (end is not None and move.step >= born):
            break
        if move.event in REMOVALS:
            end = end or GONE
        else:
            # What was dead, and was redriven before the child was born, is not dead any more.
            end = move.job.status if move.job.status in FINAL else None
    return end


def _waits_for_others(move: Move) -> bool:
    return move.job.status == "delayed" and move.job.due >= NEVER_US


NEVER_US: Final = 253_402_300_800_000_000 - 1
"""The due time of a job that has none: the end of the year 9999."""
