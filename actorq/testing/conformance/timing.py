"""Time (contract §3): never early, by the store's clock alone, and it says when to come again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from actorq.core.bounds import MAX_DELAY_S
from actorq.core.commands import Edit
from actorq.core.instants import to_us
from actorq.core.job import DeadReason
from actorq.core.retry import Failure
from actorq.core.transitions import Status
from actorq.testing.conformance.answers import answered, ids, lease_of, settled, token_of
from actorq.testing.conformance.bench import LONG_S
from actorq.testing.conformance.scenes import at_its_time

if TYPE_CHECKING:
    from actorq.testing.conformance.bench import Bench

ROUNDING_S = 0.001
"""How far a figure of seconds may be off its instant."""


class TestDue:
    """Delayed jobs (I9)."""

    def test_the_store_adds_the_delay(self, bench: Bench) -> None:
        """A delay is counted by the store's clock from the write, to the microsecond (§3)."""
        before = bench.now()
        job = bench.put(delay=1.5)
        assert before <= job.created_at <= bench.now()
        assert job.available_at - job.created_at == to_us(1.5)
        assert before <= bench.backend.check().now <= bench.now()

    @pytest.mark.parametrize("as_instant", [False, True])
    def test_never_early(self, bench: Bench, *, as_instant: bool) -> None:
        """Before its due time a job is neither promoted nor claimed, in however many rounds (I9)."""
        if as_instant:
            job = bench.put(available_at=bench.now() + to_us(1.0))
        else:
            job = bench.put(delay=1.0)
        assert (bench.length(), bench.stats().counts[Status.DELAYED]) == (0, 1)

        def go_round() -> bool:
            assert bench.claim(5).jobs == ()
            assert bench.reap().jobs == ()
            assert bench.get(job) == job
            return bench.promote().jobs != ()

        at_its_time(bench, job.available_at, go_round)
        bench.take(job)

    def test_only_what_is_due_is_promoted(self, bench: Bench) -> None:
        """A round moves the jobs that are due, of every queue, and leaves the rest (§3)."""
        soon = [bench.put(delay=0.2), bench.put(delay=0.3, queue_name="other")]
        later = bench.put(delay=60.0)
        bench.advance(0.4)
        sweep = bench.promote()
        assert sorted(ids(sweep.jobs)) == sorted(ids(soon))
        assert all(job == bench.get(job) and job.status is Status.PENDING for job in sweep.jobs)
        assert all(job.available_at <= job.updated_at for job in sweep.jobs)
        assert bench.get(later) == later

    def test_an_instant_of_the_past_is_due_at_once(self, bench: Bench) -> None:
        """A job whose due time has passed already is pending from the start (§2)."""
        job = bench.put(available_at=bench.now() - to_us(3_600.0))
        assert job.status is Status.PENDING
        bench.take(job)

    def test_a_far_instant_is_just_far(self, bench: Bench) -> None:
        """A delay of a century neither overflows nor stops what is due before it (faults D3)."""
        far, near = bench.put(delay=MAX_DELAY_S), bench.put(delay=0.2)
        bench.advance(0.3)
        sweep = bench.promote()
        assert ids(sweep.jobs) == [near.id]
        assert sweep.next_in is not None
        assert sweep.next_in > MAX_DELAY_S - 3_600.0
        assert bench.get(far) == far

    def test_an_edit_moves_the_due_time(self, bench: Bench) -> None:
        """An edit can hurry a delayed job and put off a pending one (§9)."""
        slow, quick = bench.put(delay=60.0), bench.put()
        hurried, put_off = bench.backend.update_job(
            [Edit(id=slow.id, delay=0.0), Edit(id=quick.id, delay=60.0)]
        )
        assert answered(hurried).status is Status.PENDING
        assert answered(put_off).status is Status.DELAYED
        assert ids(bench.claim(5).jobs) == [slow.id]

    @pytest.mark.parametrize("how", ["retry", "release"])
    def test_a_delay_after_an_attempt_is_kept_too(self, bench: Bench, how: str) -> None:
        """A retry or a postponed release is not delivered before its time, and then it is (I9)."""
        job = bench.put()
        token = token_of(bench.take(job))
        if how == "retry":
            back = settled(bench.fail(job.id, token, Failure("x", retry_in=0.5))).job
        else:
            back = settled(bench.release(job.id, token, 0.5)).job
        assert back.available_at - back.updated_at == to_us(0.5)
        assert bench.promote().jobs == ()
        assert bench.claim().jobs == ()
        bench.advance(0.6)
        assert ids(bench.promote().jobs) == [job.id]
        bench.take(job)


class TestNext:
    """``next_in``: how long a server may sleep (§3)."""

    def test_nothing_known_is_none(self, bench: Bench) -> None:
        """With nothing to come a round knows no next one (``Sweep``)."""
        bench.finish()
        bench.put()
        assert (bench.promote().next_in, bench.reap().next_in) == (None, None)
        bench.take()
        assert bench.promote().next_in is None

    def test_it_is_the_earliest_due_time(self, bench: Bench) -> None:
        """A round tells the seconds to the next due time, never more (``Sweep``)."""
        assert bench.promote().next_in is None
        bench.put(delay=60.0)
        job = bench.put(delay=2.0, queue_name="other")
        left = (job.available_at - bench.now()) / 1e6
        next_in = bench.promote().next_in
        assert next_in is not None
        assert 0.0 < next_in <= left + ROUNDING_S

    def test_a_lapse_counts_as_due(self, bench: Bench) -> None:
        """A waiting job that will lapse is something to wake up for (``Sweep``)."""
        bench.put(expires_at=bench.now() + to_us(2.0))
        next_in = bench.promote().next_in
        assert next_in is not None
        assert 0.0 < next_in <= 2.0 + ROUNDING_S

    def test_it_is_the_earliest_lease(self, bench: Bench) -> None:
        """The reaper's round tells the seconds to the end of the next lease, never more (``Sweep``)."""
        assert bench.reap().next_in is None
        bench.put_many(2)
        bench.take(visibility_timeout=60.0)
        taken = bench.take(visibility_timeout=2.0)
        left = (lease_of(taken).expires_at - bench.now()) / 1e6
        next_in = bench.reap().next_in
        assert next_in is not None
        assert 0.0 < next_in <= left + ROUNDING_S

    def test_a_round_cut_short_says_so(self, bench: Bench) -> None:
        """A round that stops at its limit answers 0, and rounds repeated do the whole (``Sweep``)."""
        jobs = bench.put_many(5, delay=0.2)
        bench.advance(0.3)
        seen: list[str] = []
        for _ in range(2):
            sweep = bench.promote(limit=2)
            assert (len(sweep.jobs), sweep.next_in) == (2, 0.0)
            seen += ids(sweep.jobs)
        last = bench.promote(limit=2)
        assert last.next_in is None
        assert sorted(seen + ids(last.jobs)) == ids(jobs)

    def test_a_reaping_cut_short_says_so(self, bench: Bench) -> None:
        """The reaper ends the oldest leases first and says when more have run out (``Sweep``)."""
        bench.put_many(3)
        order = [bench.take(visibility_timeout=seconds).id for seconds in (1.2, 1.0, 1.1)]
        bench.advance(1.3)
        first = bench.reap(limit=2)
        assert (ids(first.jobs), first.next_in) == ([order[1], order[2]], 0.0)
        last = bench.reap(limit=2)
        assert (ids(last.jobs), last.next_in) == ([order[0]], None)


class TestExpiresAt:
    """``expires_at``: do not start after (§2)."""

    def test_a_lapsed_job_is_buried_not_given_out(self, bench: Bench) -> None:
        """A claim passes over a job whose time to start is over, and gets the next (§2)."""
        late = bench.put(priority=9, expires_at=bench.now() + to_us(0.3))
        good = bench.put()
        bench.advance(0.4)
        assert ids(bench.claim(2).jobs) == [good.id]
        bench.promote()
        dead = bench.get(late)
        assert (dead.status, dead.dead_reason, dead.attempt) == (Status.DEAD, DeadReason.EXPIRED, 0)

    def test_a_job_does_not_lapse_early(self, bench: Bench) -> None:
        """Until its ``expires_at`` a waiting job is left alone by every round (§2)."""
        expires_at = bench.now() + to_us(1.0)
        bench.put_many(2, expires_at=expires_at)
        bench.put(delay=60.0, expires_at=expires_at)
        at_its_time(bench, expires_at, lambda: bench.promote().jobs)
        assert bench.stats().counts[Status.DEAD] == 3

    def test_many_lapsed_jobs_hide_nothing(self, bench: Bench) -> None:
        """However many lapsed jobs are ahead of it, a good one is found by rounds of claims (I17)."""
        bench.put_many(60, priority=9, expires_at=bench.now() + to_us(0.3))
        good = bench.put()
        bench.advance(0.4)
        found = [job for _ in range(60) for job in bench.claim().jobs]
        assert ids(found) == [good.id]

    def test_a_running_job_does_not_lapse(self, bench: Bench) -> None:
        """``expires_at`` bounds the start: who has started may finish (§2)."""
        job = bench.put(expires_at=bench.now() + to_us(0.3))
        taken = bench.take(job)
        bench.advance(0.4)
        bench.promote()
        assert bench.get(job) == taken
        assert settled(bench.ack(job.id, token_of(taken))).job.status is Status.COMPLETED

    def test_a_job_both_due_and_lapsed_never_starts(self, bench: Bench) -> None:
        """A delayed job whose ``expires_at`` came first ends dead when it would become due (§2)."""
        job = bench.put(delay=0.3, expires_at=bench.now() + to_us(0.2))
        bench.advance(0.4)
        bench.promote()
        assert bench.claim().jobs == ()
        bench.promote()
        assert bench.get(job).dead_reason is DeadReason.EXPIRED

    def test_a_lapse_frees_nothing_else(self, bench: Bench) -> None:
        """Only jobs whose time is over are buried by a round (§2)."""
        keeps = bench.put(delay=LONG_S, expires_at=bench.now() + to_us(LONG_S))
        waits = bench.put(expires_at=bench.now() + to_us(LONG_S))
        bench.advance(0.2)
        assert bench.promote().jobs == ()
        assert (bench.get(keeps), bench.get(waits)) == (keeps, waits)
