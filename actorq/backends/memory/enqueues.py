"""Enqueues: a request is accepted, recognised, or refused (contract §6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actorq.backends.memory.data import apart
from actorq.backends.memory.replays import Replay
from actorq.core import verdicts
from actorq.core.instants import to_us
from actorq.core.job import create
from actorq.core.results import Enqueued, Outcome, PrunedReplay
from actorq.errors import DuplicateJob, IdempotencyKeyReused, QueueFull

if TYPE_CHECKING:
    from actorq.backends.memory.data import Data
    from actorq.core.job import Idempotency, Job, NewJob
    from actorq.errors import ActorqError


def enqueue(data: Data, new: NewJob, now: int) -> Enqueued | PrunedReplay | ActorqError:
    """Answer one request, by its idempotency key if that is known already."""
    if new.idempotency is None:
        return _accept(data, new, now)
    known = data.replays.get(new.idempotency.key)
    if known is not None and known.until > now:
        return _replay(data, known, new.idempotency)
    answer = _accept(data, new, now)
    if isinstance(answer, Enqueued):
        _remember(data, answer, new.idempotency, now)
    return answer


def _replay(data: Data, known: Replay, asked: Idempotency) -> Enqueued | PrunedReplay | ActorqError:
    if known.fingerprint != asked.fingerprint:
        return IdempotencyKeyReused()
    job = data.jobs.get(known.job_id)
    if job is None:
        return PrunedReplay(known.job_id, known.queue_name, known.created_at, known.outcome)
    return Enqueued(apart(job), known.outcome, replayed=True)


def _remember(data: Data, answer: Enqueued, asked: Idempotency, now: int) -> None:
    replay = Replay(
        fingerprint=asked.fingerprint,
        outcome=answer.outcome,
        job_id=answer.job.id,
        queue_name=answer.job.queue_name,
        created_at=answer.job.created_at,
        until=now + to_us(data.policy.idempotency_ttl),
    )
    data.remember(asked.key, replay)


def _accept(data: Data, new: NewJob, now: int) -> Enqueued | ActorqError:
    known = data.jobs.get(new.id)
    if known is not None:
        return Enqueued(apart(known))
    if new.dedupe_key is not None:
        holder = data.holders.find(data.jobs, new, now)
        if holder is not None:
            return _duplicate(data, new, holder, now)
    queue = data.queues.get(new.queue_name)
    if queue is not None and queue.full():
        return QueueFull(new.queue_name, queue.settings.max_depth or 0)
    return Enqueued(data.write(create(new, now)))


def _duplicate(data: Data, new: NewJob, holder: Job, now: int) -> Enqueued | ActorqError:
    after = verdicts.duplicate(new, holder, now)
    if isinstance(after, DuplicateJob):
        return after
    if after is holder:
        return Enqueued(apart(holder), Outcome.DUPLICATE)
    return Enqueued(data.write(after), Outcome.REPLACED)
