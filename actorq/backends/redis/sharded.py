"""The verbs over many shards: each item goes to the shard of its job or queue.

Within a shard a batch is one atomic step, as ever; over several it is one step for each. What the node
of one shard does not answer is unavailable for the items of that shard, and for no other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, cast

from actorq.backends.redis import (
    acks,
    claiming,
    listing,
    queues,
    schedules,
    scripting,
    settling,
    sweeps,
    waves,
)
from actorq.core.firing import created
from actorq.core.results import Check, Claimed, Sweep
from actorq.errors import ActorqError, BackendUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from actorq.backends.redis.access import Access
    from actorq.backends.redis.link import Wire
    from actorq.backends.redis.relay import Relay
    from actorq.backends.redis.shards import Shards
    from actorq.backends.redis.spreading import Spreader
    from actorq.core.commands import Ack, Claim, Edit, Extend, Fail, ListJobs, Release, Report
    from actorq.core.job import Job, NewJob
    from actorq.core.queue import QueueEdit, QueueLength, QueueStats
    from actorq.core.results import Enqueued, Page, PrunedReplay, Settled
    from actorq.core.schedule import Schedule, ScheduleChange
    from actorq.core.transitions import Status

R = TypeVar("R")


class ShardedBackend:
    """One connection to a store of many shards. One caller at a time."""

    def __init__(
        self,
        wire: Wire,
        shards: Shards,
        spread: Spreader,
        relay: Relay,
        warnings: Callable[[Wire], tuple[str, ...]],
    ) -> None:
        """Work through ``wire``; ``warnings`` tells what an operator should know."""
        self._wire = wire
        self._shards = shards
        self._spread = spread
        self._relay = relay
        self._warnings = warnings

    # ── jobs ────────────────────────────────────────────────────────────────────────────────────

    def enqueue(self, items: Sequence[NewJob]) -> list[Enqueued | PrunedReplay | ActorqError]:
        """Write new jobs, with their dedupe and idempotency keys."""
        self._spread.note_queues(new.queue_name for new in items)
        self._spread.note_jobs(items)
        return self._told(waves.enqueue(self._spread, items))

    def _told(self, answers: R) -> R:
        """Tell other jobs what has to follow from a verb; return what it answers."""
        self._relay.run()
        return answers

    def dequeue(self, claims: Sequence[Claim]) -> list[Claimed]:
        """Claim and lease the best pending jobs.

        When the node of some claims fails, the others must not be lost for that: those that failed then
        get nothing, or what they had taken before the answer was lost.
        """
        answers = self._spread.by_queue(claims, lambda claim: claim.queue_name, claiming.dequeue)
        return [
            self._taken(claim) if isinstance(answer, ActorqError) else answer
            for claim, answer in zip(claims, self._told(answers), strict=True)
        ]

    def _taken(self, claim: Claim) -> Claimed:
        try:
            access = self._spread.of_queue(claim.queue_name)
            return Claimed(tuple(claiming.find_claims(access, claim.tokens)))
        except BackendUnavailable:
            return Claimed()

    def find_claims(self, tokens: Sequence[str]) -> list[Job]:
        """Return the running jobs which are leased under one of ``tokens``."""
        used = self._spread.used() if tokens else []
        return [job for access in used for job in claiming.find_claims(access, tokens)]

    def ack(self, items: Sequence[Ack]) -> list[Settled | ActorqError]:
        """Complete jobs."""
        return self._told(self._spread.by_id(items, lambda item: item.id, acks.ack))

    def fail(self, items: Sequence[Fail]) -> list[Settled | ActorqError]:
        """Record failures and what follows from each."""
        return self._told(self._spread.by_id(items, lambda item: item.id, settling.settle))

    def release(self, items: Sequence[Release]) -> list[Settled | ActorqError]:
        """Take jobs back from their holders without a failure."""
        return self._told(self._spread.by_id(items, lambda item: item.id, settling.settle))

    def extend(self, items: Sequence[Extend]) -> list[Job | ActorqError]:
        """Renew leases; the token stays."""
        return self._spread.by_id(items, lambda item: item.id, settling.renew)

    def report(self, items: Sequence[Report]) -> list[Job | ActorqError]:
        """Record progress."""
        return self._spread.by_id(items, lambda item: item.id, settling.renew)

    def cancel(self, ids: Sequence[str]) -> list[Job | ActorqError]:
        """Cancel waiting jobs, ask the holders of running ones."""
        return self._told(self._spread.by_id(ids, str, settling.cancel))

    def redrive(self, ids: Sequence[str]) -> list[Job | ActorqError]:
        """Give dead jobs another life, taking their dedupe keys back in the same step."""
        return self._told(self._spread.by_id(ids, str, settling.redrive))

    def update_job(self, edits: Sequence[Edit]) -> list[Job | ActorqError]:
        """Change waiting jobs."""
        return self._spread.by_id(edits, lambda edit: edit.id, settling.update)

    def delete(self, ids: Sequence[str]) -> list[Job | ActorqError]:
        """Remove ended jobs and count them as pruned."""
        answers = self._spread.by_id(ids, str, settling.delete)
        pairs = zip(ids, answers, strict=True)
        gone = [job_id for job_id, answer in pairs if not isinstance(answer, ActorqError)]
        self._spread.forget_jobs(gone)
        return answers

    def get_job(self, ids: Sequence[str]) -> list[Job | None]:
        """Read jobs as last committed."""
        answers = self._spread.by_id(ids, str, waves.read_jobs)
        for answer in answers:
            if isinstance(answer, BackendUnavailable):
                raise answer
        return [None if isinstance(answer, ActorqError) else answer for answer in answers]

    def stirred(self) -> Sequence[Job]:
        """Return, once, the jobs that the verbs since the last time changed beyond those they answered."""
        return self._relay.outbox.stirred()

    # ── sweeps ──────────────────────────────────────────────────────────────────────────────────

    def requeue_expired(self, limit: int) -> Sweep:
        """End up to ``limit`` leases that ran out."""
        return self._sweep(sweeps.reap, limit)

    def promote_delayed(self, limit: int) -> Sweep:
        """Move up to ``limit`` jobs that have become due or have lapsed."""
        return self._sweep(sweeps.promote, limit)

    def _sweep(self, sweep: Callable[[Access, int, Relay], Sweep], limit: int) -> Sweep:
        jobs: list[Job] = []

        def one(access: Access) -> float | None:
            done = sweep(access, limit - len(jobs), self._relay)
            jobs.extend(done.jobs)
            return done.next_in

        next_in = self._spread.over_used(one)
        return Sweep(tuple(jobs), next_in)

    def prune(self, limit: int) -> tuple[int, float | None]:
        """Remove up to ``limit`` ended jobs and idempotency records that retention lets go."""
        gone = 0

        def one(access: Access) -> float | None:
            nonlocal gone
            jobs, records, next_in = sweeps.prune(access, limit - gone)
            self._spread.forget_jobs(jobs)
            gone += len(jobs) + records
            return next_in

        next_in = self._spread.over_used(one)
        return gone, next_in

    def purge(self, queue_name: str, statuses: frozenset[Status], limit: int) -> int:
        """Remove up to ``limit`` jobs of these statuses."""
        gone = sweeps.purge(self._spread.of_queue(queue_name), queue_name, statuses, limit)
        self._spread.forget_jobs(gone)
        return self._told(len(gone))

    # ── looking ─────────────────────────────────────────────────────────────────────────────────

    def list_jobs(self, query: ListJobs) -> Page:
        """List jobs, newest first."""
        if query.queue_name is not None:
            return listing.list_jobs(self._spread.of_queue(query.queue_name), query)
        pages = [listing.list_jobs(access, query) for access in self._spread.used()]
        return listing.merged(pages, query)

    def list_queues(self, names: Sequence[str] | None = None) -> list[QueueStats]:
        """Return the figures of all queues by name, or of ``names``."""
        if names is None:
            found = [
                stats
                for access in self._spread.used()
                for stats in queues.list_queues(access, None)
            ]
            return sorted(found, key=lambda stats: stats.name)
        return _whole(self._spread.by_queue(names, str, queues.list_queues))

    def get_queue_length(self, names: Sequence[str]) -> list[QueueLength]:
        """Return the exact lengths."""
        return _whole(self._spread.by_queue(names, str, queues.lengths))

    def update_queue(self, edits: Sequence[QueueEdit]) -> list[QueueStats]:
        """Change settings of queues, making those that are not there yet."""
        self._spread.note_queues(edit.queue_name for edit in edits)
        return _whole(self._spread.by_queue(edits, lambda edit: edit.queue_name, queues.update))

    # ── schedules ───────────────────────────────────────────────────────────────────────────────

    def change_schedules(self, changes: Sequence[ScheduleChange]) -> list[Schedule | ActorqError]:
        """Make, define anew, pause or remove schedules."""
        self._spread.note_queues(wish.name for wish in changes)
        return self._spread.by_queue(changes, lambda wish: wish.name, schedules.change)

    def get_schedules(self, names: Sequence[str]) -> list[Schedule | None]:
        """Read schedules as last committed."""
        return _whole(self._spread.by_queue(names, str, schedules.get))

    def list_schedules(self, after: str, limit: int) -> list[Schedule]:
        """List schedules by name."""
        pages = [schedules.page(access, after, limit) for access in self._spread.used()]
        found = sorted((one for page in pages for one in page), key=lambda one: one.name)
        return found[:limit]

    def fire_schedules(self, limit: int) -> Sweep:
        """Make up to ``limit`` jobs of ticks that have come."""
        made: list[Job] = []

        def one(access: Access) -> float | None:
            fired = schedules.fire(access, limit - len(made), is_whole=False)
            next_in = fired.next_in
            for name in fired.noted:
                next_in = self._deliver(access, name, made)
            return next_in

        next_in = self._spread.over_used(one)
        return Sweep(tuple(made), next_in)

    def _deliver(self, access: Access, name: str, made: list[Job]) -> float | None:
        """Make the jobs that are noted for a schedule; tell when there is more to do in its shard."""
        jobs = schedules.noted(access, name)
        answers = self._enqueued(jobs)
        made.extend(one.job for one in created(answers))
        ids = (job.id for job in jobs)
        return schedules.delivered(access, name, dict(zip(ids, answers, strict=True)))

    def _enqueued(self, jobs: Sequence[NewJob]) -> Sequence[Enqueued | PrunedReplay | ActorqError]:
        try:
            return self.enqueue(jobs) if jobs else []
        except BackendUnavailable as error:
            return [error] * len(jobs)

    # ── the connection itself ───────────────────────────────────────────────────────────────────

    def check(self) -> Check:
        """Prove that a write would work now on every node, and tell the clock of the first."""
        probes = {self._shards.keys(shard).probe: shard for shard in range(self._shards.count)}
        clocks = [
            self._spread.access(probes[probe]).write(scripting.CHECK, [probe], [])
            for probe in self._wire.one_per_node(list(probes))
        ]
        return Check(cast("int", clocks[0]), self._warnings(self._wire))

    def close(self) -> None:
        """Let the connections go; safe to call twice."""
        self._wire.close()


def _whole(answers: Sequence[R | ActorqError]) -> list[R]:
    """Return the answers of a verb that has none for a single item that failed."""
    for answer in answers:
        if isinstance(answer, ActorqError):
            raise answer
    return [answer for answer in answers if not isinstance(answer, ActorqError)]
