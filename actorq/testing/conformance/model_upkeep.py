"""The model test's upkeep: time passes, and what servers do by themselves as it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis.stateful import rule

from actorq.core import lifecycle
from actorq.core.job import Job
from actorq.core.transitions import ENDED, Status
from actorq.testing.conformance import dues
from actorq.testing.conformance import moves as m
from actorq.testing.conformance.likeness import like
from actorq.testing.conformance.model_world import World

if TYPE_CHECKING:
    from collections.abc import Callable

    from actorq.core.results import Sweep

ROUNDING_S = 0.001
"""How far a figure of seconds may be off its instant."""

NEVER_S = 100 * 365 * 86_400.0
"""A century: as good as never, which is when a job becomes due that waits for others."""


def ended_at(job: Job) -> int:
    """Return the instant at which a job ended."""
    assert job.completed_at is not None
    return job.completed_at


class Upkeep(World):
    """What goes on when nobody asks for it."""

    @rule(seconds=m.pauses, limit=m.limits)
    def promote(self, seconds: float, limit: int) -> None:
        """Let time pass, and run a round of promotion."""

        def outcomes(job: Job, now: int) -> list[Job]:
            ends = [lifecycle.lapse(job, now)] if dues.lapsed(job, now) else []
            if job.status is Status.DELAYED and job.available_at <= now:
                # One that is due and too late may go either way: the next round buries it.
                ends.append(lifecycle.promote(job, now))
            return ends

        self.bench.advance(seconds)
        self.begin()
        sweep = self.bench.promote(limit)
        self.note_sweep(sweep, limit, dues.due, outcomes)
        self.note_next(sweep, limit, dues.next_promotion(list(self.ledger.jobs.values())))

    @rule(seconds=m.pauses, limit=m.limits)
    def reap(self, seconds: float, limit: int) -> None:
        """Let time pass, and run a round of the reaper, which ends the oldest leases first."""
        expiries = {
            job.id: job.lease.expires_at
            for job in self.ledger.jobs.values()
            if job.lease is not None
        }
        self.bench.advance(seconds)
        self.begin()
        sweep = self.bench.reap(limit)
        ended = [expiries.pop(job.id) for job in sweep.jobs]
        assert ended == sorted(ended)
        assert not ended or not expiries or ended[-1] <= min(expiries.values())
        self.note_sweep(
            sweep, limit, dues.run_out, lambda job, now: [lifecycle.expire(job, m.POLICY, now)]
        )
        self.note_next(sweep, limit, dues.next_expiry(list(self.ledger.jobs.values())))

    def note_sweep(
        self,
        sweep: Sweep,
        limit: int,
        ripe: Callable[[Job, int], bool],
        outcomes: Callable[[Job, int], list[Job]],
    ) -> None:
        """Take over what a round did: only what was ripe, as core decides, and no less than it may."""
        high = self.bench.now()
        swept = {job.id: job for job in sweep.jobs}
        assert len(swept) == len(sweep.jobs) <= limit
        left = [
            job for job in self.ledger.jobs.values() if job.id not in swept and ripe(job, self.low)
        ]
        for job in sweep.jobs:
            before = self.ledger.jobs[job.id]
            assert self.low <= job.updated_at <= high
            assert ripe(before, job.updated_at)
            (after,) = (end for end in outcomes(before, job.updated_at) if like(end, job))
            self.ledger.write(after)
        # What was ripe may have ended with another one.
        assert len(swept) == limit or all(job.id in self.ledger.told for job in left)

    def note_next(self, sweep: Sweep, limit: int, at: int | None) -> None:
        """Check when a round says to come again: never too late, and not at once for nothing."""
        said = sweep.next_in
        if said == 0.0 and len(sweep.jobs) == limit:
            return
        if at is None:
            assert said is None or said > NEVER_S
            return
        assert said is not None
        assert 0.0 <= said <= max(0, at - self.low) / 1e6 + ROUNDING_S
        assert said > 0.0 or at <= self.bench.now()

    @rule(seconds=m.pauses, limit=m.limits)
    def prune(self, seconds: float, limit: int) -> None:
        """Let time pass, and prune: only what retention lets go, and something if there is any."""
        self.bench.advance(seconds)
        self.begin()
        count, _ = self.bench.backend.prune(limit)
        high = self.bench.now()
        gone = self.missing(job for job in self.ledger.jobs.values() if job.status in ENDED)
        assert len(gone) <= count <= limit
        # Whether forgotten idempotency records count is the store's business.
        forgotten = [known for known in self.ledger.remembered.values() if known.until <= high]
        assert count - len(gone) <= len(forgotten)
        for job in gone:
            self.ledger.remove(job.id)
        for job in gone:
            self.check_gone(job, high)
        if not count:
            self.check_stays()

    def check_gone(self, job: Job, now: int) -> None:
        """Check that a job was pruned by its age, or as the oldest of more than its queue keeps."""
        retention = self.ledger.retention(job.queue_name)
        assert not job.holds_key(now)
        if not dues.too_old(job, retention, now):
            kept = self.kind(job)
            assert len(kept) >= dues.at_most(job.status, retention)
            free = [other for other in kept if not other.holds_key(self.low)]
            assert all(ended_at(job) <= ended_at(other) for other in free)

    def check_stays(self) -> None:
        """Check that nothing is left that may go."""
        for job in self.ledger.jobs.values():
            if job.status in ENDED:
                retention = self.ledger.retention(job.queue_name)
                assert not dues.too_old(job, retention, self.low)
                free = [other for other in self.kind(job) if not other.holds_key(self.low)]
                assert len(free) <= dues.at_most(job.status, retention)

    def kind(self, job: Job) -> list[Job]:
        """Return the jobs that have the queue and the status of this one."""
        kind = (job.queue_name, job.status)
        jobs = self.ledger.jobs.values()
        return [other for other in jobs if (other.queue_name, other.status) == kind]
