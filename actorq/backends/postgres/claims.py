"""Claims: the best pending jobs of a queue, leased in the step that finds them (contract §2, §4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from actorq.backends.postgres import arrays, queues
from actorq.core.instants import to_us
from actorq.core.results import Claimed
from actorq.core.transitions import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actorq.backends.postgres.connection import Statement
    from actorq.backends.postgres.queues import Queue
    from actorq.backends.postgres.work import Work
    from actorq.core.commands import Claim
    from actorq.core.job import Job


class _Share(msgspec.Struct):
    """What the claims on one queue want: a token each, with whose it is and for how many seconds."""

    queue: Queue
    room: int | None = None
    tokens: list[str] = []
    workers: list[str] = []
    seconds: list[float] = []


def dequeue(work: Work, claims: Sequence[Claim]) -> list[Claimed]:
    """Serve the claims in their order: each queue is asked once, for all of its claims."""
    known = queues.named(work, (claim.queue_name for claim in claims))
    shares = {queue.name: _Share(queue) for queue in known.values()}
    _find_room(work, [s for s in shares.values() if s.queue.settings.max_running is not None])
    for claim in claims:
        share = shares.get(claim.queue_name)
        if share is not None and not share.queue.settings.paused:
            _join(work, share, claim)
    asking = [share for share in shares.values() if share.tokens]
    taken: dict[str, Job] = {}
    for result in work.finish(*(_question(work, share) for share in asking)):
        for entry in work.enter(result):
            assert entry.job.lease is not None
            taken[entry.job.lease.token] = entry.job
    return [_answer(claim, shares.get(claim.queue_name), taken) for claim in claims]


def find_claims(work: Work, tokens: Sequence[str]) -> list[Job]:
    """Return the running jobs leased under one of ``tokens``."""
    # PostgreSQL takes no U+0000 in a text: such a token was never one of ours.
    wanted = [token for token in tokens if "\0" not in token]
    (result,) = work.ask(work.statements("jobs.leased_under", arrays.texts(wanted)), last=True)
    return [entry.job for entry in work.enter(result)]


def _find_room(work: Work, shares: Sequence[_Share]) -> None:
    """Find out how many more jobs may run; whoever else claims from these queues waits meanwhile."""
    if not shares:
        return
    locked = queues.lock(work, (share.queue for share in shares))
    held = queues.figures(work, locked)
    for share in shares:
        share.queue = locked[share.queue.id]
        bound = share.queue.settings.max_running
        if bound is not None:
            counts = held.get(share.queue.id, queues.Figures()).counts
            share.room = max(0, bound - counts[Status.RUNNING])


def _join(work: Work, share: _Share, claim: Claim) -> None:
    tokens = claim.tokens
    if share.room is not None:
        tokens = tokens[: max(0, share.room - len(share.tokens))]
    seconds = share.queue.settings.effective_visibility(claim.visibility_timeout, work.policy)
    share.tokens += tokens
    share.workers += [claim.worker_id] * len(tokens)
    share.seconds += [seconds] * len(tokens)


def _question(work: Work, share: _Share) -> Statement:
    return work.statements(
        "claims.claim",
        arrays.int4(share.queue.id),
        arrays.texts(share.tokens),
        arrays.texts(share.workers),
        arrays.float8s(share.seconds),
        arrays.int8s([to_us(each) for each in share.seconds]),
    )


def _answer(claim: Claim, share: _Share | None, taken: dict[str, Job]) -> Claimed:
    if share is None:
        return Claimed()
    if share.queue.settings.paused:
        return Claimed(paused=True)
    jobs = tuple(taken[token] for token in claim.tokens if token in taken)
    cut = share.room is not None and len(jobs) < len(claim.tokens)
    return Claimed(jobs, limited=cut and len(taken_of(share, taken)) == share.room)


def taken_of(share: _Share, taken: dict[str, Job]) -> list[str]:
    """Return the tokens of a share that got a job."""
    return [token for token in share.tokens if token in taken]
