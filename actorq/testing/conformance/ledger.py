"""The ledger: what a store must say, worked out by ``actorq.core`` and plain dictionaries alone.

Every method takes the store's instant and changes the ledger as the verb of that name must change
the store. It is kept apart from any store: nothing in here knows how one works.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from actorq.core import dependence, lifecycle
from actorq.core.commands import Ack, Claim, Edit, Extend, Fail, Release, Report
from actorq.core.instants import to_us
from actorq.core.job import DependentJob, Job, NewJob, OnDuplicate, Settlement, create
from actorq.core.lease import Standing, standing
from actorq.core.queue import QueueEdit, QueueLength, QueueSettings, QueueStats
from actorq.core.results import Enqueued, Outcome, PrunedReplay, Settled
from actorq.core.transitions import ENDED, LIVE, WAITING, Status
from actorq.errors import (
    ActorqError,
    AlreadyStarted,
    DuplicateJob,
    IdempotencyKeyReused,
    IllegalTransition,
    LeaseLost,
    NotFound,
    NotLeased,
    QueueFull,
    StaleVersion,
)
from actorq.testing.conformance import kin
from actorq.testing.conformance.dues import lapsed
from actorq.testing.conformance.remembered import Remembered

if TYPE_CHECKING:
    from actorq.core.policy import Policy, Retention

Holding = Ack | Fail | Release | Extend | Report
"""The calls of a lease's holder."""

_SETTLEMENTS: Final[dict[type[object], Settlement]] = {
    Ack: Settlement.ACK,
    Fail: Settlement.FAIL,
    Release: Settlement.RELEASE,
}


class Ledger:
    """All that a store knows, in the plainest form."""

    def __init__(self, policy: Policy) -> None:
        """Start empty."""
        self.policy = policy
        self.jobs: dict[str, Job] = {}
        self.settings: dict[str, QueueSettings] = {}
        self.accepted: Counter[str] = Counter()
        self.pruned: Counter[str] = Counter()
        self.remembered: dict[str, Remembered] = {}
        self.told: dict[str, bool] = {}
        """The jobs that changed as others did, since somebody looked; and which of them were let go early."""

    def copy(self) -> Ledger:
        """Return a ledger that can be changed by itself."""
        twin = Ledger(self.policy)
        twin.jobs = dict(self.jobs)
        twin.settings = dict(self.settings)
        twin.accepted, twin.pruned = self.accepted.copy(), self.pruned.copy()
        twin.remembered, twin.told = dict(self.remembered), dict(self.told)
        return twin

    def write(self, job: Job) -> Job:
        """Take over a record; those who depend on it hear of its end."""
        before = self.jobs.get(job.id)
        self.jobs[job.id] = job
        children = dependence.to_tell(None if before is None else before.status, job)
        kin.tell(self, job, job.status, children)
        return job

    def remove(self, job_id: str) -> Job:
        """Take a record out, and count it as pruned."""
        job = self.jobs.pop(job_id)
        self.pruned[job.queue_name] += 1
        if job.status in LIVE:
            kin.tell(self, job, None, dependence.dependents(job))
        return job

    # ── enqueue ─────────────────────────────────────────────────────────────────────────────────

    def enqueue(self, new: NewJob, now: int) -> Enqueued | PrunedReplay | ActorqError:
        """Accept one request, or recognise it, or refuse it."""
        if new.idempotency is None:
            return self._accept(new, now)
        known = self.remembered.get(new.idempotency.key)
        if known is not None and known.until > now:
            return self._replay(known, new.idempotency.fingerprint)
        answer = self._accept(new, now)
        if isinstance(answer, Enqueued):
            job, until = answer.job, now + to_us(self.policy.idempotency_ttl)
            self.remembered[new.idempotency.key] = Remembered(
                new.idempotency.fingerprint,
                job.id,
                job.queue_name,
                job.created_at,
                answer.outcome,
                until,
            )
        return answer

    def _replay(self, known: Remembered, fingerprint: str) -> Enqueued | PrunedReplay | ActorqError:
        if known.fingerprint != fingerprint:
            return IdempotencyKeyReused()
        job = self.jobs.get(known.job_id)
        if job is None:
            return PrunedReplay(known.job_id, known.queue_name, known.created_at, known.outcome)
        return Enqueued(job, known.outcome, replayed=True)

    def _accept(self, new: NewJob, now: int) -> Enqueued | ActorqError:
        if new.id in self.jobs:
            return Enqueued(self.jobs[new.id])
        holder = self.holder(new, now)
        if holder is not None:
            return self._duplicate(new, holder, now)
        depth = self.settings.get(new.queue_name, QueueSettings()).max_depth
        if depth is not None and self._count(new.queue_name, WAITING) >= depth:
            return QueueFull(new.queue_name, depth)
        if isinstance(new, DependentJob):
            made = kin.accept(self, new, now)
            if not isinstance(made, Enqueued):
                return made
        else:
            made = Enqueued(self.write(create(new, now)))
        self.settings.setdefault(new.queue_name, QueueSettings())
        self.accepted[new.queue_name] += 1
        return made

    def _duplicate(self, new: NewJob, holder: Job, now: int) -> Enqueued | ActorqError:
        if new.on_duplicate is OnDuplicate.REJECT:
            return DuplicateJob(holder.id, new.dedupe_key or "")
        if new.on_duplicate is OnDuplicate.REPLACE and holder.status in WAITING:
            return Enqueued(
                self.write(lifecycle.replace_waiting(holder, new, now)), Outcome.REPLACED
            )
        return Enqueued(holder, Outcome.DUPLICATE)

    def holder(self, wanted: NewJob | Job, now: int) -> Job | None:
        """Return the job that holds the dedupe key of ``wanted``: a live one before a window."""
        if wanted.dedupe_key is None:
            return None
        place = (wanted.queue_name, wanted.dedupe_key)
        jobs = [job for job in self.jobs.values() if (job.queue_name, job.dedupe_key) == place]
        holders = [job for job in jobs if job.holds_key(now)]
        return min(holders, key=lambda job: job.status not in LIVE, default=None)

    # ── claims ──────────────────────────────────────────────────────────────────────────────────

    def room(self, queue_name: str) -> int | None:
        """Return how many more jobs of the queue may run; None when there is no bound."""
        bound = self.settings.get(queue_name, QueueSettings()).max_running
        return None if bound is None else max(0, bound - self._count(queue_name, {Status.RUNNING}))

    def ready(self, queue_name: str, now: int) -> list[Job]:
        """Return the jobs of a queue that may be claimed, the best first."""
        jobs = [job for job in self.jobs.values() if job.queue_name == queue_name]
        ready = [job for job in jobs if job.status is Status.PENDING and not lapsed(job, now)]
        return sorted(ready, key=lambda job: (-job.priority, job.id))

    def best(self, claim: Claim, now: int) -> list[Job]:
        """Return the jobs that a claim must get, in order."""
        room = self.room(claim.queue_name)
        most = len(claim.tokens) if room is None else min(room, len(claim.tokens))
        return self.ready(claim.queue_name, now)[:most]

    def claim(self, job: Job, claim: Claim, token: str, now: int) -> Job:
        """Give a job to a claim, under one of its tokens."""
        settings = self.settings[job.queue_name]
        seconds = settings.effective_visibility(claim.visibility_timeout, self.policy)
        return self.write(lifecycle.claim(job, token, claim.worker_id, seconds, now))

    # ── settlements and the rest ────────────────────────────────────────────────────────────────

    def hold(self, call: Holding, now: int) -> Settled | Job | ActorqError:
        """Judge the call of a holder, and do what it says if it counts."""
        job = self.jobs.get(call.id)
        if job is None:
            return NotFound(call.id)
        match standing(job, call.token, _SETTLEMENTS.get(type(call))):
            case Standing.REPEAT:
                return Settled(job, repeated=True)
            case Standing.LOST:
                return LeaseLost(job.id)
            case Standing.NOT_LEASED:
                return NotLeased(job.id, job.status)
            case Standing.HOLDER:
                after = self.write(self._obey(job, call, now))
                return after if isinstance(call, Extend | Report) else Settled(after)

    def _obey(self, job: Job, call: Holding, now: int) -> Job:
        match call:
            case Ack(result=result):
                return lifecycle.ack(job, result, now)
            case Fail(failure=failure):
                return lifecycle.fail(job, failure, now)
            case Release(delay=delay):
                return lifecycle.release(job, delay, self.policy, now)
            case Extend(visibility_timeout=seconds):
                return lifecycle.extend(job, seconds, self.policy, now)
            case Report(progress=progress):
                return lifecycle.report(job, progress, now)

    def cancel(self, job_id: str, now: int) -> Job | ActorqError:
        """Cancel a job, or ask its holder."""
        job = self.jobs.get(job_id)
        if job is None:
            return NotFound(job_id)
        if job.status is Status.CANCELLED:
            return job
        try:
            return self.write(lifecycle.cancel(job, now))
        except IllegalTransition as error:
            return error

    def redrive(self, job_id: str, now: int) -> Job | ActorqError:
        """Give a dead job another life."""
        job = self.jobs.get(job_id)
        if job is None:
            return NotFound(job_id)
        if job.status is not Status.DEAD:
            return IllegalTransition(job_id, job.status, "redrive")
        if not lifecycle.may_redrive(job):
            return AlreadyStarted(job_id)
        holder = self.holder(job, now)
        if holder is not None and holder.status in LIVE:
            return DuplicateJob(holder.id, job.dedupe_key or "")
        return self.write(lifecycle.redrive(job, now))

    def edit(self, change: Edit, now: int) -> Job | ActorqError:
        """Change a waiting job."""
        job = self.jobs.get(change.id)
        if job is None:
            return NotFound(change.id)
        if change.version is not None and change.version != job.version:
            return StaleVersion(job.id, job.version)
        try:
            return self.write(lifecycle.edit(job, change, now))
        except IllegalTransition as error:
            return error

    def delete(self, job_id: str, _: int) -> Job | ActorqError:
        """Remove an ended job."""
        job = self.jobs.get(job_id)
        if job is None:
            return NotFound(job_id)
        if job.status not in ENDED:
            return IllegalTransition(job_id, job.status, "delete")
        return self.remove(job_id)

    # ── queues ──────────────────────────────────────────────────────────────────────────────────

    def configure(self, edit: QueueEdit) -> QueueStats:
        """Change a queue's settings."""
        self.settings[edit.queue_name] = edit.apply(
            self.settings.get(edit.queue_name, QueueSettings())
        )
        return self.stats(edit.queue_name)

    def retention(self, name: str) -> Retention:
        """Return how long a queue keeps its ended jobs."""
        return self.settings.get(name, QueueSettings()).retention or self.policy.retention

    def stats(self, name: str) -> QueueStats:
        """Return the figures of a queue."""
        own = [job for job in self.jobs.values() if job.queue_name == name]
        pending = [job.created_at for job in own if job.status is Status.PENDING]
        return QueueStats(
            name=name,
            counts={status: self._count(name, {status}) for status in Status},
            accepted=self.accepted[name],
            pruned=self.pruned[name],
            oldest_pending_at=min(pending, default=None),
            settings=self.settings.get(name, QueueSettings()),
        )

    def length(self, name: str) -> QueueLength:
        """Return the length of a queue."""
        counts = self.stats(name).counts
        paused = self.settings.get(name, QueueSettings()).paused
        return QueueLength(
            queue_name=name,
            pending=counts[Status.PENDING],
            delayed=counts[Status.DELAYED],
            running=counts[Status.RUNNING],
            paused=paused,
        )

    def _count(self, name: str, statuses: frozenset[Status] | set[Status]) -> int:
        own = (job for job in self.jobs.values() if job.queue_name == name)
        return sum(job.status in statuses for job in own)
