"""I8: only a handler's own failure is recorded as one.

A shutdown, a lost lease, a cancellation, an error of the store, a client that hung up: none of
them is. So each recorded failure must be the word of the holder of that attempt, and no worker may
report one for a handler that it stopped itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from actorq.testing.invariants.events import End
from actorq.testing.invariants.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actorq.testing.invariants.story import Life, Look, Story


def check(story: Story) -> Iterator[Violation]:
    """Judge I8."""
    for life in story.lives.values():
        yield from _stopped(life)
        for look in life.looks:
            sentence = _unreported(story, life, look)
            if sentence is not None:
                yield Violation("I8", sentence, (look.event,))
                break
        yield from _in_the_store(story, life)


def _stopped(life: Life) -> Iterator[Violation]:
    stopped = {
        event.token: (place, event)
        for place, event in life.work
        if isinstance(event, End) and event.how == "stopped"
    }
    for settle in life.settles:
        place, end = stopped.get(settle.sent.token or "", (settle.start, None))
        if end is not None and settle.sent.action == "fail" and place < settle.start:
            sentence = f"{life.job_id}: a handler that was stopped was reported as failed"
            yield Violation("I8", sentence, (end, *settle.events))


def _reported(life: Life, before: int) -> set[str | None]:
    """Return the tokens under which a failure was reported; None for a bare report."""
    return {
        call.sent.token
        for call in life.settles
        if call.sent.action == "fail" and call.possible and call.start < before
    }


def _unreported(story: Story, life: Life, look: Look) -> str | None:
    seen = look.seen
    if seen is None or (seen.interruptions or 0) > story.terms.max_interruptions:
        return None
    tokens = _reported(life, look.end)
    if None in tokens:
        return None
    attempts = {grant.taken.attempt for grant in life.grants if grant.taken.token in tokens}
    for error in seen.errors or ():
        if error.kind == "failure" and error.attempt not in attempts:
            return f"{life.job_id}: a failure of attempt {error.attempt} that nobody reported"
    if (seen.retry_count or 0) > len(tokens):
        return f"{life.job_id}: {seen.retry_count} retries, and {len(tokens)} failures reported"
    if seen.dead_reason in {"retries_exhausted", "rejected"} and not tokens:
        return f"{life.job_id}: dead ({seen.dead_reason}), and no failure was reported"
    return None


def _in_the_store(story: Story, life: Life) -> Iterator[Violation]:
    token: str | None = None
    for place, move in life.moves:
        failed = move.event == "retry" or (
            move.event == "bury" and move.job.dead_reason in {"retries_exhausted", "rejected"}
        )
        too_often = move.job.interruptions > story.terms.max_interruptions
        if (failed or move.job.failures) and not too_often:
            tokens = _reported(life, place)
            if token not in tokens and None not in tokens:
                sentence = f"{life.job_id}: the store recorded a failure that nobody reported"
                yield Violation("I8", sentence, (move,))
        token = move.job.token
