"""A connection to a simulated store: every verb of the protocol, each sent down a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actorq.testing.simulation.store.line import Line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actorq.core.commands import Ack, Claim, Edit, Extend, Fail, ListJobs, Release, Report
    from actorq.core.job import Job, NewJob
    from actorq.core.queue import QueueEdit, QueueLength, QueueStats
    from actorq.core.results import (
        Check,
        Claimed,
        Enqueued,
        Page,
        PrunedReplay,
        Settled,
        Sweep,
    )
    from actorq.core.schedule import Schedule, ScheduleChange
    from actorq.core.transitions import Status
    from actorq.errors import ActorqError
    from actorq.testing.simulation.ports import NodePort
    from actorq.testing.simulation.store.machine import SimStore


class SimBackend:
    """One connection, as ``Backend`` says. Each verb raises ``BackendUnavailable`` where its fate is so."""

    def __init__(self, store: SimStore, node: NodePort) -> None:
        """Connect; raises ``BackendUnavailable`` when nothing answers."""
        self._line = Line(store, node)

    # ── enqueue and claim ───────────────────────────────────────────────────────────────────────

    def enqueue(self, items: Sequence[NewJob]) -> list[Enqueued | PrunedReplay | ActorqError]:
        """Write new jobs, with their dedupe and idempotency keys."""
        return self._line.call("enqueue", items, lambda engine, part: engine.enqueue(part))

    def dequeue(self, claims: Sequence[Claim]) -> list[Claimed]:
        """Claim and lease the best pending jobs."""
        return self._line.call("dequeue", claims, lambda engine, part: engine.dequeue(part))

    def find_claims(self, tokens: Sequence[str]) -> list[Job]:
        """Return the running jobs which are leased under one of ``tokens``."""
        return self._line.call("find_claims", tokens, lambda engine, part: engine.find_claims(part))

    # ── the holder's verbs ──────────────────────────────────────────────────────────────────────

    def ack(self, items: Sequence[Ack]) -> list[Settled | ActorqError]:
        """Complete jobs."""
        return self._line.call("ack", items, lambda engine, part: engine.ack(part))

    def fail(self, items: Sequence[Fail]) -> list[Settled | ActorqError]:
        """Record failures and what follows from each."""
        return self._line.call("fail", items, lambda engine, part: engine.fail(part))

    def release(self, items: Sequence[Release]) -> list[Settled | ActorqError]:
        """Take jobs back from their holders without a failure."""
        return self._line.call("release", items, lambda engine, part: engine.release(part))

    def extend(self, items: Sequence[Extend]) -> list[Job | ActorqError]:
        """Renew leases."""
        return self._line.call("extend", items, lambda engine, part: engine.extend(part))

    def report(self, items: Sequence[Report]) -> list[Job | ActorqError]:
        """Record progress."""
        return self._line.call("report", items, lambda engine, part: engine.report(part))

    # ── anybody's verbs ─────────────────────────────────────────────────────────────────────────

    def cancel(self, ids: Sequence[str]) -> list[Job | ActorqError]:
        """Cancel waiting jobs, ask the holders of running ones."""
        return self._line.call("cancel", ids, lambda engine, part: engine.cancel(part))

    def redrive(self, ids: Sequence[str]) -> list[Job | ActorqError]:
        """Give dead jobs another life."""
        return self._line.call("redrive", ids, lambda engine, part: engine.redrive(part))

    def get_job(self, ids: Sequence[str]) -> list[Job | None]:
        """Read jobs."""
        return self._line.call("get_job", ids, lambda engine, part: engine.get_job(part))

    def update_job(self, edits: Sequence[Edit]) -> list[Job | ActorqError]:
        """Change waiting jobs."""
        return self._line.call("update_job", edits, lambda engine, part: engine.update_job(part))

    def delete(self, ids: Sequence[str]) -> list[Job | ActorqError]:
        """Remove ended jobs and count them as pruned."""
        return self._line.call("delete", ids, lambda engine, part: engine.delete(part))

    def stirred(self) -> tuple[Job, ...]:
        """Return the jobs that the verbs since the last time changed beyond those they answered."""
        return self._line.stirred()

    # ── sweeps ──────────────────────────────────────────────────────────────────────────────────

    def requeue_expired(self, limit: int) -> Sweep:
        """End up to ``limit`` leases that ran out, oldest first."""
        return self._line.call(
            "requeue_expired", (), lambda engine, _: engine.requeue_expired(limit)
        )

    def promote_delayed(self, limit: int) -> Sweep:
        """Move up to ``limit`` jobs that have become due or have lapsed."""
        return self._line.call(
            "promote_delayed", (), lambda engine, _: engine.promote_delayed(limit)
        )

    def prune(self, limit: int) -> tuple[int, float | None]:
        """Remove up to ``limit`` ended jobs and idempotency records that retention lets go."""
        return self._line.call("prune", (), lambda engine, _: engine.prune(limit))

    def purge(self, queue_name: str, statuses: frozenset[Status], limit: int) -> int:
        """Remove up to ``limit`` jobs of these statuses."""
        return self._line.call(
            "purge", (), lambda engine, _: engine.purge(queue_name, statuses, limit)
        )

    # ── looking ─────────────────────────────────────────────────────────────────────────────────

    def list_jobs(self, query: ListJobs) -> Page:
        """List jobs, newest first."""
        return self._line.call("list_jobs", (), lambda engine, _: engine.list_jobs(query))

    def list_queues(self, names: Sequence[str] | None = None) -> list[QueueStats]:
        """Return the figures of all queues by name, or of ``names``."""
        return self._line.call("list_queues", (), lambda engine, _: engine.list_queues(names))

    def get_queue_length(self, names: Sequence[str]) -> list[QueueLength]:
        """Return the exact lengths."""
        return self._line.call(
            "get_queue_length", names, lambda engine, part: engine.get_queue_length(part)
        )

    def update_queue(self, edits: Sequence[QueueEdit]) -> list[QueueStats]:
        """Change settings of queues, making those that are not there yet."""
        return self._line.call(
            "update_queue", edits, lambda engine, part: engine.update_queue(part)
        )

    # ── schedules ───────────────────────────────────────────────────────────────────────────────

    def change_schedules(self, changes: Sequence[ScheduleChange]) -> list[Schedule | ActorqError]:
        """Make, define anew, pause or remove schedules."""
        return self._line.call(
            "change_schedules", changes, lambda engine, part: engine.change_schedules(part)
        )

    def get_schedules(self, names: Sequence[str]) -> list[Schedule | None]:
        """Read schedules."""
        return self._line.call(
            "get_schedules", names, lambda engine, part: engine.get_schedules(part)
        )

    def list_schedules(self, after: str, limit: int) -> list[Schedule]:
        """List schedules by name."""
        return self._line.call(
            "list_schedules", (), lambda engine, _: engine.list_schedules(after, limit)
        )

    def fire_schedules(self, limit: int) -> Sweep:
        """Make up to ``limit`` jobs of ticks that have come."""
        return self._line.call("fire_schedules", (), lambda engine, _: engine.fire_schedules(limit))

    # ── the connection itself ───────────────────────────────────────────────────────────────────

    def check(self) -> Check:
        """Prove that the store answers, and tell its clock."""
        return self._line.call("check", (), lambda engine, _: engine.check())

    def close(self) -> None:
        """Let the connection go; safe to call twice."""
        self._line.close()
