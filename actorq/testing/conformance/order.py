"""Order (contract §7): priority, highest first, then first in, first out (I12)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from actorq.core.bounds import PRIORITY_MAX, PRIORITY_MIN
from actorq.core.commands import Edit
from actorq.core.retry import Failure
from actorq.core.transitions import Status
from actorq.testing.conformance.answers import ids, token_of

if TYPE_CHECKING:
    from actorq.core.job import Job
    from actorq.testing.conformance.bench import Bench

PRIORITIES = [0, PRIORITY_MAX, -1, PRIORITY_MIN, 1, PRIORITY_MAX - 1, PRIORITY_MIN + 1, 0, 1, -1]


def best_first(jobs: list[Job]) -> list[str]:
    """Return the ids in the order in which they must be claimed."""
    return ids(sorted(jobs, key=lambda job: (-job.priority, job.id)))


class TestOrder:
    """Claims in order (I12)."""

    @pytest.mark.parametrize("size", [1, 3, 10])
    def test_priority_then_id(self, bench: Bench, size: int) -> None:
        """Jobs come by priority, then by id, in claims of any size, at the bounds too (§7)."""
        jobs = [bench.put(priority=priority) for priority in PRIORITIES]
        taken: list[str] = []
        while claimed := bench.claim(size).jobs:
            taken += ids(claimed)
        assert taken == best_first(jobs)

    def test_the_id_decides_not_the_arrival(self, bench: Bench) -> None:
        """Among equals the smaller id comes first, in whatever order they were written (§7)."""
        wishes = [bench.new() for _ in range(20)]
        late = [*wishes[1::2], *reversed(wishes[0::2])]
        for new in late:
            bench.enqueue(new)
        assert ids(bench.claim(20).jobs) == [new.id for new in wishes]

    @pytest.mark.parametrize("how", ["retry", "postpone", "release", "expiry", "redrive"])
    def test_a_job_that_comes_back_has_its_old_place(self, bench: Bench, how: str) -> None:
        """A retried, released, expired or redriven job goes by its priority and id as before (§7)."""
        jobs = [bench.put(priority=priority) for priority in (2, 1, 1, 0)]
        taken = bench.claim(2, visibility_timeout=1.0).jobs
        assert ids(taken) == ids(jobs[:2])
        bench.put(priority=1)
        for job in taken:
            token = token_of(job)
            if how == "retry":
                bench.fail(job.id, token, Failure("x", retry_in=0.1))
            elif how == "redrive":
                bench.fail(job.id, token, Failure("x", retryable=False))
                bench.redrive(job)
            elif how != "expiry":
                bench.release(job.id, token, 0.1 if how == "postpone" else 0.0)
        bench.advance(1.1)
        bench.reap()
        bench.promote()
        order = ids(bench.claim(10).jobs)
        assert len(order) == 5
        assert order == best_first([bench.get(job_id) for job_id in order])
        assert order[:3] == ids(jobs[:3])

    def test_promotion_keeps_the_place(self, bench: Bench) -> None:
        """A delayed job takes the place of its priority and id when it is due, not the last one (§7)."""
        first = bench.put(delay=0.3)
        urgent = bench.put(delay=0.2, priority=3)
        second, third = bench.put_many(2)
        bench.advance(0.4)
        bench.promote()
        assert ids(bench.claim(9).jobs) == ids([urgent, first, second, third])

    def test_an_edited_priority_counts(self, bench: Bench) -> None:
        """An edit of the priority moves the job in the order (§7)."""
        first, second, third = bench.put_many(3)
        bench.backend.update_job([Edit(id=third.id, priority=1), Edit(id=first.id, priority=-1)])
        assert ids(bench.claim(3).jobs) == ids([third, second, first])

    def test_queues_do_not_disturb_each_other(self, bench: Bench) -> None:
        """A queue's claim gives that queue's jobs, however urgent another's are (I16)."""
        bench.put(queue_name="other", priority=PRIORITY_MAX)
        mine = bench.put(priority=PRIORITY_MIN)
        assert ids(bench.claim(5).jobs) == [mine.id]
        assert bench.stats("other").counts[Status.PENDING] == 1
