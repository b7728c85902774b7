"""Renewals, and leases that run out (contract §4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actorq.core.commands import Extend, Report
from actorq.core.instants import to_us
from actorq.core.policy import Policy
from actorq.core.transitions import Status
from actorq.errors import LeaseLost
from actorq.testing.conformance.answers import (
    answered,
    ids,
    lease_of,
    refusal,
    settled,
    token_of,
)
from actorq.testing.conformance.scenes import at_its_time

if TYPE_CHECKING:
    from collections.abc import Callable

    from actorq.testing.conformance.bench import Bench


class TestExtend:
    """More time for the same holder (§4)."""

    def test_extend_keeps_the_token(self, bench: Bench) -> None:
        """A renewal moves the end of the lease and nothing else of it (§4)."""
        taken = bench.take(bench.put(), visibility_timeout=1.0)
        before = lease_of(taken)
        (answer,) = bench.backend.extend([Extend(taken.id, before.token, 90.0)])
        longer = answered(answer)
        after = lease_of(longer)
        assert (after.token, after.worker_id) == (before.token, before.worker_id)
        assert after.claimed_at == before.claimed_at
        assert after.expires_at - longer.updated_at == to_us(90.0)
        assert (longer.status, longer.attempt) == (Status.RUNNING, taken.attempt)
        assert bench.get(taken) == longer

    def test_an_extended_lease_does_not_run_out(self, bench: Bench) -> None:
        """The reaper goes by the renewed end; by itself a renewal asks as long as before (§4)."""
        taken = bench.take(bench.put(), visibility_timeout=1.0)
        for _ in range(3):
            bench.advance(0.7)
            (answer,) = bench.backend.extend([Extend(taken.id, token_of(taken))])
            assert lease_of(answered(answer)).visibility_timeout == 1.0
            assert bench.reap().jobs == ()
        bench.advance(1.1)
        assert ids(bench.reap().jobs) == [taken.id]
        refusal(bench.backend.extend([Extend(taken.id, token_of(taken))])[0], LeaseLost)

    def test_extensions_have_a_cap(self, make_bench: Callable[[Policy], Bench]) -> None:
        """No renewal makes a lease end later than the cap after its claim (§4)."""
        bench = make_bench(Policy(max_extension=3.0))
        taken = bench.take(bench.put(), visibility_timeout=1.0)
        for asked in (2.0, 60.0, 60.0):
            (answer,) = bench.backend.extend([Extend(taken.id, token_of(taken), asked)])
            lease = lease_of(answered(answer))
            assert lease.expires_at - lease.claimed_at <= to_us(3.0)
        assert lease.expires_at - lease.claimed_at == to_us(3.0)
        bench.advance(3.1)
        assert ids(bench.reap().jobs) == [taken.id]

    def test_progress_is_kept(self, bench: Bench) -> None:
        """Progress is recorded while the job runs, and renews nothing (§1)."""
        taken = bench.take(bench.put())
        for text in ("1", "[2]"):
            (answer,) = bench.backend.report([Report(taken.id, token_of(taken), text)])
            assert answered(answer).lease == taken.lease
        assert bench.get(taken).progress == "[2]"
        assert settled(bench.ack(taken.id)).job.progress == "[2]"

    def test_an_extend_shows_the_wish_to_cancel(self, bench: Bench) -> None:
        """The holder learns by its renewal that somebody asked it to stop (§4)."""
        taken = bench.take(bench.put())
        bench.cancel(taken)
        assert answered(
            bench.backend.extend([Extend(taken.id, token_of(taken))])[0]
        ).cancel_requested


class TestExpiry:
    """Leases that run out (§2)."""

    def test_a_lease_holds_until_its_end(self, bench: Bench) -> None:
        """Before its end a lease is nobody else's, however often the reaper comes (I5)."""
        taken = bench.take(bench.put(), visibility_timeout=1.0)

        def go_round() -> bool:
            assert bench.claim().jobs == ()
            assert bench.promote().jobs == ()
            assert bench.get(taken) == taken
            return bench.reap().jobs != ()

        at_its_time(bench, lease_of(taken).expires_at, go_round)

    def test_an_expiry_gives_the_job_back_at_once(self, bench: Bench) -> None:
        """A job whose lease ran out is pending again, counted as an expiry, not as a failure (I8)."""
        job = bench.put()
        taken = bench.take(job, visibility_timeout=1.0)
        bench.advance(1.1)
        (back,) = bench.reap().jobs
        assert (back.status, back.lease, back.expiries, back.retry_count) == ("pending", None, 1, 0)
        assert [error.kind for error in back.errors] == ["lease_expired"]
        assert back.available_at == job.available_at
        assert bench.get(job) == back
        again = bench.take(job)
        assert lease_of(again).claimed_at >= lease_of(taken).expires_at

    def test_a_late_word_before_the_reaper_counts(self, bench: Bench) -> None:
        """A lease that ran out but was not taken away yet is still its holder's to settle (§4)."""
        taken = bench.take(bench.put(), visibility_timeout=1.0)
        bench.advance(1.1)
        assert settled(bench.ack(taken.id, token_of(taken))).job.status is Status.COMPLETED
        assert bench.reap().jobs == ()

    def test_a_round_rechecks_every_lease(self, bench: Bench) -> None:
        """A round ends what has run out, of every queue, and no lease that was renewed (§4)."""
        names = ["a", "b", "c"]
        for name in names:
            bench.put(queue_name=name)
        taken = {name: bench.take(queue=name, visibility_timeout=1.0) for name in names}
        bench.backend.extend([Extend(taken["b"].id, token_of(taken["b"]), 60.0)])
        bench.advance(1.1)
        assert sorted(job.queue_name for job in bench.reap().jobs) == ["a", "c"]
        assert bench.get(taken["b"]).status is Status.RUNNING
        assert bench.reap().jobs == ()
