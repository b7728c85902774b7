"""Retries and backoff (contract §2, §5): what core decides is what is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from actorq.core.instants import to_us
from actorq.core.job import Backoff, DeadReason, ErrorKind
from actorq.core.policy import Policy
from actorq.core.retry import Failure, backoff_delay
from actorq.core.transitions import Status
from actorq.testing.conformance.answers import ids, settled, token_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from actorq.core.job import Job
    from actorq.testing.conformance.bench import Bench

QUICK = Backoff(base=0.01, factor=3.0, max=0.1)


def fail_once(bench: Bench, job: Job) -> Job:
    """Claim the job and fail it, and let its backoff pass."""
    taken = bench.take(job)
    failed = settled(bench.fail(job.id, token_of(taken))).job
    if failed.status is Status.DELAYED:
        bench.advance((failed.available_at - failed.updated_at) / 1e6 + 0.01)
        assert ids(bench.promote().jobs) == [job.id]
    return failed


class TestRetries:
    """Failures (§2, §5)."""

    def test_every_delay_is_cores(self, bench: Bench) -> None:
        """The delay before each retry is the pure function of backoff, job and attempt (§5)."""
        job = bench.put(max_retries=6, backoff=QUICK)
        for retry in range(1, 7):
            failed = fail_once(bench, job)
            wait = backoff_delay(QUICK, retry, job.id, retry)
            assert (failed.status, failed.retry_count) == (Status.DELAYED, retry)
            assert failed.available_at - failed.updated_at == to_us(wait)
            assert 0.0 <= wait <= QUICK.max
            assert failed.lease is None
            assert failed.completed_at is None

    @pytest.mark.parametrize("max_retries", [0, 1, 3])
    def test_the_last_failure_buries(self, bench: Bench, max_retries: int) -> None:
        """After ``max_retries`` retries the next failure is the last: ``retries_exhausted`` (§2)."""
        job = bench.put(max_retries=max_retries, backoff=QUICK)
        ends = [fail_once(bench, job) for _ in range(max_retries + 1)]
        assert [end.status for end in ends] == [Status.DELAYED] * max_retries + [Status.DEAD]
        dead = bench.get(job)
        assert dead == ends[-1]
        assert (dead.dead_reason, dead.retry_count) == (DeadReason.RETRIES_EXHAUSTED, max_retries)
        assert (dead.attempt, len(dead.errors)) == (max_retries + 1, max_retries + 1)
        assert bench.claim().jobs == ()

    def test_a_failure_may_refuse_a_retry(self, bench: Bench) -> None:
        """A failure that is not retryable buries the job at once: ``rejected`` (§2)."""
        job = bench.put(max_retries=5)
        bench.take(job)
        dead = settled(bench.fail(job.id, None, Failure("never", retryable=False))).job
        assert (dead.status, dead.dead_reason) == (Status.DEAD, DeadReason.REJECTED)
        assert dead.retry_count == 0

    def test_a_failure_may_name_the_delay(self, bench: Bench) -> None:
        """``retry_in`` stands in for the backoff, and spends a retry as well (§2)."""
        job = bench.put(max_retries=1)
        bench.take(job)
        back = settled(bench.fail(job.id, None, Failure("later", retry_in=7.25))).job
        assert back.available_at - back.updated_at == to_us(7.25)
        assert back.retry_count == 1

    def test_a_thousand_retries_do_not_overflow(self, bench: Bench) -> None:
        """No number of retries and no factor takes a delay out of its bounds (§5, faults D7)."""
        job = bench.put(max_retries=1_000, backoff=Backoff(1e-9, 1_000.0, 0.05))
        for _ in range(40):
            failed = fail_once(bench, job)
            assert 0 <= failed.available_at - failed.updated_at <= to_us(0.05)
        assert bench.get(job).retry_count == 40

    def test_an_ack_after_failures_completes(self, bench: Bench) -> None:
        """A job that failed before and then succeeds is completed, with its history (§2)."""
        job = bench.put(backoff=QUICK)
        fail_once(bench, job)
        bench.take(job)
        done = settled(bench.ack(job.id, None, '"ok"')).job
        assert (done.status, done.result, done.retry_count) == (Status.COMPLETED, '"ok"', 1)
        assert (done.dead_reason, done.completed_at) == (None, done.updated_at)
        assert len(done.errors) == 1


class TestLostLeases:
    """Expiries have a budget of their own (§2)."""

    def test_a_poison_pill_ends(self, make_bench: Callable[[Policy], Bench]) -> None:
        """Past ``max_expiries`` a job that kills its workers is buried: ``lease_expired`` (§2)."""
        bench = make_bench(Policy(max_expiries=2))
        job = bench.put(max_retries=0)
        for expiries in (1, 2, 3):
            bench.take(job, visibility_timeout=1.0)
            bench.advance(1.1)
            (back,) = bench.reap().jobs
            assert back.expiries == expiries
            assert back.status is (Status.PENDING if expiries < 3 else Status.DEAD)
        assert (back.dead_reason, back.retry_count) == (DeadReason.LEASE_EXPIRED, 0)
        assert [error.kind for error in back.errors] == [ErrorKind.LEASE_EXPIRED] * 3
        assert bench.get(job) == back
        assert bench.claim().jobs == ()

    def test_an_expiry_spends_no_retry(self, bench: Bench) -> None:
        """A lost lease is not the handler's failure: all retries are left (I8)."""
        job = bench.put(max_retries=1, backoff=QUICK)
        bench.take(job, visibility_timeout=1.0)
        bench.advance(1.1)
        bench.reap()
        assert fail_once(bench, job).status is Status.DELAYED
        assert bench.get(job).retry_count == 1


class TestHandBacks:
    """Releases (§2)."""

    def test_a_release_spends_nothing(self, bench: Bench) -> None:
        """A job handed back is pending again, at its old place, without a failure or an error (I8)."""
        job = bench.put(max_retries=0)
        bench.put()
        bench.take(job)
        back = settled(bench.release(job.id)).job
        assert (back.status, back.lease, back.interruptions) == (Status.PENDING, None, 1)
        assert (back.retry_count, back.expiries, back.errors) == (0, 0, ())
        bench.take(job)

    def test_too_many_hand_backs_are_a_failure(self, make_bench: Callable[[Policy], Bench]) -> None:
        """Past ``max_interruptions`` a release spends a retry, and without one it buries (§2)."""
        bench = make_bench(Policy(max_interruptions=1))
        job = bench.put(max_retries=1, backoff=QUICK)
        seen: list[tuple[Status, int]] = []
        for _ in range(3):
            bench.take(job)
            back = settled(bench.release(job.id)).job
            seen.append((back.status, back.retry_count))
            bench.advance(0.2)
            bench.promote()
        assert seen == [(Status.PENDING, 0), (Status.DELAYED, 1), (Status.DEAD, 1)]
        dead = bench.get(job)
        assert dead.dead_reason is DeadReason.RETRIES_EXHAUSTED
        assert [error.kind for error in dead.errors] == [ErrorKind.INTERRUPTED] * 2
