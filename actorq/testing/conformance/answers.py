"""Reading answers: each function says what the answer must be, and gives it typed.

What they give is the record as everybody may see it. Whether a store also shows its memory of the
last settlement, in some answers or in all, is its own business.
"""

from __future__ import annotations

from typing import TypeAlias, TypeVar

from msgspec.structs import replace

from actorq.core.job import Job, Lease
from actorq.core.results import Enqueued, Outcome, PrunedReplay, Settled
from actorq.errors import ActorqError

Answer: TypeAlias = Settled | ActorqError
"""What a settlement is answered by."""

E = TypeVar("E", bound=ActorqError)


def created(answer: Enqueued | PrunedReplay | ActorqError) -> Job:
    """Return the job that this enqueue made."""
    assert isinstance(answer, Enqueued), answer
    assert answer.outcome is Outcome.CREATED
    assert not answer.replayed
    return public(answer.job)


def settled(answer: Answer) -> Settled:
    """Return a settlement that took effect now."""
    assert isinstance(answer, Settled), answer
    assert not answer.repeated
    return Settled(public(answer.job))


def repeated(answer: Answer) -> Job:
    """Return the job of a settlement that had taken effect before."""
    assert isinstance(answer, Settled), answer
    assert answer.repeated
    return public(answer.job)


def answered(answer: Job | ActorqError) -> Job:
    """Return the job of a call that was accepted."""
    assert isinstance(answer, Job), answer
    return public(answer)


def refusal(answer: object, kind: type[E]) -> E:
    """Return the refusal, which must be of exactly this class."""
    assert type(answer) is kind, answer
    assert isinstance(answer, kind)
    return answer


def lease_of(job: Job) -> Lease:
    """Return the lease of a running job."""
    assert job.lease is not None
    return job.lease


def token_of(job: Job) -> str:
    """Return the token of a running job's lease."""
    return lease_of(job).token


def public(job: Job) -> Job:
    """Return the record without the store's memory of its last settlement."""
    return replace(job, settled_token=None, settled_by=None)


def ids(jobs: list[Job] | tuple[Job, ...]) -> list[str]:
    """Return the ids of jobs, in their order."""
    return [job.id for job in jobs]
