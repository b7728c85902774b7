"""I3, of what was asked: paused queues give nothing out, cancelled jobs do not run again, retries end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actorq.testing.invariants.events import FaultBegan
from actorq.testing.invariants.story import NEVER
from actorq.testing.invariants.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actorq.testing.invariants.events import Answered, Ask
    from actorq.testing.invariants.story import Call, Life, Story


def check(story: Story) -> Iterator[Violation]:
    """Judge I3, as far as somebody's word decides what is legal."""
    if any(event.kind == "fail_over" for _, event in story.of(FaultBegan)):
        # A replica may lack what was answered.
        return
    for queue, asks in story.queue_asks.items():
        for pause in asks:
            if pause.sent.verb == "pause" and pause.got is not None:
                yield from _paused(story, queue, pause, _resumed_from(asks, pause))
    for life in story.lives.values():
        yield from _cancelled(life)
        yield from _retried(life)


def _resumed_from(asks: list[Call[Ask, Answered]], pause: Call[Ask, Answered]) -> int:
    """Return the first place from which on the queue may give out jobs again."""
    resumes = (
        ask.start
        for ask in asks
        if ask.sent.verb == "resume" and ask.possible and ask.end > pause.start
    )
    return min(resumes, default=NEVER)


def _paused(
    story: Story, queue: str, pause: Call[Ask, Answered], until: int
) -> Iterator[Violation]:
    for place, move in story.moves:
        if move.event == "claim" and move.job.queue == queue and pause.end < place < until:
            sentence = f"{move.job.job_id}: it was claimed, and {queue} was paused"
            yield Violation("I3", sentence, (*pause.events, move))
            return
    for claim in story.claims.get(queue, ()):
        if claim.got is not None and claim.got.jobs and pause.end < claim.start < claim.end < until:
            sentence = f"{claim.got.jobs[0].job_id}: it was given out, and {queue} was paused"
            yield Violation("I3", sentence, (*pause.events, *claim.events))
            return


def _cancelled(life: Life) -> Iterator[Violation]:
    """Find a job that was given out after its holder had been asked to stop."""
    for ask in life.asks:
        seen = None if ask.got is None else ask.got.seen
        if ask.sent.verb != "cancel" or seen is None or seen.status != "running":
            continue
        if life.asked("redrive", "delete", "purge"):
            continue
        claims = [(grant.start, grant.claim.events) for grant in life.grants]
        claims += [(place, (move,)) for place, move in life.moves if move.event == "claim"]
        for place, events in claims:
            if place > ask.end:
                sentence = f"{life.job_id}: it was to be cancelled, and was given out"
                yield Violation("I3", sentence, (*ask.events, *events))
                return


def _retried(life: Life) -> Iterator[Violation]:
    made = life.created_by
    if not made or life.asked("update"):
        return
    most = made[0].sent.request.max_retries
    for look in life.looks:
        if look.seen is not None and (look.seen.retry_count or 0) > most:
            sentence = f"{life.job_id}: it was retried {look.seen.retry_count} times of {most}"
            yield Violation("I3", sentence, (*made[0].events, look.event))
            return
