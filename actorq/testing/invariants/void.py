"""I8, of hang-ups: a lease that nobody was told of is given back; it does not run out.

Judged if the terms state a bound, and only from a store's moves: from the outside such a lease is not
seen. It would cost the job one of its expiries, and an at-most-once job its one start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from actorq.testing.invariants.trouble import Trouble
from actorq.testing.invariants.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actorq.testing.invariants.events import Move
    from actorq.testing.invariants.story import Life, Story


def check(story: Story) -> Iterator[Violation]:
    """Judge that no lease went into the void."""
    bound = story.terms.hand_back
    if bound is None or story.clock_steps:
        return
    trouble = Trouble(story)
    for life in story.lives.values():
        told = {grant.taken.token for grant in life.grants}
        claim: tuple[int, Move] | None = None
        for place, move in life.moves:
            if move.event == "claim":
                claim = place, move
            elif claim is not None and move.job.status != "running":
                claimed_at, claimed = claim
                claim = None
                ran_out = move.event == "expire" or move.job.dead_reason == "lease_expired"
                if not ran_out or claimed.job.token in told or _seconds(claimed) <= bound:
                    continue
                if not _in_doubt(story, life, claimed_at) and not trouble.met(claimed.at, move.at):
                    sentence = f"{life.job_id}: its lease ran out, and nobody had been told of it"
                    yield Violation("I8", sentence, (claimed, move))


def _seconds(claimed: Move) -> float:
    return ((claimed.job.lease_until or 0) - claimed.store_time) / 1e6


def _in_doubt(story: Story, life: Life, place: int) -> bool:
    """Tell whether somebody who asked before a place never learnt what came of it."""
    return any(claim.start < place for claim in story.unheard_claims.get(life.queue or "", ()))
