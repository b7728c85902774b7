"""I1: no accepted job is lost. It is live, or has a recorded end, until it may be pruned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actorq.testing.invariants import requests
from actorq.testing.invariants.states import LIVE
from actorq.testing.invariants.story import NEVER
from actorq.testing.invariants.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actorq.testing.invariants.events import Event, Move
    from actorq.testing.invariants.story import Life, Story


def check(story: Story) -> Iterator[Violation]:
    """Judge I1; that no refused request becomes a job is judged with the payloads."""
    for life in story.lives.values():
        known_from, proof = _known(life)
        for look in life.looks:
            if look.seen is None and look.start > known_from:
                if not _may_be_gone(story, life, look.at, look.end):
                    yield Violation("I1", f"{life.job_id}: it is gone", (*proof, look.event))
                break
        if story.told_by_store:
            yield from _in_the_store(story, life, known_from, proof)
    yield from _unlisted(story)


def _known(life: Life) -> tuple[int, tuple[Event, ...]]:
    """Return the place from which on the job is known to exist, and what says so."""
    known: list[tuple[int, tuple[Event, ...]]] = [(NEVER, ())]
    known += [(call.end, call.events) for call in life.submissions]
    known += [(grant.end, grant.claim.events) for grant in life.grants]
    known += [(look.end, (look.event,)) for look in life.looks if look.seen is not None]
    return min(known, key=lambda item: item[0])


def _may_be_gone(story: Story, life: Life, at: float, before: int) -> bool:
    if life.asked("delete", "purge", before=before):
        return True
    if story.terms.keeps is None:
        return False
    if story.clock_steps:
        return True
    born = min(
        [requests.first_sent(story, call) for call in life.submissions]
        + [grant.claim.at for grant in life.grants],
        default=0.0,
    )
    return at - born >= story.terms.keeps - story.terms.slack


def _unlisted(story: Story) -> Iterator[Violation]:
    """Look while nothing moves: a listing of a whole queue shows every job of it."""
    for calm in story.calms:
        for listed in calm.listed:
            if listed.status is not None:
                continue
            shown = set(listed.job_ids)
            for life in story.lives.values():
                known_from, proof = _known(life)
                if life.queue != listed.queue or life.job_id in shown or known_from > calm.start:
                    continue
                if not _may_be_gone(story, life, listed.at, calm.end):
                    sentence = f"{life.job_id}: no listing shows it"
                    yield Violation("I1", sentence, (*proof, listed))


def _in_the_store(
    story: Story, life: Life, known_from: int, proof: tuple[Event, ...]
) -> Iterator[Violation]:
    if known_from != NEVER and (not life.moves or life.moves[0][0] > known_from):
        yield Violation("I1", f"{life.job_id}: it was accepted, and not written", proof)
    ended: Move | None = None
    for _, move in life.moves:
        if move.event in {"prune", "delete"} and move.before in LIVE:
            sentence = f"{life.job_id}: it was removed while it was {move.before}"
            yield Violation("I1", sentence, (move,))
        elif move.event == "purge" and move.before == "running":
            yield Violation("I1", f"{life.job_id}: it was purged while it ran", (move,))
        elif move.event == "prune" and ended is not None:
            kept = (move.store_time - ended.store_time) / 1e6
            if story.terms.keeps is None or kept < story.terms.keeps:
                sentence = f"{life.job_id}: it was pruned {kept:g} s after its end"
                yield Violation("I1", sentence, (ended, move))
        ended = move
