"""Random days of the memory store, its clock turned back and batches breaking off among them.

After every step each index must hold exactly what the records say, and each figure must be their
sum: the conformance suite sees an index only where a verb happens to use it.
"""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from actorq.backends.memory.connection import MemoryBackend
from actorq.backends.memory.data import Data
from actorq.core.commands import Ack, Claim, Edit, Extend, Fail, Release, Report
from actorq.core.ids import IdMint
from actorq.core.instants import to_us
from actorq.core.job import Job, NewJob, OnDuplicate
from actorq.core.policy import Retention
from actorq.core.queue import QueueEdit
from actorq.core.retry import Failure
from actorq.core.transitions import ENDED, LIVE, WAITING, Status
from actorq.testing.clock import ManualClock
from actorq.testing.conformance.moves import POLICY

if TYPE_CHECKING:
    from actorq.backends.memory.queue import Queue

ENDLESS = float("inf")
"""A duration that no instant can hold: a verb that meets it raises."""

queues = st.sampled_from(["a", "b"])
picks = st.integers(0, 9)
few = st.integers(1, 3)


class Days(RuleBasedStateMachine):
    """A store, the ids that it was given, and the records of the step before."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock()
        self.data = Data(POLICY, self.clock)
        self.backend = MemoryBackend(self.data)
        self.random = Random(0)
        self.mint = IdMint(self.clock, self.random.getrandbits)
        self.ids = [self.mint.mint()]
        self.before: dict[str, Job] = {}

    def job_id(self, pick: int) -> str:
        return self.ids[-1 - pick % len(self.ids)]

    def wish(self, queue: str, pick: int, key: str | None) -> NewJob:
        self.ids.append(self.mint.mint())
        expires_at = self.clock() + to_us(3.0) if pick % 4 == 1 else None
        return NewJob(
            id=self.ids[-1], queue_name=queue, payload="", priority=pick % 3 - 1,
            delay=float(pick) if pick % 2 else None, expires_at=expires_at, dedupe_key=key,
            dedupe_window=4.0 if key == "window" else 0.0, on_duplicate=OnDuplicate.REPLACE,
            metadata={"pick": str(pick)} if pick == 2 else {},
        )  # fmt: skip

    # ── what happens ────────────────────────────────────────────────────────────────────────────

    @rule(
        queue=queues, some=st.lists(picks, max_size=3), key=st.sampled_from([None, "window", "k"])
    )
    def enqueue(self, queue: str, some: list[int], key: str | None) -> None:
        self.backend.enqueue([self.wish(queue, pick, key) for pick in some])

    @rule(queue=queues, count=few, seconds=st.sampled_from([None, 1.0]))
    def claim(self, queue: str, count: int, seconds: float | None) -> None:
        tokens = tuple(f"{self.random.getrandbits(64):x}" for _ in range(count))
        wish = Claim(queue_name=queue, worker_id="w", tokens=tokens, visibility_timeout=seconds)
        self.backend.dequeue([wish])

    @rule(pick=picks, how=st.sampled_from(["ack", "fail", "release", "extend", "report"]))
    def hold(self, pick: int, how: str) -> None:
        job_id = self.job_id(pick)
        match how:
            case "ack":
                self.backend.ack([Ack(job_id)])
            case "fail":
                failure = Failure("x", retryable=bool(pick % 2), retry_in=1.0)
                self.backend.fail([Fail(job_id, None, failure)])
            case "release":
                self.backend.release([Release(job_id, None, float(pick % 2))])
            case "extend":
                self.backend.extend([Extend(job_id, None, 3.0)])
            case _:
                self.backend.report([Report(job_id, None, "1")])

    @rule(pick=picks, how=st.sampled_from(["cancel", "redrive", "delete", "edit"]))
    def act(self, pick: int, how: str) -> None:
        job_id = self.job_id(pick)
        match how:
            case "cancel":
                self.backend.cancel([job_id])
            case "redrive":
                self.backend.redrive([job_id])
            case "delete":
                self.backend.delete([job_id])
            case _:
                self.backend.update_job([Edit(id=job_id, priority=pick, delay=float(pick % 3))])

    @rule(limit=few)
    def sweep(self, limit: int) -> None:
        self.backend.promote_delayed(limit)
        self.backend.requeue_expired(limit)
        self.backend.prune(limit)

    @rule(queue=queues, status=st.sampled_from(Status))
    def purge(self, queue: str, status: Status) -> None:
        self.backend.purge(queue, frozenset({status}), 2)

    @rule(queue=queues, most=st.sampled_from([0, 1, 100]), age=st.sampled_from([0.0, 2.0]))
    def keep(self, queue: str, most: int, age: float) -> None:
        retention = Retention(completed=age, max_cancelled=most, max_dead=most)
        self.backend.update_queue([QueueEdit(queue_name=queue, retention=retention)])

    @rule(seconds=st.sampled_from([0.5, 1.0, 2.0, 5.0, -1.0, -4.0]))
    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule(queue=queues, picks=st.lists(picks, min_size=2, max_size=4))
    def break_off(self, queue: str, picks: list[int]) -> None:
        """Give each verb a batch whose last item cannot be done: the others must be undone."""
        before, names = dict(self.data.jobs), list(self.data.queues)
        wishes = [self.wish(f"{queue}{pick}", pick, "k") for pick in picks]
        endless = NewJob(id=self.mint.mint(), queue_name=queue, payload="", delay=ENDLESS)
        with pytest.raises(OverflowError):
            self.backend.enqueue([*wishes, endless])
        running = [job for job in before.values() if job.status is Status.RUNNING]
        for job in running:
            if not job.cancel_requested and job.retry_count < job.max_retries:
                others = [Fail(other.id) for other in running if other is not job]
                endless_retry = Fail(job.id, None, Failure("x", retry_in=ENDLESS))
                with pytest.raises(OverflowError):
                    self.backend.fail([*others, endless_retry])
        waiting = [job.id for job in before.values() if job.status in WAITING]
        if waiting:
            with pytest.raises(OverflowError):
                self.backend.update_job(
                    [*(Edit(id=i, delay=7.0) for i in waiting), Edit(id=waiting[0], delay=ENDLESS)]
                )
        assert (self.data.jobs, list(self.data.queues)) == (before, names)

    # ── what must hold ──────────────────────────────────────────────────────────────────────────

    @invariant()
    def the_indexes_are_the_records(self) -> None:
        jobs = list(self.data.jobs.values())
        leased = [(job.lease.expires_at, job.id) for job in jobs if job.lease is not None]
        assert list(self.data.leases) == sorted(leased)
        dues = [(due, job.id) for job in jobs if (due := due_at(job)) is not None]
        assert list(self.data.dues) == sorted(dues)
        for name, queue in self.data.queues.items():
            check_queue(queue, [job for job in jobs if job.queue_name == name])
        for job in jobs:
            if job.dedupe_key is not None and job.status in LIVE:
                holder = self.data.holders.find(self.data.jobs, job, self.clock())
                assert holder is job

    @invariant()
    def the_records_tell_a_story(self) -> None:
        for job in self.data.jobs.values():
            assert job.created_at <= job.updated_at
            assert (job.lease is not None) == (job.status is Status.RUNNING)
            assert (job.completed_at is not None) == (job.status in ENDED)
            known = self.before.get(job.id)
            if known is not None and known is not job:
                assert known.version < job.version
                assert known.updated_at <= job.updated_at
                assert known.attempt <= job.attempt
        self.before = dict(self.data.jobs)

    @invariant()
    def nothing_due_is_overlooked(self) -> None:
        now = self.clock()
        promote, reap = self.backend.promote_delayed(0), self.backend.requeue_expired(0)
        for sweep, index in ((promote, self.data.dues), (reap, self.data.leases)):
            first = index.first()
            expected = None if first is None else max(0, first[0] - now) / 1e6
            assert (sweep.jobs, sweep.next_in) == ((), expected)
        free = [
            (job.completed_at or 0) + queue.ended[job.status].age_us <= now
            for queue in self.data.queues.values()
            for job in self.data.jobs.values()
            if job.queue_name == queue.name and job.status in ENDED and not job.holds_key(now)
        ]
        if any(free):
            assert self.backend.prune(0) == (0, 0.0)


def due_at(job: Job) -> int | None:
    """Return the instant at which promotion has something to do with the job."""
    if job.status is Status.DELAYED:
        return min(job.available_at, job.expires_at or job.available_at)
    return job.expires_at if job.status is Status.PENDING else None


def check_queue(queue: Queue, jobs: list[Job]) -> None:
    """Check the indexes and figures of one queue against its records."""
    tally = Counter(job.status for job in jobs)
    for status, ids in queue.ids.items():
        assert len(ids) == tally[status]
        assert list(ids) == sorted(job.id for job in jobs if job.status is status)
    pending = [job for job in jobs if job.status is Status.PENDING]
    assert list(queue.ages) == sorted((job.created_at, job.id) for job in pending)
    ready = deepcopy(queue.ready)
    order: list[str] = []
    while (job_id := ready.first()) is not None:
        order.append(job_id)
        (priority,) = (job.priority for job in pending if job.id == job_id)
        ready.discard(job_id, priority)
    assert order == [job.id for job in sorted(pending, key=lambda job: (-job.priority, job.id))]
    for status, ended in queue.ended.items():
        own = {(job.completed_at, job.id): job for job in jobs if job.status is status}
        free = set(ended.free)
        assert free <= set(own)
        assert all(own[place].dedupe_key == "window" for place in set(own) - free)
    assert queue.accepted == len(jobs) + queue.pruned


def test_every_index_follows_the_records() -> None:
    """After every step, whatever the clock did or broke off, indexes and records agree (I2, I13)."""
    run_state_machine_as_test(Days, settings=settings(max_examples=60, stateful_step_count=50))
