"""I14: a job is in the dead letter queue if and only if it is ``dead``, with reason, errors and times."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from actorq.testing.invariants.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actorq.testing.invariants.events import ErrorKind, Seen
    from actorq.testing.invariants.story import Life, Story

LAST_ERRORS: Final[dict[str, frozenset[ErrorKind]]] = {
    "retries_exhausted": frozenset({"failure", "interrupted"}),
    "rejected": frozenset({"failure", "interrupted"}),
    "lease_expired": frozenset({"lease_expired"}),
    "expired": frozenset({"expired"}),
}
"""What the last error of a dead job tells, by the reason of its death."""


def check(story: Story) -> Iterator[Violation]:
    """Judge I14."""
    for life in story.lives.values():
        for look in life.looks:
            sentence = _wrong(look.seen) if look.seen is not None else None
            if sentence is not None:
                yield Violation("I14", f"{life.job_id}: {sentence}", (look.event,))
                break
        yield from _in_the_store(life)
    yield from _listed(story)


def _wrong(seen: Seen) -> str | None:
    """Return what is wrong with a job that was shown with its errors, or with the time of its end."""
    if seen.status != "dead":
        return (
            None if seen.dead_reason is None else f"it is {seen.status}, with a reason to be dead"
        )
    if seen.ended is False:
        return "it is dead, and nothing says since when"
    if seen.errors is None:
        return None
    if seen.dead_reason is None:
        return "it is dead for no reason"
    if not seen.errors or seen.errors[-1].kind not in LAST_ERRORS[seen.dead_reason]:
        return f"it is dead ({seen.dead_reason}), and its errors tell otherwise"
    return None


def _in_the_store(life: Life) -> Iterator[Violation]:
    for _, move in life.moves:
        if (move.job.status == "dead") != (move.job.dead_reason is not None):
            sentence = f"{life.job_id}: {move.job.status}, with the reason {move.job.dead_reason}"
            yield Violation("I14", sentence, (move,))


def _listed(story: Story) -> Iterator[Violation]:
    for calm in story.calms:
        for listed in calm.listed:
            if listed.status != "dead":
                continue
            shown = set(listed.job_ids)
            for job_id, look in calm.looks.items():
                seen = look.seen
                if seen is None or seen.queue != listed.queue or seen.status != "dead":
                    continue
                if job_id not in shown:
                    sentence = f"{job_id}: it is dead, and no dead letter"
                    yield Violation("I14", sentence, (look.event, listed))
