"""The states (contract §2): every verb in every status does what the one table says, or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from actorq.core.commands import Edit
from actorq.core.job import DeadReason, Delivery, ErrorKind
from actorq.core.policy import Policy
from actorq.core.retry import Failure
from actorq.core.transitions import ENDED, TRANSITIONS, WAITING, Event, Status
from actorq.errors import ActorqError, AlreadyStarted, IllegalTransition, NotLeased
from actorq.testing.conformance.answers import answered, ids, refusal, settled, token_of
from actorq.testing.conformance.bench import LONG_S
from actorq.testing.conformance.scenes import ACTS, DELAY_S, Act, bring, lapsing, sweep

if TYPE_CHECKING:
    from collections.abc import Callable

    from actorq.testing.conformance.bench import Bench, Wish

SETTLING = frozenset({"ack", "retry", "reject", "release", "postpone", "extend", "report", "abort"})
"""The acts of a holder: without a lease they are refused as such."""

BY_ITSELF = frozenset({"promote", "expire", "claim"})
"""The acts which name no job: where they do not apply nothing happens, and nothing is refused."""


class TestTransitions:
    """The matrix of contract §2, pair by pair."""

    @pytest.mark.parametrize("status", Status)
    @pytest.mark.parametrize("act", ACTS, ids=lambda act: act.name)
    def test_the_table_decides(self, bench: Bench, act: Act, status: Status) -> None:
        """An act leads where the table says; every other pair is refused and changes nothing (I3)."""
        before = bring(bench, status)
        expected = act.outcome(status)
        answer = act.perform(bench, before)
        after = bench.get(before)
        if expected is not None:
            assert not isinstance(answer, ActorqError)
            assert after.status is expected
            assert after.version > before.version
            return
        assert after == before
        if act.name in SETTLING:
            assert refusal(answer, NotLeased).status == status
        elif act.name == "cancel" and status is Status.CANCELLED:
            assert answer == before
        elif act.name not in BY_ITSELF:
            assert refusal(answer, IllegalTransition).status == status

    @pytest.mark.parametrize("status", Status)
    def test_a_lapse_ends_what_waits(self, bench: Bench, status: Status) -> None:
        """Past its ``expires_at`` a waiting job ends dead, reason ``expired``; others stay (§2)."""
        wish: Wish = {"expires_at": lapsing(bench)}
        if status is Status.DELAYED:
            wish["delay"] = LONG_S
        before = bring(bench, status, **wish)
        bench.advance(DELAY_S + 0.1)
        bench.promote()
        after = bench.get(before)
        assert (status, Event.LAPSE) in TRANSITIONS or after == before
        if status in WAITING:
            assert (after.status, after.dead_reason) == (Status.DEAD, DeadReason.EXPIRED)
            assert [error.kind for error in after.errors] == [ErrorKind.EXPIRED]
            assert after.attempt == 0

    @pytest.mark.parametrize("status", Status)
    def test_delete_is_for_what_has_ended(self, bench: Bench, status: Status) -> None:
        """Only an ended job can be deleted, and then it is gone and counted (§9, I13)."""
        before = bring(bench, status)
        (answer,) = bench.backend.delete([before.id])
        if status in ENDED:
            assert answered(answer).id == before.id
            assert bench.find(before.id) is None
            assert (bench.stats().pruned, bench.stats().accepted) == (1, 1)
        else:
            assert refusal(answer, IllegalTransition).status == status
            assert bench.get(before) == before

    def test_the_matrix_is_whole(self) -> None:
        """No event of the table is left out of this matrix (§2)."""
        assert {event for act in ACTS for event in act.events} | {Event.LAPSE} == set(Event)

    @pytest.mark.parametrize("status", sorted(ENDED - {Status.DEAD}))
    def test_final_is_final(self, bench: Bench, status: Status) -> None:
        """Neither time nor a claim brings a completed or cancelled job back (I3)."""
        before = bring(bench, status)
        bench.advance(1.1)
        sweep(bench)
        assert bench.claim(5).jobs == ()
        assert bench.get(before) == before


class TestCancel:
    """Cancelling asks a holder, and ends what has none (§2)."""

    def test_a_running_job_is_asked(self, bench: Bench) -> None:
        """A cancel leaves a running job to its holder, who may still complete it (§2)."""
        taken = bench.take(bench.put())
        asked = bench.cancel(taken)
        assert (asked.status, asked.cancel_requested) == (Status.RUNNING, True)
        assert asked.lease == taken.lease
        assert bench.cancel(taken) == asked
        assert settled(bench.ack(taken.id, token_of(taken))).job.status is Status.COMPLETED

    @pytest.mark.parametrize("how", ["fail", "release", "expiry"])
    def test_an_asked_job_ends_cancelled(self, bench: Bench, how: str) -> None:
        """A job whose cancel was asked for is not given out again (§2)."""
        taken = bench.take(bench.put(), visibility_timeout=1.0)
        bench.cancel(taken)
        if how == "expiry":
            bench.advance(1.1)
            assert ids(bench.reap().jobs) == [taken.id]
        elif how == "fail":
            settled(bench.fail(taken.id, token_of(taken)))
        else:
            settled(bench.release(taken.id, token_of(taken)))
        ended = bench.get(taken)
        assert (ended.status, ended.lease) == (Status.CANCELLED, None)
        assert ended.retry_count == 0
        assert bench.claim().jobs == ()

    def test_a_cancelled_job_is_never_delivered(self, bench: Bench) -> None:
        """A waiting job that was cancelled ends at once, due or not (§2)."""
        pending, delayed = bench.put(), bench.put(delay=DELAY_S)
        assert [answered(job).status for job in bench.backend.cancel([pending.id, delayed.id])] == [
            Status.CANCELLED
        ] * 2
        bench.advance(DELAY_S + 0.1)
        sweep(bench)
        assert bench.claim(2).jobs == ()


class TestAtMostOnce:
    """Started at most once over all time (I4)."""

    @pytest.mark.parametrize("how", ["fail", "retry_in", "expiry"])
    def test_no_second_start(self, bench: Bench, how: str) -> None:
        """Whatever ends the one attempt ends the job, and no redrive brings it back (I4)."""
        job = bench.put(delivery=Delivery.AT_MOST_ONCE, max_retries=10)
        taken = bench.take(job, visibility_timeout=1.0)
        if how == "expiry":
            bench.advance(1.1)
            bench.reap()
        else:
            failure = Failure("x", retry_in=0.0 if how == "retry_in" else None)
            settled(bench.fail(job.id, token_of(taken), failure))
        dead = bench.get(job)
        assert dead.status is Status.DEAD
        refusal(bench.backend.redrive([job.id])[0], AlreadyStarted)
        sweep(bench)
        assert bench.claim().jobs == ()
        assert bench.get(job) == dead

    def test_a_release_says_that_it_did_not_start(self, bench: Bench) -> None:
        """A released at-most-once job goes out again, for its handler never began (§2)."""
        job = bench.put(delivery=Delivery.AT_MOST_ONCE)
        bench.release(job.id, token_of(bench.take(job)))
        assert bench.take(job).attempt == 2

    def test_one_that_never_started_can_be_redriven(self, bench: Bench) -> None:
        """A dead at-most-once job that was never claimed may be redriven (§2)."""
        job = bench.put(delivery=Delivery.AT_MOST_ONCE, expires_at=lapsing(bench))
        bench.advance(DELAY_S + 0.1)
        bench.promote()
        assert bench.get(job).status is Status.DEAD
        assert bench.redrive(job).status is Status.PENDING
        assert bench.take(job).attempt == 1


class TestEdit:
    """Changing a waiting job (§9)."""

    def test_only_what_is_said_changes(self, bench: Bench) -> None:
        """An edit changes the fields that it names and no other (§9)."""
        job = bench.put(payload="a", priority=1, metadata={"x": "y"}, task="t")
        edit = Edit(id=job.id, priority=9, metadata={"n": "1"}, version=job.version)
        changed = answered(bench.backend.update_job([edit])[0])
        assert (changed.priority, changed.metadata) == (9, {"n": "1"})
        assert (changed.payload, changed.task, changed.max_retries) == ("a", "t", 3)
        assert (changed.available_at, changed.status) == (job.available_at, Status.PENDING)
        assert bench.get(job) == changed

    def test_of_two_edits_of_one_version_one_wins(self, bench: Bench) -> None:
        """The version makes an edit conditional, also within one batch (§9, ``If-Match``)."""
        job = bench.put()
        edits = [Edit(id=job.id, priority=n, version=job.version) for n in (1, 2)]
        first, second = bench.backend.update_job(edits)
        assert answered(first).priority == 1
        assert getattr(second, "code", None) == "stale_version"
        assert bench.get(job).priority == 1


class TestDeadLetters:
    """In the dead letter queue iff ``dead`` (I14)."""

    def test_redrive_starts_afresh(self, make_bench: Callable[[Policy], Bench]) -> None:
        """A redrive resets the budgets, keeps the history and lets ``attempt`` go on rising (§2, I7)."""
        bench = make_bench(Policy(max_expiries=1))
        job = bench.put(max_retries=0)
        bench.release(job.id, token_of(bench.take(job)))
        bench.take(job, visibility_timeout=1.0)
        bench.advance(1.1)
        bench.reap()
        bench.take(job)
        dead = settled(bench.fail(job.id, None, Failure("last"))).job
        assert (dead.status, dead.attempt, dead.expiries, dead.interruptions) == ("dead", 3, 1, 1)
        back = bench.redrive(job)
        assert (back.status, back.dead_reason, back.completed_at) == (Status.PENDING, None, None)
        assert (back.retry_count, back.expiries, back.interruptions) == (0, 0, 0)
        assert (back.attempt, back.errors, back.created_at) == (3, dead.errors, dead.created_at)
        assert bench.take(job).attempt == 4

    def test_redrive_takes_a_passed_expiry_away(self, bench: Bench) -> None:
        """A job that died of its ``expires_at`` can be given another life (§2)."""
        job = bench.put(expires_at=lapsing(bench))
        bench.advance(DELAY_S + 0.1)
        assert bench.claim().jobs == ()
        bench.promote()
        assert bench.get(job).dead_reason is DeadReason.EXPIRED
        assert bench.redrive(job).expires_at is None
        bench.take(job)

    def test_redriving_many_answers_each(self, bench: Bench) -> None:
        """In bulk each job is redriven or refused by itself (§2)."""
        dead, done = bench.bury(), bench.finish()
        answers = bench.backend.redrive([done.id, dead.id, bench.mint.mint(), dead.id])
        kinds = [type(answer).__name__ for answer in answers]
        assert kinds == ["IllegalTransition", "Job", "NotFound", "IllegalTransition"]
        assert bench.length() == 1
