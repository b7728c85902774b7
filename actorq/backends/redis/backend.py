"""The verbs on one connection to Redis."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, cast

from actorq.backends.redis import (
    acks,
    claiming,
    intake,
    listing,
    queues,
    schedules,
    scripting,
    settling,
    sweeps,
)
from actorq.core.results import Check

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from actorq.backends.redis.access import Access
    from actorq.backends.redis.link import Wire
    from actorq.backends.redis.relay import Relay
    from actorq.core.commands import Ack, Claim, Edit, Extend, Fail, ListJobs, Release, Report
    from actorq.core.job import Job, NewJob
    from actorq.core.queue import QueueEdit, QueueLength, QueueStats
    from actorq.core.results import Claimed, Enqueued, Page, PrunedReplay, Settled, Sweep
    from actorq.core.schedule import Schedule, ScheduleChange
    from actorq.core.transitions import Status
    from actorq.errors import ActorqError

R = TypeVar("R")


class RedisBackend:
    """One connection to a store on Redis. One caller at a time."""

    def __init__(
        self, access: Access, relay: Relay, warnings: Callable[[Wire], tuple[str, ...]]
    ) -> None:
        """Work through ``access``; ``warnings`` tells what an operator should know."""
        self._access = access
        self._relay = relay
        self._warnings = warnings

    # ── jobs ────────────────────────────────────────────────────────────────────────────────────

    def enqueue(self, items: Sequence[NewJob]) -> list[Enqueued | PrunedReplay | ActorqError]:
        """Write new jobs, with their dedupe and idempotency keys, in one step."""
        return intake.enqueue(self._access, items) if items else []

    def _told(self, answers: R) -> R:
        """Tell other jobs what has to follow from a verb; return what it answers."""
        self._relay.run()
        return answers

    def dequeue(self, claims: Sequence[Claim]) -> list[Claimed]:
        """Claim and lease the best pending jobs."""
        return self._told(claiming.dequeue(self._access, claims)) if claims else []

    def find_claims(self, tokens: Sequence[str]) -> list[Job]:
        """Return the running jobs which are leased under one of ``tokens``."""
        return claiming.find_claims(self._access, tokens)

    def ack(self, items: Sequence[Ack]) -> list[Settled | ActorqError]:
        """Complete jobs."""
        return self._told(acks.ack(self._access, items))

    def fail(self, items: Sequence[Fail]) -> list[Settled | ActorqError]:
        """Record failures and what follows from each."""
        return self._told(settling.settle(self._access, items))

    def release(self, items: Sequence[Release]) -> list[Settled | ActorqError]:
        """Take jobs back from their holders without a failure."""
        return self._told(settling.settle(self._access, items))

    def extend(self, items: Sequence[Extend]) -> list[Job | ActorqError]:
        """Renew leases; the token stays."""
        return settling.renew(self._access, items)

    def report(self, items: Sequence[Report]) -> list[Job | ActorqError]:
        """Record progress."""
        return settling.renew(self._access, items)

    def cancel(self, ids: Sequence[str]) -> list[Job | ActorqError]:
        """Cancel waiting jobs, ask the holders of running ones."""
        return self._told(settling.cancel(self._access, ids))

    def redrive(self, ids: Sequence[str]) -> list[Job | ActorqError]:
        """Give dead jobs another life, taking their dedupe keys back in the same step."""
        return self._told(settling.redrive(self._access, ids))

    def get_job(self, ids: Sequence[str]) -> list[Job | None]:
        """Read jobs as last committed."""
        if not ids:
            return []
        _, records = self._access.read(ids)
        return [records[job_id].job if job_id in records else None for job_id in ids]

    def update_job(self, edits: Sequence[Edit]) -> list[Job | ActorqError]:
        """Change waiting jobs."""
        return settling.update(self._access, edits)

    def delete(self, ids: Sequence[str]) -> list[Job | ActorqError]:
        """Remove ended jobs and count them as pruned."""
        return settling.delete(self._access, ids)

    def stirred(self) -> Sequence[Job]:
        """Return, once, the jobs that the verbs since the last time changed beyond those they answered."""
        return self._relay.outbox.stirred()

    # ── sweeps ──────────────────────────────────────────────────────────────────────────────────

    def requeue_expired(self, limit: int) -> Sweep:
        """End up to ``limit`` leases that ran out, oldest first."""
        return sweeps.reap(self._access, limit, self._relay)

    def promote_delayed(self, limit: int) -> Sweep:
        """Move up to ``limit`` jobs that have become due or have lapsed."""
        return sweeps.promote(self._access, limit, self._relay)

    def prune(self, limit: int) -> tuple[int, float | None]:
        """Remove up to ``limit`` ended jobs and idempotency records that retention lets go."""
        jobs, records, next_in = sweeps.prune(self._access, limit)
        return len(jobs) + records, next_in

    def purge(self, queue_name: str, statuses: frozenset[Status], limit: int) -> int:
        """Remove up to ``limit`` jobs of these statuses."""
        return self._told(len(sweeps.purge(self._access, queue_name, statuses, limit)))

    # ── looking ─────────────────────────────────────────────────────────────────────────────────

    def list_jobs(self, query: ListJobs) -> Page:
        """List jobs, newest first."""
        return listing.list_jobs(self._access, query)

    def list_queues(self, names: Sequence[str] | None = None) -> list[QueueStats]:
        """Return the figures of all queues by name, or of ``names``."""
        return queues.list_queues(self._access, names)

    def get_queue_length(self, names: Sequence[str]) -> list[QueueLength]:
        """Return the exact lengths."""
        return queues.lengths(self._access, names)

    def update_queue(self, edits: Sequence[QueueEdit]) -> list[QueueStats]:
        """Change settings of queues, making those that are not there yet."""
        return queues.update(self._access, edits)

    # ── schedules ───────────────────────────────────────────────────────────────────────────────

    def change_schedules(self, changes: Sequence[ScheduleChange]) -> list[Schedule | ActorqError]:
        """Make, define anew, pause or remove schedules."""
        return schedules.change(self._access, changes)

    def get_schedules(self, names: Sequence[str]) -> list[Schedule | None]:
        """Read schedules as last committed."""
        return schedules.get(self._access, names)

    def list_schedules(self, after: str, limit: int) -> list[Schedule]:
        """List schedules by name."""
        return schedules.page(self._access, after, limit)

    def fire_schedules(self, limit: int) -> Sweep:
        """Make up to ``limit`` jobs of ticks that have come."""
        return schedules.fire_here(self._access, limit)

    # ── the connection itself ───────────────────────────────────────────────────────────────────

    def check(self) -> Check:
        """Prove that a write would work now, and tell the server's clock."""
        now = self._access.write(scripting.CHECK, [self._access.keys.probe], [])
        return Check(cast("int", now), self._warnings(self._access.link))

    def close(self) -> None:
        """Let the connection go; safe to call twice."""
        self._access.link.close()
