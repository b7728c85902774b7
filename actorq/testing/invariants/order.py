"""I12: the best job first: by priority, then by id.

From the outside: a job that was written before a claim was sent, and that nobody had before the
claim was answered, must not be worse served than what that claim got.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Final

from actorq.testing.invariants import requests
from actorq.testing.invariants.states import REMOVALS
from actorq.testing.invariants.trouble import Trouble
from actorq.testing.invariants.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actorq.testing.invariants.events import Claim, Claimed
    from actorq.testing.invariants.story import Call, Life, Story

Rank = tuple[int, str]
"""A job's place in its queue: smaller is better."""

UNDER_WAY_S: Final = 10.0
"""How long a claim that nobody heard of again may have been under way, after it waited."""


def check(story: Story) -> Iterator[Violation]:
    """Judge I12."""
    yield from _in_the_store(story)
    trouble = Trouble(story, story.terms.readiness)
    for queue in story.claims:
        yield from _outside(story, queue, trouble)


def _in_the_store(story: Story) -> Iterator[Violation]:
    waiting: dict[str, Rank] = {}
    expires: dict[str, int | None] = {}
    ready: defaultdict[str, list[Rank]] = defaultdict(list)
    priorities: dict[str, int] = {}
    for _, move in story.moves:
        job = move.job
        rank = (-job.priority, job.job_id)
        if move.event == "claim":
            best = _best(ready[job.queue], waiting, expires, move.store_time)
            if best is not None and best < rank and best[1] != job.job_id:
                sentence = f"{job.job_id}: it was claimed, and {best[1]} was better"
                yield Violation("I12", sentence, (move,))
        edits = move.event in {"enqueue", "edit", "reschedule", "promote"}
        if not edits and priorities.get(job.job_id, job.priority) != job.priority:
            yield Violation("I12", f"{job.job_id}: {move.event} changed its priority", (move,))
        priorities[job.job_id] = job.priority
        if job.status == "pending" and move.event not in REMOVALS:
            if waiting.get(job.job_id) != rank:
                heappush(ready[job.queue], rank)
            waiting[job.job_id] = rank
            expires[job.job_id] = job.expires_at
        else:
            waiting.pop(job.job_id, None)


def _best(
    ready: list[Rank], waiting: dict[str, Rank], expires: dict[str, int | None], now: int
) -> Rank | None:
    """Return the best job that may be claimed; drop from the heap what waits no longer."""
    lapsed: list[Rank] = []
    best: Rank | None = None
    while ready:
        rank = ready[0]
        if waiting.get(rank[1]) != rank:
            heappop(ready)
            continue
        until = expires[rank[1]]
        if until is None or until > now:
            best = rank
            break
        lapsed.append(heappop(ready))
    for rank in lapsed:
        heappush(ready, rank)
    return best


def _outside(story: Story, queue: str, trouble: Trouble) -> Iterator[Violation]:
    """Walk through the answers of a queue's claims, with the jobs that surely waited at each."""
    changes: list[tuple[int, bool, Rank]] = []
    born: dict[str, Life] = {}
    for life in story.lives.values():
        span = _surely_waited(story, life) if life.queue == queue else None
        if span is not None:
            rank = (-life.created_by[0].sent.request.priority, life.job_id)
            changes += [(span[0], True, rank), (span[1], False, rank)]
            born[life.job_id] = life
    changes.sort(reverse=True)
    waiting: list[Rank] = []
    for claim in _by_end(story.claims[queue]):
        while changes and changes[-1][0] < claim.end:
            _, comes, rank = changes.pop()
            if comes:
                insort(waiting, rank)
            else:
                del waiting[bisect_left(waiting, rank)]
        better = _passed_over(claim, waiting, born)
        if better is not None and not _hindered(story, claim, trouble):
            sentence = f"{better.job_id}: it waited, and a claim was given worse ones"
            yield Violation("I12", sentence, (*better.created_by[0].events, *claim.events))


def _surely_waited(story: Story, life: Life) -> tuple[int, int] | None:
    """Return the places between which a job was pending for certain, before its first claim."""
    made = life.created_by
    first = next((grant for grant in life.grants if grant.taken.attempt == 1), None)
    if not made or first is None or made[0].end >= first.start:
        return None
    request = made[0].sent.request
    if made[0].got is None or made[0].got.status != "pending" or request.delay:
        return None
    if request.expires_in is not None:
        # It may have lapsed, which ends the wait unseen; a redrive lets it begin anew.
        return None
    if requests.due_may_change(story, life) or life.asked("update"):
        return None
    return made[0].end, first.start


def _by_end(claims: list[Call[Claim, Claimed]]) -> list[Call[Claim, Claimed]]:
    served = [claim for claim in claims if claim.got is not None and claim.got.jobs]
    return sorted(served, key=lambda claim: claim.end)


def _passed_over(
    claim: Call[Claim, Claimed], waiting: list[Rank], born: dict[str, Life]
) -> Life | None:
    """Return a job that waited all the while, and was better than the worst that was given."""
    assert claim.got is not None
    worst = max((-taken.priority, taken.job_id) for taken in claim.got.jobs)
    for rank in waiting:
        if rank >= worst:
            return None
        life = born[rank[1]]
        if life.created_by[0].end < claim.start:
            return life
    return None


def _hindered(story: Story, claim: Call[Claim, Claimed], trouble: Trouble) -> bool:
    """Tell whether the better job may have been locked, by who met a fault or was not heard of.

    A claim that took it would show in its attempts; one that is being undone has it for a moment.
    """
    if trouble.met(claim.at, claim.end_at):
        return True
    return any(
        other.start < claim.end and other.at + other.sent.wait + UNDER_WAY_S > claim.at
        for other in story.unheard_claims.get(claim.sent.queue, ())
    )
