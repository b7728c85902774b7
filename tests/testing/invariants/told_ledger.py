"""A ledger that tells its moves: a store that is right, and small enough to be seen to be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from actorq.core import lifecycle
from actorq.core.job import ErrorKind, Job
from actorq.core.transitions import ENDED, Status
from actorq.testing.clock import START_US
from actorq.testing.conformance import dues
from actorq.testing.conformance.ledger import Ledger
from actorq.testing.invariants import events as e

if TYPE_CHECKING:
    from collections.abc import Callable

    from actorq.core.policy import Policy

_ENDINGS: Final[dict[tuple[str, Status], e.MoveEvent]] = {
    ("fail", Status.DELAYED): "retry",
    ("release", Status.PENDING): "release",
    ("release", Status.DELAYED): "postpone",
    ("expire", Status.PENDING): "expire",
    ("cancel", Status.RUNNING): "request_cancel",
    ("edit", Status.PENDING): "promote",
    ("edit", Status.DELAYED): "reschedule",
}


class ToldLedger(Ledger):
    """A ledger on a clock of its own, which hands every move that it makes to ``tell``."""

    def __init__(self, policy: Policy, tell: Callable[[e.Move], None]) -> None:
        super().__init__(policy)
        self.at = 0.0
        self.offset_us = 0
        self.verb = ""
        self.muted = False
        self.steps = 0
        self.removed: set[str] = set()
        self._tell = tell

    @property
    def now(self) -> int:
        return START_US + round(self.at * 1e6) + self.offset_us

    def step(self, verb: str) -> None:
        """Begin an atomic step, and say what it does."""
        self.verb = verb
        self.steps += 1

    def write(self, job: Job) -> Job:
        before = self.jobs.get(job.id)
        if before != job:
            self._move(self._event(before, job), before, job)
        return super().write(job)

    def remove(self, job_id: str) -> Job:
        job = self.jobs[job_id]
        verb: e.MoveEvent = "prune"
        if self.verb in {"delete", "purge"}:
            verb = "delete" if self.verb == "delete" else "purge"
        self._move(verb, job, job)
        self.removed.add(job_id)
        return super().remove(job_id)

    def roll_back(self, to: Ledger) -> None:
        """Go back to what a copy remembers."""
        self.jobs, self.settings = dict(to.jobs), dict(to.settings)
        self.accepted, self.pruned = to.accepted.copy(), to.pruned.copy()
        self.remembered = dict(to.remembered)

    # ── what a store does by itself ─────────────────────────────────────────────────────────────

    def upkeep(self) -> None:
        """Promote, bury, expire and prune whatever is ripe."""
        for job in list(self.jobs.values()):
            retention = self.policy.retention
            if job.status in {Status.PENDING, Status.DELAYED} and dues.lapsed(job, self.now):
                self.step("lapse")
                self.write(lifecycle.lapse(job, self.now))
            elif job.status is Status.DELAYED and job.available_at <= self.now:
                self.step("promote")
                self.write(lifecycle.promote(job, self.now))
            elif dues.run_out(job, self.now):
                self.step("expire")
                self.write(lifecycle.expire(job, self.policy, self.now))
            elif job.status in ENDED and dues.too_old(job, retention, self.now):
                self.step("prune")
                self.remove(job.id)

    # ── telling ─────────────────────────────────────────────────────────────────────────────────

    def _event(self, before: Job | None, after: Job) -> e.MoveEvent:
        if before is None:
            return "enqueue"
        if self.verb in {"fail", "release", "expire"} and after.status in ENDED:
            return "bury" if after.status is Status.DEAD else "abort"
        if self.verb == "release" and after.retry_count > before.retry_count:
            return "retry"
        if self.verb in {"edit", "enqueue"} and before.status is after.status:
            return "edit"
        verb = "edit" if self.verb == "enqueue" else self.verb
        named: e.MoveEvent = verb  # type: ignore[assignment]  # the verbs are named after events
        return _ENDINGS.get((verb, after.status), named)

    def _move(self, event: e.MoveEvent, before: Job | None, job: Job) -> None:
        if self.muted:
            return
        known = () if before is None else before.errors
        failures = [error for error in job.errors if error not in known]
        record = e.Record(
            job_id=job.id,
            queue=job.queue_name,
            status=job.status.value,
            version=job.version,
            payload=e.digest(job.payload),
            priority=job.priority,
            delivery=job.delivery.value,
            attempt=job.attempt,
            retry_count=job.retry_count,
            expiries=job.expiries,
            interruptions=job.interruptions,
            due=job.available_at,
            expires_at=job.expires_at,
            token=None if job.lease is None else job.lease.token,
            lease_until=None if job.lease is None else job.lease.expires_at,
            dedupe_key=job.dedupe_key,
            dedupe_until=job.dedupe_until,
            dead_reason=None if job.dead_reason is None else job.dead_reason.value,
            failures=sum(error.kind is ErrorKind.FAILURE for error in failures),
        )
        self._tell(
            e.Move(
                at=self.at,
                actor="store",
                step=self.steps,
                store_time=self.now,
                event=event,
                before=None if before is None else before.status.value,
                job=record,
            )
        )


def shown(job: Job, now: int) -> e.Seen:
    """Return a job as a door shows it."""
    return e.Seen(
        job_id=job.id,
        queue=job.queue_name,
        status=job.status.value,
        payload=e.digest(job.payload),
        result=None if job.result is None else e.digest(job.result),
        priority=job.priority,
        delivery=job.delivery.value,
        attempt=job.attempt,
        retry_count=job.retry_count,
        expiries=job.expiries,
        interruptions=job.interruptions,
        version=job.version,
        errors=tuple(e.ErrorSeen(error.attempt, error.kind.value) for error in job.errors),
        dead_reason=None if job.dead_reason is None else job.dead_reason.value,
        dedupe_key=job.dedupe_key,
        due_in=(job.available_at - now) / 1e6,
        ended=job.completed_at is not None,
        has_lease=job.lease is not None,
    )
