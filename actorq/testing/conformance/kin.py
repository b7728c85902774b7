"""Kin: what the ledger writes beside a record, as jobs depend on others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from actorq.core import dependence
from actorq.core.results import Enqueued
from actorq.core.transitions import Status

if TYPE_CHECKING:
    from actorq.core.job import DependentJob, Job
    from actorq.errors import ActorqError
    from actorq.testing.conformance.ledger import Ledger


def accept(ledger: Ledger, new: DependentJob, now: int) -> Enqueued | ActorqError:
    """Write a job that depends on others, and let them know; or refuse it."""
    parents = [ledger.jobs.get(parent_id) for parent_id in new.depends_on]
    refused = dependence.refusal(new, parents)
    if refused is not None:
        return refused
    child = dependence.create_child(new, parents, now)
    if child.waits_for_others:
        for parent in parents:
            noted = None if parent is None else dependence.with_dependent(parent, new.id, now)
            if noted is not None:
                ledger.write(noted)
                ledger.told.setdefault(noted.id, False)
    return Enqueued(ledger.write(child))


def tell(ledger: Ledger, parent: Job, end: Status | None, children: tuple[str, ...]) -> None:
    """Tell the children of a job that it ended, or was removed (None) while it waited."""
    for child_id in children:
        child = ledger.jobs.get(child_id)
        if child is not None:
            told = dependence.parent_ended(child, parent.id, end, parent.updated_at)
            if told is not None:
                ledger.write(told)
                ledger.told[told.id] = told.status is Status.DELAYED and not told.waits_for_others


def retimed(job: Job, instant: int, *, was_let_go: bool) -> Job:
    """Return the record as if its last write had been at ``instant``.

    A store may tell others in a step that follows the one of which they are told; one that was let go before
    it was due may be due by then.
    """
    was = job.updated_at
    if was_let_go and job.status is Status.DELAYED and job.available_at <= instant:
        return replace(job, status=Status.PENDING, available_at=instant, updated_at=instant)
    return replace(
        job,
        updated_at=instant,
        completed_at=instant if job.completed_at == was else job.completed_at,
        available_at=instant if job.available_at == was else job.available_at,
    )
