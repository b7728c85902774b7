"""The calls of a lease's holder: the token is compared in the step that writes (contract §4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from actorq.core import lifecycle
from actorq.core.commands import Ack, Extend, Fail, Release, Report
from actorq.core.job import Job, Settlement
from actorq.core.lease import Standing, standing
from actorq.core.results import Settled
from actorq.errors import ActorqError, LeaseLost, NotFound, NotLeased

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from actorq.backends.postgres.records import Entry
    from actorq.backends.postgres.work import Work

C = TypeVar("C", Ack, Fail, Release)
H = TypeVar("H", Extend, Report)


def ack(work: Work, items: Sequence[Ack]) -> list[Settled | ActorqError]:
    """Complete jobs."""
    return _settle(
        work, items, Settlement.ACK, lambda job, item: lifecycle.ack(job, item.result, work.now)
    )


def fail(work: Work, items: Sequence[Fail]) -> list[Settled | ActorqError]:
    """Record failures, and what follows from each."""
    return _settle(
        work, items, Settlement.FAIL, lambda job, item: lifecycle.fail(job, item.failure, work.now)
    )


def release(work: Work, items: Sequence[Release]) -> list[Settled | ActorqError]:
    """Take jobs back without a failure."""
    return _settle(
        work,
        items,
        Settlement.RELEASE,
        lambda job, item: lifecycle.release(job, item.delay, work.policy, work.now),
    )


def extend(work: Work, items: Sequence[Extend]) -> list[Job | ActorqError]:
    """Renew leases."""
    return _renew(
        work,
        items,
        lambda job, item: lifecycle.extend(job, item.visibility_timeout, work.policy, work.now),
    )


def report(work: Work, items: Sequence[Report]) -> list[Job | ActorqError]:
    """Record progress."""
    return _renew(work, items, lambda job, item: lifecycle.report(job, item.progress, work.now))


def _settle(
    work: Work, items: Sequence[C], settlement: Settlement, step: Callable[[Job, C], Job]
) -> list[Settled | ActorqError]:
    work.take_up([(item.id, item.token) for item in items], ending=True)
    answers: list[Settled | ActorqError] = []
    for item in items:
        entry = work.entries.get(item.id)
        if entry is None:
            answers.append(NotFound(item.id))
            continue
        worth = standing(entry.job, item.token, settlement)
        if worth is Standing.HOLDER:
            answers.append(Settled(work.change(entry, step(entry.job, item))))
        elif worth is Standing.REPEAT:
            answers.append(Settled(entry.job, repeated=True))
        else:
            answers.append(_refusal(entry, worth))
    work.finish()
    return answers


def _renew(
    work: Work, items: Sequence[H], step: Callable[[Job, H], Job]
) -> list[Job | ActorqError]:
    work.take_up([(item.id, item.token) for item in items], ending=False)
    answers: list[Job | ActorqError] = []
    for item in items:
        entry = work.entries.get(item.id)
        if entry is None:
            answers.append(NotFound(item.id))
            continue
        worth = standing(entry.job, item.token, None)
        if worth is Standing.HOLDER:
            answers.append(work.change(entry, step(entry.job, item)))
        else:
            answers.append(_refusal(entry, worth))
    work.finish()
    return answers


def _refusal(entry: Entry, worth: Standing) -> ActorqError:
    if worth is Standing.NOT_LEASED:
        return NotLeased(entry.job.id, entry.job.status)
    return LeaseLost(entry.job.id)
