"""Claims: the best pending jobs, each with its lease, in one step (contract §4, §7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from actorq.backends.sqlite.queues import QueueRow, queues_by_name
from actorq.backends.sqlite.rows import Entry
from actorq.backends.sqlite.statements import statement
from actorq.backends.sqlite.work import Work
from actorq.core import lifecycle
from actorq.core.results import Claimed
from actorq.core.transitions import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actorq.core.commands import Claim
    from actorq.core.job import Job

BURY_LIMIT: Final = 1_000
"""How many lapsed jobs one call buries at most on its way to good ones."""

_CLAIMABLE: Final = statement("jobs", "claimable")
_LEASED_UNDER: Final = statement("jobs", "leased_under")
_NOBODY: Final = Claimed()
_PAUSED: Final = Claimed(paused=True)


class _Share(msgspec.Struct):
    """What the claims on one queue share out: its best jobs, the last one first, and its room."""

    queue: QueueRow
    best: list[Entry]
    room: int | None


def dequeue(work: Work, claims: Sequence[Claim]) -> list[Claimed]:
    """Serve the claims in their order."""
    wanted: dict[str, int] = {}
    for claim in claims:
        wanted[claim.queue_name] = wanted.get(claim.queue_name, 0) + len(claim.tokens)
    queues = queues_by_name(work.sqlite, wanted)
    shares = {name: _share(work, queue, wanted[name]) for name, queue in queues.items()}
    answers = [_serve(work, claim, shares.get(claim.queue_name)) for claim in claims]
    work.flush()
    return answers


def find_claims(work: Work, tokens: Sequence[str]) -> list[Job]:
    """Return the running jobs leased under one of ``tokens``."""
    wanted = msgspec.json.encode(tokens).decode()
    return [entry.job for entry in work.select(_LEASED_UNDER, wanted)]


def _share(work: Work, queue: QueueRow, wanted: int) -> _Share:
    """Find up to ``wanted`` jobs that may be given out, and bury the lapsed ones among them."""
    if queue.settings.paused:
        return _Share(queue, [], None)
    bound = queue.settings.max_running
    room = None if bound is None else max(0, bound - queue.counts[Status.RUNNING])
    most = wanted if room is None else min(wanted, room)
    good: list[Entry] = []
    seen = 0
    while len(good) < most and seen - len(good) < BURY_LIMIT:
        found = work.select(_CLAIMABLE, queue.id, most - len(good), seen)
        if not found:
            break
        seen += len(found)
        for entry in found:
            expires_at = entry.job.expires_at
            if expires_at is not None and expires_at <= work.now:
                work.change(entry, lifecycle.lapse(entry.job, work.now))
            else:
                good.append(entry)
    good.reverse()
    return _Share(queue, good, room)


def _serve(work: Work, claim: Claim, share: _Share | None) -> Claimed:
    if share is None:
        return _NOBODY
    settings = share.queue.settings
    if settings.paused:
        return _PAUSED
    seconds = settings.effective_visibility(claim.visibility_timeout, work.policy)
    count = min(len(share.best), len(claim.tokens))
    jobs: list[Job] = []
    for token in claim.tokens[:count]:
        entry = share.best.pop()
        job = lifecycle.claim(entry.job, token, claim.worker_id, seconds, work.now)
        jobs.append(work.change(entry, job))
    limited = False
    if share.room is not None:
        limited = count == share.room < len(claim.tokens)
        share.room -= count
    return Claimed(tuple(jobs), limited=limited)
