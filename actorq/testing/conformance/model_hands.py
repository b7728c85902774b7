"""The model test's other hands: who cancels, redrives, edits, deletes, purges and sets queues."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis.stateful import precondition, rule

from actorq.core.commands import Edit
from actorq.core.instants import to_us
from actorq.core.transitions import ENDED, LIVE, WAITING, Status
from actorq.testing.conformance import moves as m
from actorq.testing.conformance.ledger import Ledger
from actorq.testing.conformance.model_world import World

if TYPE_CHECKING:
    from actorq.core.queue import QueueEdit


class Hands(World):
    """What people do to jobs and queues from outside."""

    @precondition(lambda self: self.any_in(LIVE))
    @rule(picks=m.some_picks)
    def cancel(self, picks: list[m.Pick]) -> None:
        """Cancel some jobs."""
        job_ids = [self.job_id(pick, LIVE) for pick in picks]
        self.agree_all(self.bench.backend.cancel, Ledger.cancel, job_ids)

    @precondition(lambda self: self.any_in({Status.DEAD}))
    @rule(picks=m.some_picks)
    def redrive(self, picks: list[m.Pick]) -> None:
        """Redrive some jobs."""
        job_ids = [self.job_id(pick, {Status.DEAD}) for pick in picks]
        self.agree_all(self.bench.backend.redrive, Ledger.redrive, job_ids)

    @precondition(lambda self: self.any_in(ENDED))
    @rule(picks=m.some_picks)
    def delete(self, picks: list[m.Pick]) -> None:
        """Delete some jobs."""
        job_ids = [self.job_id(pick, ENDED) for pick in picks]
        self.agree_all(self.bench.backend.delete, Ledger.delete, job_ids)

    @precondition(lambda self: self.any_in(WAITING))
    @rule(changes=m.changes)
    def edit(self, changes: list[m.Change]) -> None:
        """Edit some jobs."""
        self.agree_all(self.bench.backend.update_job, Ledger.edit, map(self.change, changes))

    def change(self, drawn: m.Change) -> Edit:
        """Make the edit that was drawn."""
        job_id = self.job_id(drawn.job, WAITING)
        job = self.ledger.jobs.get(job_id)
        current = 1 if job is None else job.version
        due_in = drawn.due_in
        return Edit(
            id=job_id,
            version=None if drawn.versions_back is None else current - drawn.versions_back,
            payload=drawn.payload,
            priority=drawn.priority,
            max_retries=drawn.max_retries,
            delay=drawn.delay if due_in is None else None,
            available_at=None if due_in is None else self.bench.now() + to_us(due_in),
            metadata=drawn.metadata,
        )

    @precondition(lambda self: self.any_in(ENDED | {Status.RUNNING}))
    @rule(queue=m.queues, statuses=m.status_sets, limit=m.limits)
    def purge(self, queue: str, statuses: frozenset[Status], limit: int) -> None:
        """Purge a queue: so many of the named jobs as the limit allows, whichever."""
        named = [
            job
            for job in self.ledger.jobs.values()
            if job.queue_name == queue and job.status in statuses - {Status.RUNNING}
        ]
        count = self.bench.backend.purge(queue, statuses, limit)
        gone = self.missing(named)
        assert count == len(gone) == min(limit, len(named))
        for job in gone:
            self.ledger.remove(job.id)

    @rule(edits=m.some_queue_edits)
    def set_queues(self, edits: list[QueueEdit]) -> None:
        """Change settings of queues."""
        self.agree_all(
            self.bench.backend.update_queue, lambda ledger, edit, _: ledger.configure(edit), edits
        )
