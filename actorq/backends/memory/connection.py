"""A connection to the memory store: every verb of the protocol, each one atomic step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actorq.backends.memory import enqueues, jobs, leases, listing, queues, schedules, sweeps
from actorq.backends.memory.data import apart
from actorq.core.results import Check

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actorq.backends.memory.data import Data
    from actorq.core.commands import Ack, Claim, Edit, Extend, Fail, ListJobs, Release, Report
    from actorq.core.job import Job, NewJob
    from actorq.core.queue import QueueEdit, QueueLength, QueueStats
    from actorq.core.results import Claimed, Enqueued, Page, PrunedReplay, Settled, Sweep
    from actorq.core.schedule import Schedule, ScheduleChange
    from actorq.core.transitions import Status
    from actorq.errors import ActorqError


class MemoryBackend:
    """One connection. Several may be used at once, each by one caller."""

    def __init__(self, data: Data) -> None:
        """Work on ``data``, which all connections of a store share."""
        self._data = data

    # ── enqueue and claim ───────────────────────────────────────────────────────────────────────

    def enqueue(self, items: Sequence[NewJob]) -> list[Enqueued | PrunedReplay | ActorqError]:
        """Write new jobs, with their dedupe and idempotency keys."""
        with self._data as now:
            return enqueues.enqueue(self._data, items, now)

    def dequeue(self, claims: Sequence[Claim]) -> list[Claimed]:
        """Claim and lease the best pending jobs."""
        with self._data as now:
            return [leases.claim(self._data, claim, now) for claim in claims]

    def find_claims(self, tokens: Sequence[str]) -> list[Job]:
        """Return the running jobs which are leased under one of ``tokens``."""
        with self._data:
            return leases.find(self._data, frozenset(tokens))

    # ── the holder's verbs ──────────────────────────────────────────────────────────────────────

    def ack(self, items: Sequence[Ack]) -> list[Settled | ActorqError]:
        """Complete jobs."""
        with self._data as now:
            return [leases.ack(self._data, item, now) for item in items]

    def fail(self, items: Sequence[Fail]) -> list[Settled | ActorqError]:
        """Record failures and what follows from each."""
        with self._data as now:
            return [leases.fail(self._data, item, now) for item in items]

    def release(self, items: Sequence[Release]) -> list[Settled | ActorqError]:
        """Take jobs back from their holders without a failure."""
        with self._data as now:
            return [leases.release(self._data, item, now) for item in items]

    def extend(self, items: Sequence[Extend]) -> list[Job | ActorqError]:
        """Renew leases."""
        with self._data as now:
            return [leases.extend(self._data, item, now) for item in items]

    def report(self, items: Sequence[Report]) -> list[Job | ActorqError]:
        """Record progress."""
        with self._data as now:
            return [leases.report(self._data, item, now) for item in items]

    # ── anybody's verbs ─────────────────────────────────────────────────────────────────────────

    def cancel(self, ids: Sequence[str]) -> list[Job | ActorqError]:
        """Cancel waiting jobs, ask the holders of running ones."""
        with self._data as now:
            return [jobs.cancel(self._data, job_id, now) for job_id in ids]

    def redrive(self, ids: Sequence[str]) -> list[Job | ActorqError]:
        """Give dead jobs another life."""
        with self._data as now:
            return [jobs.redrive(self._data, job_id, now) for job_id in ids]

    def get_job(self, ids: Sequence[str]) -> list[Job | None]:
        """Read jobs."""
        with self._data:
            found = map(self._data.jobs.get, ids)
            return [None if job is None else apart(job) for job in found]

    def update_job(self, edits: Sequence[Edit]) -> list[Job | ActorqError]:
        """Change waiting jobs."""
        with self._data as now:
            return [jobs.update(self._data, edit, now) for edit in edits]

    def delete(self, ids: Sequence[str]) -> list[Job | ActorqError]:
        """Remove ended jobs and count them as pruned."""
        with self._data:
            return [jobs.delete(self._data, job_id) for job_id in ids]

    def stirred(self) -> tuple[Job, ...]:
        """Return the jobs that the verbs since the last time changed beyond those they answered."""
        known = self._data.stirred
        return tuple(known.popleft() for _ in range(len(known))) if known else ()

    # ── sweeps ──────────────────────────────────────────────────────────────────────────────────

    def requeue_expired(self, limit: int) -> Sweep:
        """End up to ``limit`` leases that ran out, oldest first."""
        with self._data as now:
            return sweeps.requeue_expired(self._data, limit, now)

    def promote_delayed(self, limit: int) -> Sweep:
        """Move up to ``limit`` jobs that have become due or have lapsed."""
        with self._data as now:
            return sweeps.promote_delayed(self._data, limit, now)

    def prune(self, limit: int) -> tuple[int, float | None]:
        """Remove up to ``limit`` ended jobs and idempotency records that retention lets go."""
        with self._data as now:
            return sweeps.prune(self._data, limit, now)

    def purge(self, queue_name: str, statuses: frozenset[Status], limit: int) -> int:
        """Remove up to ``limit`` jobs of these statuses."""
        with self._data:
            return sweeps.purge(self._data, queue_name, statuses, limit)

    # ── looking ─────────────────────────────────────────────────────────────────────────────────

    def list_jobs(self, query: ListJobs) -> Page:
        """List jobs, newest first."""
        with self._data:
            return listing.list_jobs(self._data, query)

    def list_queues(self, names: Sequence[str] | None = None) -> list[QueueStats]:
        """Return the figures of all queues by name, or of ``names``."""
        with self._data:
            asked = sorted(self._data.queues) if names is None else names
            return [queues.stats(self._data, name) for name in asked]

    def get_queue_length(self, names: Sequence[str]) -> list[QueueLength]:
        """Return the exact lengths."""
        with self._data:
            return [queues.length(self._data, name) for name in names]

    def update_queue(self, edits: Sequence[QueueEdit]) -> list[QueueStats]:
        """Change settings of queues, making those that are not there yet."""
        with self._data:
            return [queues.update(self._data, edit) for edit in edits]

    # ── schedules ───────────────────────────────────────────────────────────────────────────────

    def change_schedules(self, changes: Sequence[ScheduleChange]) -> list[Schedule | ActorqError]:
        """Make, define anew, pause or remove schedules."""
        with self._data as now:
            return [schedules.change(self._data, wish, now) for wish in changes]

    def get_schedules(self, names: Sequence[str]) -> list[Schedule | None]:
        """Read schedules."""
        with self._data:
            found = map(self._data.timetable.get, names)
            return [None if one is None else schedules.apart(one) for one in found]

    def list_schedules(self, after: str, limit: int) -> list[Schedule]:
        """List schedules by name."""
        with self._data:
            return [schedules.apart(one) for one in self._data.timetable.page(after, limit)]

    def fire_schedules(self, limit: int) -> Sweep:
        """Make the jobs of ticks that have come."""
        with self._data as now:
            return schedules.fire(self._data, limit, now)

    # ── the connection itself ───────────────────────────────────────────────────────────────────

    def check(self) -> Check:
        """Tell the clock, and that nothing here is durable."""
        with self._data as now:
            return Check(now, ("the memory store loses every job when its program ends",))

    def close(self) -> None:
        """Hold nothing that would have to be let go."""
