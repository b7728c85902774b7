"""Workflows with many at once: no end of a parent is missed, and none counts twice (contract §2, I1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from actorq.core.commands import Ack
from actorq.core.results import Enqueued, Settled
from actorq.core.transitions import Status
from actorq.core.workflow import OnParentFailure
from actorq.testing.conformance.answers import created, token_of
from actorq.testing.conformance.families import LATER, after, known, put_after
from actorq.testing.conformance.threads import race

if TYPE_CHECKING:
    from actorq.backends.backend import Backend
    from actorq.testing.conformance.bench import Bench

THREADS: Final = 8
ROUNDS: Final = 10


class TestRacingParents:
    """Whoever comes first, the last end lets the job go, once."""

    def test_racing_acks_count_each_parent_once(self, bench: Bench) -> None:
        """Parents that end at the same time are each taken off the set, and the child goes once (§2)."""
        parents = bench.put_many(THREADS * 4)
        children = [put_after(bench, parents), put_after(bench, parents[::-1])]
        taken = bench.claim(len(parents)).jobs
        shares = [taken[number::THREADS] for number in range(THREADS)]

        def work(backend: Backend, worker: int) -> None:
            for job in shares[worker]:
                (answer,) = backend.ack([Ack(job.id, token_of(job))])
                assert isinstance(answer, Settled)

        race(bench, THREADS, work)
        for child in children:
            freed = bench.get(child)
            assert (freed.status, known(freed).waiting_for) == (Status.PENDING, ())
            assert freed.version == child.version + len(parents)
        assert bench.length(LATER) == 2

    def test_a_job_enqueued_while_its_parent_ends(self, bench: Bench) -> None:
        """A child is written before its parent's end and told, or after it and starts: none is left (I1)."""
        for _ in range(ROUNDS):
            bench.put()
            parent = bench.take()
            wishes = [after(bench, [parent]) for _ in range(THREADS - 1)]

            def work(backend: Backend, worker: int) -> None:
                if worker:
                    (made,) = backend.enqueue([wishes[worker - 1]])  # noqa: B023 - run in this round
                    assert isinstance(made, Enqueued), made
                else:
                    (answer,) = backend.ack([Ack(parent.id, token_of(parent))])  # noqa: B023 - likewise
                    assert isinstance(answer, Settled)

            race(bench, THREADS, work)
            assert len(bench.claim(THREADS, queue=LATER).jobs) == THREADS - 1

    def test_crossing_families(self, bench: Bench) -> None:
        """Ends, cancels and enqueues that meet in one family neither deadlock nor lose a job (rule 1)."""
        for _ in range(ROUNDS):
            first, last = bench.put_many(2)
            middle = put_after(bench, [first, last], OnParentFailure.RUN)
            end = put_after(bench, [middle, first], OnParentFailure.RUN)
            wishes = [after(bench, [end, first], OnParentFailure.RUN) for _ in range(2)]
            orders = [[end.id, first.id], [first.id, middle.id], [middle.id, end.id, last.id]]

            def work(backend: Backend, worker: int) -> None:
                if worker < len(orders):  # noqa: B023 - run in this round
                    backend.cancel(orders[worker])  # noqa: B023 - likewise
                else:
                    created(backend.enqueue([wishes[worker - 3]])[0])  # noqa: B023 - likewise

            race(bench, 5, work)
            for job in (first, last, middle, end):
                assert bench.get(job).status is Status.CANCELLED
            assert len(bench.claim(5, queue=LATER).jobs) == 2
