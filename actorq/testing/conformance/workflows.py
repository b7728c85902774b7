"""Workflows (contract §2): what a job is while it waits for the ends of others."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from actorq.core import keys
from actorq.core.commands import Edit
from actorq.core.instants import LATEST_US, to_us
from actorq.core.queue import QueueEdit
from actorq.core.results import Enqueued, Outcome
from actorq.core.transitions import ENDED, Status
from actorq.core.workflow import MAX_DEPENDENTS, OnParentFailure
from actorq.errors import InvalidInput, QueueFull
from actorq.testing.conformance.answers import created, ids, refusal, settled
from actorq.testing.conformance.bench import LONG_S, Bench
from actorq.testing.conformance.families import LATER, NOBODY, after, known, put_after
from actorq.testing.conformance.scenes import bring


class TestWaiting:
    """What a job is while others have not ended."""

    def test_it_is_delayed_without_a_due_time(self, bench: Bench) -> None:
        """It is delayed, waits for the set of its parents, and is never due, nor counted as ready (§2)."""
        parents = bench.put_many(2)
        child = put_after(bench, parents)
        assert (child.status, child.available_at, child.version) == (Status.DELAYED, LATEST_US, 1)
        assert set(known(child).waiting_for) == set(known(child).depends_on) == set(ids(parents))
        bench.advance(1.1)
        assert bench.promote().jobs == bench.claim(queue=LATER).jobs == ()
        assert bench.length(LATER) == 0
        assert bench.get(child) == child
        for parent in parents:
            assert known(bench.get(parent)).dependents == (child.id,)
            assert bench.get(parent).version == parent.version + 1

    def test_parents_of_the_same_batch(self, bench: Bench) -> None:
        """A batch may hold a chain: each item sees those before it (rule 1)."""
        first = bench.new()
        second = after(bench, [first])
        third = after(bench, [second])
        for answer in bench.backend.enqueue([first, second, third]):
            created(answer)
        settled(bench.ack(bench.take().id))
        settled(bench.ack(bench.take(queue=LATER).id))
        assert bench.take(queue=LATER).id == third.id

    @pytest.mark.parametrize("place", [0, 1])
    def test_a_parent_that_is_not_there(self, bench: Bench, place: int) -> None:
        """A job that depends on an unknown one is refused, and nobody knows of it (§1)."""
        parent = bench.put()
        new = after(bench, [parent])
        named = [parent.id, parent.id]
        named[place] = NOBODY
        error = refusal(bench.refused(replace(new, depends_on=tuple(named))), InvalidInput)
        assert error.pointer == f"/depends_on/{place}"
        assert NOBODY in error.message
        assert bench.find(new.id) is None
        assert bench.get(parent) == parent

    def test_too_many_dependents(self, bench: Bench) -> None:
        """No more jobs may depend on one than its record can bear; the next is refused (I18)."""
        parent = bench.put()
        children = [after(bench, [parent]) for _ in range(MAX_DEPENDENTS)]
        for answer in bench.backend.enqueue(children):
            created(answer)
        refusal(bench.refused(after(bench, [parent])), InvalidInput)
        settled(bench.ack(bench.take(parent).id))
        assert bench.length(LATER) == MAX_DEPENDENTS

    def test_a_repeat_changes_nothing(self, bench: Bench) -> None:
        """The same enqueue again is answered by its job, and its parents are not told twice (§6)."""
        parent = bench.put()
        new = after(bench, [parent])
        first = bench.enqueue(new)
        noted = bench.get(parent)
        assert bench.enqueue(new) == first
        assert bench.get(parent) == noted

    def test_a_replay_needs_no_parents(self, bench: Bench) -> None:
        """A request with a known idempotency key is replayed though its parents are gone by now (§6)."""
        parent = bench.put()
        new = after(bench, [parent])
        known_by = replace(new, idempotency=keys.idempotency(new, "", "k"))
        bench.enqueue(known_by)
        settled(bench.ack(bench.take(parent).id))
        bench.backend.delete([parent.id])
        again = replace(known_by, id=bench.mint.mint())
        answer = bench.enqueue(again)
        assert (answer.job.id, answer.replayed) == (new.id, True)

    def test_a_full_queue_is_full(self, bench: Bench) -> None:
        """A job that waits takes room, and is refused where there is none; nobody waits for it (§8)."""
        bench.set(QueueEdit(queue_name=LATER, max_depth=1))
        parent = bench.put()
        put_after(bench, [parent])
        noted = bench.get(parent)
        refusal(bench.refused(after(bench, [parent])), QueueFull)
        assert bench.get(parent) == noted

    def test_what_stands_for_a_parent(self, bench: Bench) -> None:
        """A member whose dedupe key another job holds is that job, for those who depend on it (§6)."""
        holder = bench.put(dedupe_key="k")
        member = bench.new(dedupe_key="k")
        child = after(bench, [member, holder])
        first, second = bench.backend.enqueue([member, child])
        assert isinstance(first, Enqueued)
        assert first.outcome is Outcome.DUPLICATE
        assert known(created(second)).waiting_for == (holder.id,)

    def test_an_edit_while_it_waits(self, bench: Bench) -> None:
        """An edited job goes on waiting, and is due when the edit says at the earliest (§9)."""
        parent = bench.put()
        child = put_after(bench, [parent])
        (edited,) = bench.backend.update_job([Edit(id=child.id, priority=7, delay=LONG_S)])
        assert bench.get(child) == edited
        settled(bench.ack(bench.take(parent).id))
        freed = bench.get(child)
        assert (freed.status, freed.priority) == (Status.DELAYED, 7)
        assert LATEST_US > freed.available_at >= child.created_at + to_us(LONG_S)

    def test_it_may_lapse(self, bench: Bench) -> None:
        """A job that waits past its ``expires_at`` ends, and a redrive makes it wait no more (§2)."""
        parent = bench.put()
        child = put_after(bench, [parent], expires_at=bench.now() + to_us(0.5))
        bench.advance(0.6)
        assert ids(bench.promote().jobs) == [child.id]
        assert bench.get(child).status is Status.DEAD
        settled(bench.ack(bench.take(parent).id))
        assert bench.get(child).status is Status.DEAD
        assert known(bench.redrive(child)).waiting_for == ()
        assert bench.take(queue=LATER).id == child.id

    def test_it_may_be_cancelled(self, bench: Bench) -> None:
        """A waiting job can be cancelled; what its parents come to does not concern it then (I3)."""
        parent = bench.put()
        child = put_after(bench, [parent])
        ended = bench.cancel(child)
        settled(bench.ack(bench.take(parent).id))
        assert bench.get(child) == ended

    @pytest.mark.parametrize("policy", OnParentFailure)
    @pytest.mark.parametrize("status", sorted(ENDED))
    def test_parents_that_have_ended(
        self, bench: Bench, status: Status, policy: OnParentFailure
    ) -> None:
        """A job whose parents have all ended starts its life as their ends decide (§2)."""
        parent = bring(bench, status)
        child = put_after(bench, [parent], policy)
        runs = status is Status.COMPLETED or policy is OnParentFailure.RUN
        assert child.status is (Status.PENDING if runs else Status.CANCELLED)
        assert known(child).waiting_for == (() if runs else (parent.id,))
        assert child.version == 1
        assert bench.get(parent) == parent
        assert bench.length(LATER) == (1 if runs else 0)
