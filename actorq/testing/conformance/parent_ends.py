"""Workflows (contract §2): what becomes of a job when those end that it waits for, in the same step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from actorq.core.commands import Ack
from actorq.core.instants import to_us
from actorq.core.results import Settled
from actorq.core.retry import Failure
from actorq.core.transitions import LIVE, Status
from actorq.core.workflow import OnParentFailure
from actorq.testing.conformance.answers import created, ids, settled, token_of
from actorq.testing.conformance.bench import LONG_S
from actorq.testing.conformance.families import LATER, REJECT, after, known, put_after

if TYPE_CHECKING:
    from actorq.core.job import Job, NewJob
    from actorq.testing.conformance.bench import Bench, Wish


class TestParentEnds:
    """What becomes of a job when those end that it waits for."""

    def test_the_last_one_lets_it_go(self, bench: Bench) -> None:
        """The ack of the last parent makes it ready in the same step, and a repeat counts once (§4)."""
        first, last = bench.put_many(2)
        child = put_after(bench, [first, last])
        held = bench.take(first)
        for is_repeat in (False, True):
            answer = bench.ack(held.id, token_of(held))
            assert isinstance(answer, Settled)
            assert answer.repeated == is_repeat
            assert known(bench.get(child)).waiting_for == (last.id,)
        settled(bench.ack(bench.take(last).id))
        freed = bench.get(child)
        assert (freed.status, known(freed).waiting_for) == (Status.PENDING, ())
        assert freed.available_at == freed.updated_at
        assert freed.version == child.version + 2
        assert bench.take(queue=LATER).id == child.id

    def test_all_in_one_batch(self, bench: Bench) -> None:
        """Acks of one batch are each taken off the set; the last of them lets the job go (rule 1)."""
        parents = bench.put_many(20)
        child = put_after(bench, parents)
        taken = bench.claim(20).jobs
        for answer in bench.backend.ack([Ack(job.id, token_of(job)) for job in taken]):
            settled(answer)
        assert bench.get(child).status is Status.PENDING
        assert bench.length(LATER) == 1

    def test_it_is_due_when_it_asked_to_be(self, bench: Bench) -> None:
        """A job with a delay waits for the later of its parents' ends and its due time (I9)."""
        parent = bench.put()
        slow = put_after(bench, [parent], delay=LONG_S)
        quick = put_after(bench, [parent], delay=0.2)
        bench.advance(0.3)
        assert bench.promote().jobs == ()
        settled(bench.ack(bench.take(parent).id))
        assert bench.get(slow).status is Status.DELAYED
        assert bench.get(slow).available_at >= slow.created_at + to_us(LONG_S)
        assert bench.get(quick).status is Status.PENDING
        assert ids(bench.claim(2, queue=LATER).jobs) == [quick.id]

    @pytest.mark.parametrize("policy", OnParentFailure)
    @pytest.mark.parametrize(
        "end", ["fail", "expiry", "release", "lapse", "late claim", "cancel", "abort", "purge"]
    )
    def test_an_end_without_success(self, bench: Bench, end: str, policy: OnParentFailure) -> None:
        """Whichever verb ends a parent otherwise, its child is cancelled, or runs if it may (§2)."""
        wish: Wish = {"max_retries": 0}
        if end in {"lapse", "late claim"}:
            wish["expires_at"] = bench.now() + to_us(0.4)
        if end == "lapse":
            wish["delay"] = LONG_S
        parent = bench.put(**wish)
        child = put_after(bench, [parent], policy)
        end_badly(bench, parent, end)
        told = bench.get(child)
        if policy is OnParentFailure.RUN:
            assert told.status is Status.PENDING
            assert bench.take(queue=LATER).id == child.id
        else:
            assert told.status is Status.CANCELLED
            assert told.completed_at == told.updated_at
            assert known(told).waiting_for == (parent.id,)
            assert bench.stats(LATER).counts[Status.CANCELLED] == 1

    def test_a_retry_is_no_end(self, bench: Bench) -> None:
        """A failure with a retry left, a lost lease and a hand-back leave the child waiting (§2)."""
        parent = bench.put()
        child = put_after(bench, [parent])
        bench.take(parent, visibility_timeout=1.0)
        bench.advance(1.1)
        bench.reap()
        settled(bench.release(bench.take(parent).id))
        settled(bench.fail(bench.take(parent).id, None, Failure(retry_in=0.0)))
        assert bench.get(child) == child

    def test_a_failure_goes_down_the_line(self, bench: Bench) -> None:
        """Those that depend on a cancelled job are cancelled with it, however long the line is (§2)."""
        line: list[NewJob] = [bench.new()]
        for _ in range(60):
            line.append(after(bench, [line[-1]]))
        kept = after(bench, [line[30]], OnParentFailure.RUN)
        for answer in bench.backend.enqueue([*line, kept]):
            created(answer)
        settled(bench.fail(bench.take().id, None, REJECT))
        assert bench.stats(LATER).counts[Status.CANCELLED] == 60
        assert bench.take(queue=LATER).id == kept.id

    def test_a_cancelled_child_frees_its_key(self, bench: Bench) -> None:
        """The dedupe key of a job that is cancelled with its parent is free in the same step (§6)."""
        parent = bench.put()
        put_after(bench, [parent], dedupe_key="k")
        bench.cancel(parent)
        assert bench.put(queue_name=LATER, dedupe_key="k").status is Status.PENDING

    def test_a_child_that_is_gone(self, bench: Bench) -> None:
        """A parent whose children were purged ends as any other (rule 1)."""
        parent = bench.put()
        put_after(bench, [parent])
        assert bench.backend.purge(LATER, frozenset({Status.DELAYED}), 10) == 1
        assert settled(bench.ack(bench.take(parent).id)).job.status is Status.COMPLETED

    def test_a_redriven_parent(self, bench: Bench) -> None:
        """A second life of a parent brings nothing back that its first end decided (I3)."""
        parent = bench.put()
        cancelled = put_after(bench, [parent])
        freed = put_after(bench, [parent], OnParentFailure.RUN)
        settled(bench.fail(bench.take(parent).id, None, REJECT))
        told = bench.get(cancelled), bench.get(freed)
        bench.redrive(parent)
        settled(bench.ack(bench.take(parent).id))
        assert (bench.get(cancelled), bench.get(freed)) == told

    def test_who_was_changed_is_told_once(self, bench: Bench) -> None:
        """A verb tells once of the jobs that it changed beyond those that it answered (rule 8)."""
        parent = bench.put()
        child = put_after(bench, [parent])
        bench.backend.stirred()
        settled(bench.ack(bench.take(parent).id))
        assert [(job.id, job.status) for job in bench.backend.stirred()] == [
            (child.id, Status.PENDING)
        ]
        assert tuple(bench.backend.stirred()) == ()

    def test_figures(self, bench: Bench) -> None:
        """A job that waits is in its queue's figures as what it is, at every step (I13)."""
        parent = bench.put()
        put_after(bench, [parent])
        put_after(bench, [parent], OnParentFailure.RUN)
        assert bench.stats(LATER).counts[Status.DELAYED] == 2
        bench.cancel(parent)
        counts = bench.stats(LATER).counts
        assert (counts[Status.PENDING], counts[Status.CANCELLED]) == (1, 1)
        assert sum(counts[status] for status in LIVE) == 1
        assert bench.stats(LATER).accepted == 2


def end_badly(bench: Bench, parent: Job, how: str) -> None:
    """Let a job that has no retries end in one of the ways that are no success."""
    match how:
        case "lapse":
            bench.advance(0.5)
            bench.promote()
        case "late claim":
            bench.advance(0.5)
            assert bench.claim().jobs == ()
            # A claim may bury what it passes over, or leave it to the next round of promotion.
            bench.promote()
        case "cancel":
            bench.cancel(parent)
        case "purge":
            assert bench.backend.purge(parent.queue_name, frozenset({Status.PENDING}), 10) == 1
            return
        case _:
            _end_running(bench, parent, how)
    assert bench.get(parent).status in {Status.DEAD, Status.CANCELLED}


def _end_running(bench: Bench, parent: Job, how: str) -> None:
    """Let a job end dead or cancelled that somebody works on, as soon as its budgets allow."""
    bench.take(parent, visibility_timeout=1.0)
    match how:
        case "expiry":
            for _ in range(bench.policy.max_expiries):
                bench.advance(1.1)
                bench.reap()
                bench.take(parent, visibility_timeout=1.0)
            bench.advance(1.1)
            bench.reap()
        case "release":
            for _ in range(bench.policy.max_interruptions):
                settled(bench.release(parent.id))
                bench.take(parent)
            settled(bench.release(parent.id))
        case "abort":
            bench.cancel(parent)
            settled(bench.fail(parent.id))
        case _:
            settled(bench.fail(parent.id))
