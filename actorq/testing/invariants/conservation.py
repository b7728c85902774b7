"""I13: what was accepted is the sum over all states and of what was pruned, and all figures agree."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from actorq.testing.invariants.states import REMOVALS
from actorq.testing.invariants.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actorq.testing.invariants.events import Counted
    from actorq.testing.invariants.story import Calm, Story


def check(story: Story) -> Iterator[Violation]:
    """Judge I13, at quiet moments."""
    for calm in story.calms:
        for counted in calm.counted:
            for sentence in _differences(story, calm, counted):
                where = f"{counted.queue} ({counted.door})"
                yield Violation("I13", f"{where}: {sentence}", (counted,))
                break


def _differences(story: Story, calm: Calm, counted: Counted) -> Iterator[str]:
    total = sum(counted.counts.values()) + counted.pruned
    if counted.accepted != total:
        yield f"{counted.accepted} were accepted, and {total} are accounted for"
    known = sum(life.queue == counted.queue for life in story.lives.values())
    open_requests = sum(
        call.possible and call.got is None and call.sent.request.queue == counted.queue
        for call in story.submissions
    )
    if not known <= counted.accepted <= known + open_requests:
        yield f"{counted.accepted} were accepted, and {known} + {open_requests} are known"
    for status, count in counted.counts.items():
        listed = calm.ids(counted.queue, status)
        if listed is not None and len(listed) != count:
            yield f"{count} are {status}, and {len(listed)} are listed"
    if story.told_by_store:
        yield from _unlike_the_store(story, calm, counted)


def _unlike_the_store(story: Story, calm: Calm, counted: Counted) -> Iterator[str]:
    states: dict[str, str] = {}
    pruned = 0
    for place, move in story.moves:
        if move.job.queue != counted.queue or place > calm.start:
            continue
        if move.event in REMOVALS:
            pruned += states.pop(move.job.job_id, None) is not None
        else:
            states[move.job.job_id] = move.job.status
    own = Counter(states.values())
    shown = Counter({status: count for status, count in counted.counts.items() if count})
    if own != shown or pruned != counted.pruned:
        yield f"{dict(shown)} and {counted.pruned} pruned, the store has {dict(own)} and {pruned}"
