"""Retention, purging and deleting (contract §8): what may go, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec import structs

from actorq.core.instants import to_us
from actorq.core.policy import Policy, Retention
from actorq.core.queue import QueueEdit
from actorq.core.transitions import WAITING, Status
from actorq.testing.conformance.answers import ids
from actorq.testing.conformance.bench import LONG_S, QUEUE
from actorq.testing.conformance.scenes import at_its_time, bring

if TYPE_CHECKING:
    from collections.abc import Callable

    from actorq.core.job import Job
    from actorq.testing.conformance.bench import Bench

ENDS = {"completed": Status.COMPLETED, "dead": Status.DEAD, "cancelled": Status.CANCELLED}


def prune_all(bench: Bench, limit: int = 100) -> int:
    """Prune in rounds until nothing is left that may go; each round obeys its limit."""
    total = 0
    while gone := bench.backend.prune(limit)[0]:
        assert gone <= limit
        total += gone
    return total


def left(bench: Bench, jobs: list[Job]) -> list[str]:
    """Return the ids of those jobs that are still there."""
    return [job.id for job in jobs if bench.find(job.id) is not None]


class TestRetentionByAge:
    """How long ended jobs are kept (§8)."""

    @pytest.mark.parametrize("kind", ENDS)
    def test_each_status_has_its_age(
        self, make_bench: Callable[[Policy], Bench], kind: str
    ) -> None:
        """A job is kept as long as its status is, from its end on, and then pruned (§8)."""
        bench = make_bench(Policy(retention=structs.replace(Retention(), **{kind: 1.0})))
        scenes = {status: bring(bench, status) for status in ENDS.values()}
        ended_at = bench.get(scenes[ENDS[kind]]).completed_at
        assert ended_at is not None
        at_its_time(bench, ended_at + to_us(1.0), lambda: prune_all(bench) == 1)
        assert left(bench, list(scenes.values())) == [
            job.id for status, job in scenes.items() if status is not ENDS[kind]
        ]
        assert (bench.stats().accepted, bench.stats().pruned) == (3, 1)

    def test_live_jobs_are_never_pruned(self, make_bench: Callable[[Policy], Bench]) -> None:
        """Retention of zero lets go every ended job and not one live one (I1)."""
        bench = make_bench(Policy(retention=Retention(completed=0.0, dead=0.0, cancelled=0.0)))
        jobs = {status: bring(bench, status, queue_name=status) for status in Status}
        bench.advance(0.01)
        assert prune_all(bench) == len(ENDS)
        live = [jobs[status] for status in (Status.PENDING, Status.DELAYED, Status.RUNNING)]
        assert left(bench, list(jobs.values())) == ids(live)

    def test_a_redriven_job_is_live_again(self, make_bench: Callable[[Policy], Bench]) -> None:
        """A redrive takes a job out of retention's reach (§2)."""
        bench = make_bench(Policy(retention=Retention(dead=0.5)))
        job = bench.bury()
        bench.redrive(job)
        bench.advance(0.6)
        assert prune_all(bench) == 0
        bench.take(job)

    def test_a_queue_may_have_its_own(self, make_bench: Callable[[Policy], Bench]) -> None:
        """A queue's retention stands in for the policy's, both ways, and can be given back (§8)."""
        bench = make_bench(Policy(retention=Retention(completed=0.5)))
        short, long = bench.finish(), bench.finish(queue_name="long")
        edit = QueueEdit(queue_name="long", retention=Retention(completed=LONG_S))
        bench.set(edit)
        bench.advance(0.6)
        assert prune_all(bench) == 1
        assert left(bench, [short, long]) == [long.id]
        bench.set(QueueEdit(queue_name="long", retention=None))
        assert prune_all(bench) == 1

    def test_pruning_goes_in_small_rounds(self, make_bench: Callable[[Policy], Bench]) -> None:
        """A round removes at most its limit and answers how many; rounds repeated do all (§8)."""
        bench = make_bench(Policy(retention=Retention(cancelled=0.0)))
        bench.backend.cancel(ids(bench.put_many(7)))
        bench.advance(0.1)
        assert [bench.backend.prune(3)[0] for _ in range(4)] == [3, 3, 1, 0]
        assert (bench.stats().pruned, bench.stats().accepted) == (7, 7)

    def test_it_says_when_to_come_again(self, make_bench: Callable[[Policy], Bench]) -> None:
        """Whoever sleeps as long as pruning says, again and again, sees the job go (``prune``)."""
        bench = make_bench(Policy(retention=Retention(completed=1.0)))
        job = bench.finish()
        for _ in range(50):
            gone, next_in = bench.backend.prune(10)
            if gone:
                break
            assert next_in is None or 0.0 <= next_in <= 1.001
            bench.advance(max(0.2 if next_in is None else next_in, 0.01))
        assert bench.find(job.id) is None

    def test_a_window_keeps_its_job(self, make_bench: Callable[[Policy], Bench]) -> None:
        """A job whose dedupe window holds its key stays, and goes when the window ends (§6)."""
        bench = make_bench(Policy(retention=Retention(completed=0.0, max_completed=0)))
        holder = bench.finish(dedupe_key="a", dedupe_window=1.0)
        plain = bench.finish(dedupe_key="b")
        bench.advance(0.1)
        assert prune_all(bench) == 1
        assert left(bench, [holder, plain]) == [holder.id]
        bench.advance(1.1)
        assert prune_all(bench) == 1


class TestRetentionByCount:
    """How many ended jobs are kept (§8)."""

    @pytest.mark.parametrize("kind", ENDS)
    def test_the_oldest_go(self, make_bench: Callable[[Policy], Bench], kind: str) -> None:
        """Of more ended jobs than are kept, the ones that ended first go, per queue (§8)."""
        bench = make_bench(Policy(retention=structs.replace(Retention(), **{f"max_{kind}": 2})))
        jobs: list[Job] = []
        for _ in range(5):
            jobs.append(bring(bench, ENDS[kind]))
            bench.advance(0.01)
        other = [bring(bench, ENDS[kind], queue_name="other") for _ in range(2)]
        assert prune_all(bench) == 3
        assert left(bench, jobs) == ids(jobs[3:])
        assert left(bench, other) == ids(other)

    def test_a_window_that_has_ended_gives_nobody_precedence(
        self, make_bench: Callable[[Policy], Bench]
    ) -> None:
        """However small a round, the first to have ended goes first, though a window kept it (§8)."""
        bench = make_bench(Policy(retention=Retention(max_completed=0)))
        bench.set(QueueEdit(queue_name="other", retention=Retention(max_completed=1)))
        other = bench.finish(queue_name="other", dedupe_key="a", dedupe_window=1.0)
        held = bench.finish(dedupe_key="a", dedupe_window=1.0)
        bench.advance(0.1)
        later = bench.finish()
        bench.advance(1.1)
        assert bench.backend.prune(1)[0] == 1
        assert left(bench, [other, held, later]) == ids([other, later])

    def test_the_limit_of_a_round_holds(self, make_bench: Callable[[Policy], Bench]) -> None:
        """By count, too, a round removes at most its limit, and rounds repeated do all (§8)."""
        bench = make_bench(Policy(retention=Retention(max_cancelled=1)))
        jobs = bench.put_many(6)
        bench.backend.cancel(ids(jobs))
        assert [bench.backend.prune(2)[0] for _ in range(4)] == [2, 2, 1, 0]
        assert len(left(bench, jobs)) == 1


class TestPurge:
    """Purging a queue (§9)."""

    @pytest.mark.parametrize("status", Status)
    def test_only_the_named_statuses_go(self, bench: Bench, status: Status) -> None:
        """A purge removes this queue's jobs of the named statuses, counts them, and no other (§9)."""
        if status is Status.RUNNING:
            statuses = frozenset(Status) - {status}
        else:
            statuses = frozenset({status})
        bring(bench, Status.CANCELLED, queue_name="other")
        bring(bench, Status.PENDING, queue_name="other")
        # What is claimed on the way must be alone in the queue: the waiting ones come last.
        waiting_last = sorted(Status, key=lambda each: each in WAITING)
        jobs = {each: bring(bench, each) for each in waiting_last}
        assert bench.backend.purge(QUEUE, statuses, 100) == len(statuses)
        stays = [job.id for each, job in jobs.items() if each not in statuses]
        assert left(bench, list(jobs.values())) == stays
        assert bench.stats().pruned == len(statuses)
        assert sum(bench.stats("other").counts.values()) == 2

    def test_a_purge_goes_in_rounds(self, bench: Bench) -> None:
        """A purge removes at most its limit and answers how many (§9)."""
        bench.put_many(5)
        bench.put_many(2, delay=LONG_S)
        waiting = frozenset({Status.PENDING, Status.DELAYED})
        assert [bench.backend.purge(QUEUE, waiting, 3) for _ in range(4)] == [3, 3, 1, 0]
        assert bench.claim(9).jobs == ()
        assert bench.backend.purge("none", waiting, 3) == 0

    def test_running_jobs_are_never_purged(self, bench: Bench) -> None:
        """Whoever works on a job keeps it, whatever is purged around it (§9)."""
        taken = bench.take(bench.put())
        assert bench.backend.purge(QUEUE, frozenset(Status), 9) == 0
        assert bench.get(taken) == taken
