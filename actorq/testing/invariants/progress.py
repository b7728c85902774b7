"""I17: after the faults stop, every job that is due ends, and nothing has to be started anew."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from actorq.testing.invariants.events import Counted, Healed, Listed
from actorq.testing.invariants.requests import paused_queues
from actorq.testing.invariants.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actorq.testing.invariants.events import Move
    from actorq.testing.invariants.story import Life, Look, Story


def check(story: Story) -> Iterator[Violation]:
    """Judge I17, if the terms state a time of recovery."""
    healed = [event for _, event in story.of(Healed)]
    if story.terms.recovery is None or not healed:
        return
    by = healed[-1].at + story.terms.recovery
    paused = paused_queues(story)
    for life in story.lives.values():
        if life.queue in paused:
            continue
        deadline = max(by, _due(life) + story.terms.recovery)
        for look in life.looks:
            if look.since > deadline and _still_waits(look, story.terms.slack):
                sentence = f"{life.job_id}: it has not ended {look.since - healed[-1].at:g} s after"
                yield Violation("I17", sentence, (healed[-1], look.event))
                break
        else:
            yield from _in_the_store(story, life, deadline)
    yield from _figures(story, max(by, _latest_due(story) + story.terms.recovery), paused)


def _due(life: Life) -> float:
    """Return when the job was given to the store at the latest, and due; -inf if nobody knows."""
    calls = [call for call in life.submissions if call.got is not None]
    asks = [ask.end_at for ask in life.asks if ask.sent.verb in {"redrive", "update"}]
    delays = [call.end_at + call.sent.request.delay for call in calls]
    return max([*asks, *delays], default=-inf)


def _latest_due(story: Story) -> float:
    delays = (
        (call.at if call.got is None else call.end_at) + call.sent.request.delay
        for call in story.submissions
    )
    return max(delays, default=-inf)


def _still_waits(look: Look, slack: float) -> bool:
    if look.seen is None:
        return False
    if look.seen.status == "delayed":
        return look.seen.due_in is not None and look.seen.due_in < -slack
    return look.seen.status in {"pending", "running"}


def _in_the_store(story: Story, life: Life, deadline: float) -> Iterator[Violation]:
    if not life.moves or story.times[-1] <= deadline:
        return
    move = life.moves[-1][1]
    removed = move.event in {"prune", "delete", "purge"}
    if removed or move.job.status not in {"pending", "delayed", "running"}:
        return
    if _due_on_our_clock(move) + (story.terms.recovery or 0.0) < story.times[-1]:
        yield Violation("I17", f"{life.job_id}: {move.job.status}, and stays so", (move,))


def _due_on_our_clock(move: Move) -> float:
    return move.at + max(0, move.job.due - move.store_time) / 1e6


def _figures(story: Story, deadline: float, paused: set[str]) -> Iterator[Violation]:
    """Judge listings and figures, which show no due times, by what is pending or runs."""
    for event in [e for _, e in story.of(Listed)] + [e for _, e in story.of(Counted)]:
        if event.since <= deadline or event.queue in paused:
            continue
        if isinstance(event, Listed):
            left = len(event.job_ids) if event.status in {"pending", "running"} else 0
        else:
            left = event.counts.get("pending", 0) + event.counts.get("running", 0)
        if left:
            yield Violation("I17", f"{event.queue}: {left} jobs have not ended", (event,))
            return
