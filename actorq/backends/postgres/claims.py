"""Claims: the best pending jobs of a queue, leased in the step that finds them (contract §2, §4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from actorq.backends.postgres import arrays, queues
from actorq.backends.postgres.marks import MOST_PRIORITIES, MOST_WOKEN, read_first, read_woken
from actorq.core.instants import to_us
from actorq.core.results import Claimed
from actorq.core.transitions import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actorq.backends.postgres.connection import Statement
    from actorq.backends.postgres.marks import Reading
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
    shares = _share_out(work, claims)
    asking = [share for share in shares.values() if share.tokens]
    marks = work.shared.marks
    readings = [marks.read(share.queue.id) for share in asking]
    questions: list[Statement] = []
    for share, reading in zip(asking, readings, strict=True):
        if reading.marks != ():
            questions += (_first_pending(work, reading), _claim(work, share, reading))
    results = iter(work.finish(*questions))
    taken: dict[str, Job] = {}
    for reading in readings:
        if reading.marks != ():
            marks.settle(reading, next(results).rows(read_first))
            claimed = work.enter(next(results))
            work.shared.held.note(claimed)
            for entry in claimed:
                assert entry.job.lease is not None
                taken[entry.job.lease.token] = entry.job
    return [_answer(claim, shares.get(claim.queue_name), taken) for claim in claims]


def _share_out(work: Work, claims: Sequence[Claim]) -> dict[str, _Share]:
    """Find out what the queues are willing to give, and bring the marks up to date."""
    marks = work.shared.marks
    seen = marks.snapshot
    since = (None if seen is None else seen.encode(), arrays.int4(MOST_WOKEN))
    names = {claim.queue_name for claim in claims}
    known, (woken,) = queues.look(work, names, work.statements("claims.woken_since", *since))
    marks.note(woken.rows(read_woken))
    shares = {queue.name: _Share(queue) for queue in known.values()}
    _find_room(work, [s for s in shares.values() if s.queue.settings.max_running is not None])
    for claim in claims:
        share = shares.get(claim.queue_name)
        if share is not None and not share.queue.settings.paused:
            _join(work, share, claim)
    return shares


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


def _first_pending(work: Work, reading: Reading) -> Statement:
    return work.statements(
        "claims.first_pending",
        arrays.int4(reading.queue),
        *_columns(reading),
        arrays.int4(MOST_PRIORITIES),
    )


def _claim(work: Work, share: _Share, reading: Reading) -> Statement:
    return work.statements(
        "claims.claim",
        arrays.int4(share.queue.id),
        *_columns(reading),
        arrays.texts(share.tokens),
        arrays.texts(share.workers),
        arrays.float8s(share.seconds),
        arrays.int8s([to_us(each) for each in share.seconds]),
    )


def _columns(reading: Reading) -> tuple[bytes | None, bytes | None]:
    if reading.marks is None:
        return None, None
    priorities = [priority for priority, _ in reading.marks]
    return arrays.int4s(priorities), arrays.uuids([job_id for _, job_id in reading.marks])


def _answer(claim: Claim, share: _Share | None, taken: dict[str, Job]) -> Claimed:
    if share is None:
        return Claimed()
    if share.queue.settings.paused:
        return Claimed(paused=True)
    jobs = tuple(taken[token] for token in claim.tokens if token in taken)
    full = share.room is not None and all(token in taken for token in share.tokens)
    return Claimed(jobs, limited=full and len(jobs) < len(claim.tokens))
