"""Enqueues: a request is accepted, recognised, or refused (contract §6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actorq.backends.memory.data import apart
from actorq.backends.memory.replays import Replay
from actorq.core import dependence, verdicts
from actorq.core.instants import to_us
from actorq.core.job import DependentJob, create
from actorq.core.results import Enqueued, Outcome, PrunedReplay
from actorq.errors import DuplicateJob, IdempotencyKeyReused, QueueFull

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actorq.backends.memory.data import Data
    from actorq.core.job import Idempotency, Job, NewJob
    from actorq.errors import ActorqError


def enqueue(
    data: Data, items: Sequence[NewJob], now: int
) -> list[Enqueued | PrunedReplay | ActorqError]:
    """Answer requests, each of which sees the effects of those before it."""
    if not any(type(item) is DependentJob for item in items):
        return [_enqueue(data, item, now) for item in items]
    answers: list[Enqueued | PrunedReplay | ActorqError] = []
    stand_ins: dict[str, str] = {}
    for item in items:
        answer = _enqueue(data, dependence.renamed(item, stand_ins), now)
        dependence.note_stand_in(stand_ins, item, answer)
        answers.append(answer)
    return answers


def _enqueue(data: Data, new: NewJob, now: int) -> Enqueued | PrunedReplay | ActorqError:
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
    if isinstance(new, DependentJob):
        return _accept_child(data, new, now)
    return Enqueued(data.write(create(new, now)))


def _accept_child(data: Data, new: DependentJob, now: int) -> Enqueued | ActorqError:
    parents = [data.jobs.get(parent_id) for parent_id in new.depends_on]
    refused = dependence.refusal(new, parents)
    if refused is not None:
        return refused
    child = dependence.create_child(new, parents, now)
    if child.waits_for_others:
        for parent in filter(None, parents):
            noted = dependence.with_dependent(parent, new.id, now)
            if noted is not None:
                data.write(noted)
    return Enqueued(data.write(child))


def _duplicate(data: Data, new: NewJob, holder: Job, now: int) -> Enqueued | ActorqError:
    after = verdicts.duplicate(new, holder, now)
    if isinstance(after, DuplicateJob):
        return after
    if after is holder:
        return Enqueued(apart(holder), Outcome.DUPLICATE)
    return Enqueued(data.write(after), Outcome.REPLACED)
