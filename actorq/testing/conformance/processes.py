"""Many processes on one store (I1, I4, I5, I10, I11), for stores that can be shared so.

To be imported beside ``actorq.testing.conformance.suite``, with a ``SharedHarness``.
"""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, Final, cast

import pytest
from msgspec.structs import replace

from actorq.core import keys
from actorq.core.commands import Claim, Release
from actorq.core.policy import Policy
from actorq.core.queue import QueueEdit
from actorq.core.results import Enqueued, Outcome
from actorq.core.transitions import Status
from actorq.errors import ActorqError
from actorq.testing.conformance import tasks
from actorq.testing.conformance.answers import ids, token_of
from actorq.testing.conformance.audit import audit
from actorq.testing.conformance.bench import QUEUE
from actorq.testing.conformance.crew import Crew
from actorq.testing.conformance.killed_schedulers import TestKilledSchedulers
from actorq.testing.conformance.leases import CALLS, call
from actorq.testing.conformance.threads import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from actorq.backends.backend import Listener, Store
    from actorq.core.job import NewJob
    from actorq.testing.conformance.bench import Bench
    from actorq.testing.conformance.harness import SharedHarness

__all__ = [
    "TestKilledProcesses",
    "TestKilledSchedulers",
    "TestNews",
    "TestProcesses",
    "crew",
    "recipe",
]

PROCESSES: Final = 4
KEYS: Final = 25


@pytest.fixture(scope="module")
def crew() -> Iterator[Crew]:
    """Keep a crew of processes for all tests of a module."""
    crew = Crew()
    yield crew
    crew.dismiss()


@pytest.fixture
def recipe(harness: SharedHarness, bench: Bench) -> Callable[[], Store]:
    """Return how another process makes the bench's store."""
    return harness.recipe(bench.store)


class TestProcesses:
    """The same call at the same moment, in several processes."""

    def test_claims_are_disjoint(
        self, bench: Bench, crew: Crew, recipe: Callable[[], Store]
    ) -> None:
        """Racing processes share the jobs out: each is claimed exactly once, and all are (I5)."""
        jobs = bench.put_many(200)
        shares = crew.race(recipe, tasks.claim_all, [1, 1, 3, 7])
        assert Counter(job_id for share in shares for job_id in share) == Counter(ids(jobs))
        assert all(share == sorted(share) for share in shares)
        assert {bench.get(job).attempt for job in jobs} == {1}

    def test_one_job_for_one_dedupe_key(
        self, bench: Bench, crew: Crew, recipe: Callable[[], Store]
    ) -> None:
        """Of racing enqueues with one dedupe key one creates, and all get its job (I10)."""
        wishes = [[bench.new(dedupe_key=f"key {n}") for n in range(KEYS)] for _ in range(PROCESSES)]
        answers = crew.race(recipe, tasks.enqueue_each, wishes)
        for answers_of_key in zip(*answers, strict=True):
            outcomes = Counter(outcome for outcome, _, _ in answers_of_key)
            assert outcomes == {Outcome.CREATED: 1, Outcome.DUPLICATE: PROCESSES - 1}
            assert len({job_id for _, _, job_id in answers_of_key}) == 1
        assert bench.length() == bench.stats().accepted == KEYS

    def test_one_job_for_one_idempotency_key(
        self, bench: Bench, crew: Crew, recipe: Callable[[], Store]
    ) -> None:
        """Of racing requests with one idempotency key one is executed, the others replay it (I11)."""
        wishes = [
            [with_key(bench.new(), f"key {n}") for n in range(KEYS)] for _ in range(PROCESSES)
        ]
        answers = crew.race(recipe, tasks.enqueue_each, wishes)
        for answers_of_key in zip(*answers, strict=True):
            replays = Counter(replayed for _, replayed, _ in answers_of_key)
            assert replays == {False: 1, True: PROCESSES - 1}
            assert {outcome for outcome, _, _ in answers_of_key} == {Outcome.CREATED}
            assert len({job_id for _, _, job_id in answers_of_key}) == 1
        assert bench.length() == bench.stats().accepted == KEYS

    def test_crossing_batches(self, bench: Bench, crew: Crew, recipe: Callable[[], Store]) -> None:
        """Batches that name the same keys in opposite order neither deadlock nor duplicate (§6)."""
        names = [f"key {n}" for n in range(KEYS)]
        orders = [names, names[::-1]] * (PROCESSES // 2)
        wishes = [[bench.new(dedupe_key=name) for name in order] for order in orders]
        answers = crew.race(recipe, tasks.enqueue_together, wishes)
        outcomes = Counter(outcome for batch in answers for outcome, _, _ in batch)
        assert outcomes[Outcome.CREATED] == bench.length() == KEYS

    def test_settlements_count_once(
        self, bench: Bench, crew: Crew, recipe: Callable[[], Store]
    ) -> None:
        """Of racing settlements of one lease exactly one takes effect (I3)."""
        taken = ids([bench.take(job) for job in bench.put_many(50)])
        counted = crew.race(recipe, tasks.ack_each, [taken, taken[::-1]] * (PROCESSES // 2))
        assert Counter(job_id for share in counted for job_id in share) == Counter(taken)
        assert bench.stats().counts[Status.COMPLETED] == 50

    def test_leases_end_once(self, bench: Bench, crew: Crew, recipe: Callable[[], Store]) -> None:
        """Reapers of several processes end each lease once, for there is no leader (I7)."""
        jobs = bench.put_many(100)
        bench.claim(100, visibility_timeout=1.0)
        bench.advance(1.1)
        ended = crew.race(recipe, tasks.reap, [3] * PROCESSES)
        assert Counter(job_id for share in ended for job_id in share) == Counter(ids(jobs))
        assert {bench.get(job).expiries for job in jobs} == {1}

    @pytest.mark.parametrize("verb", CALLS)
    def test_a_token_is_as_good_everywhere(
        self, bench: Bench, recipe: Callable[[], Store], verb: str
    ) -> None:
        """A process that gave a job out before knows its holder of today, who has it from another (I6)."""
        job = bench.put()
        stale = token_of(bench.take(job))
        elsewhere = recipe()
        elsewhere.open()
        with closing(elsewhere), closing(elsewhere.connect()) as other:
            other.release([Release(job.id, stale)])
            wish = Claim(queue_name=QUEUE, worker_id="w", tokens=("elsewhere",))
            (claimed,) = other.dequeue([wish])
            assert ids(claimed.jobs) == [job.id]
            answer = call(bench, verb, job.id, "elsewhere")
            assert not isinstance(answer, ActorqError), answer

    def test_opening_a_fresh_store_together(self, harness: SharedHarness, crew: Crew) -> None:
        """Processes that find a store empty prepare it once, and then all can use it (``open``)."""
        store = harness.make(Policy())
        before = harness.now()
        clocks = crew.race(harness.recipe(store), tasks.look, [None] * PROCESSES)
        assert all(before <= clock <= harness.now() for clock in clocks)
        store.open()
        backend = store.connect()
        audit(backend)
        backend.close()
        store.close()


class TestKilledProcesses:
    """A process may be killed at any instruction (§10)."""

    def test_a_killed_holder_loses_its_leases(
        self, bench: Bench, crew: Crew, recipe: Callable[[], Store]
    ) -> None:
        """What a killed process had claimed is leased until its time is over, and then comes back (I1)."""
        jobs = bench.put_many(tasks.BATCH)
        holder = crew.send(recipe, tasks.claim_and_hang, 1.0)
        tokens = ids_of(holder.hear())
        holder.kill()
        assert sorted(ids(bench.backend.find_claims(tokens))) == ids(jobs)
        assert bench.claim(9).jobs == ()
        bench.advance(1.1)
        assert sorted(ids(bench.reap().jobs)) == ids(jobs)
        assert ids(bench.claim(9).jobs) == ids(jobs)

    @pytest.mark.parametrize("words", [1, 4, 9])
    def test_what_was_accepted_is_there(
        self, bench: Bench, crew: Crew, recipe: Callable[[], Store], words: int
    ) -> None:
        """A batch that was answered outlives its process, with its keys; the last one is whole or absent.

        So sending everything once more settles what was unknown (I1, I10, I11).
        """
        wishes = [with_key(bench.new(dedupe_key=f"key {n}"), f"key {n}") for n in range(1_000)]
        writer = crew.send(recipe, tasks.enqueue_for_ever, wishes)
        accepted = [job_id for _ in range(words) for job_id in ids_of(writer.hear())]
        writer.kill()
        there = [job is not None for job in bench.backend.get_job([new.id for new in wishes])]
        assert all(there[: len(accepted)])
        assert accepted == [new.id for new in wishes[: len(accepted)]]
        assert there == sorted(there, reverse=True)
        assert sum(there) % tasks.BATCH == 0
        assert bench.length() == bench.stats().accepted == sum(there)
        again = bench.backend.enqueue([replace(new, id=bench.mint.mint()) for new in wishes])
        assert [isinstance(answer, Enqueued) and answer.replayed for answer in again] == there
        assert bench.length() == bench.stats().accepted == len(wishes)

    @pytest.mark.parametrize("words", [1, 4, 9])
    def test_what_was_settled_stays_settled(
        self, bench: Bench, crew: Crew, recipe: Callable[[], Store], words: int
    ) -> None:
        """A settlement that was answered outlives its process; the rest is in one state each (I2)."""
        jobs = bench.put_many(1_000)
        worker = crew.send(recipe, tasks.settle_for_ever, None)
        done = [job_id for _ in range(words) for job_id in ids_of(worker.hear())]
        worker.kill()
        assert {bench.get(job_id).status for job_id in done} == {Status.COMPLETED}
        counts = bench.stats().counts
        assert counts[Status.COMPLETED] >= len(done) == words * tasks.BATCH
        assert counts[Status.RUNNING] in {0, tasks.BATCH}
        assert counts[Status.COMPLETED] % tasks.BATCH == 0
        assert sum(counts.values()) == len(jobs)


class TestNews:
    """What one process does is heard by another (``Listener``)."""

    @pytest.mark.parametrize(
        "how", ["enqueue", "release", "promote", "expire", "redrive", "hurry", "resume"]
    )
    def test_work_of_another_process_is_heard(
        self, bench: Bench, crew: Crew, recipe: Callable[[], Store], how: str
    ) -> None:
        """A job that becomes ready elsewhere is news, of its queue or of none in particular (rule 8)."""
        delayed = how in {"promote", "hurry"}
        job = bench.bury() if how == "redrive" else bench.put(delay=0.2 if delayed else None)
        if how in {"release", "expire"}:
            bench.take(job, visibility_timeout=1.0)
        elif how == "resume":
            bench.set(QueueEdit(queue_name=QUEUE, paused=True))
        if how != "hurry":
            bench.advance(1.1)
        listener = bench.listen()
        hush(listener)
        if how == "enqueue":
            crew.race(recipe, tasks.enqueue_each, [[bench.new()]])
        else:
            crew.race(recipe, tasks.make_ready, [(how, job.id)])
        assert bench.length() > 0
        news = tasks.first_news(listener)
        assert news is None or job.queue_name in news

    def test_a_waiting_process_is_woken(
        self, bench: Bench, crew: Crew, recipe: Callable[[], Store]
    ) -> None:
        """A process hears of an enqueue while it waits, and not only when its patience ends (rule 8)."""
        waiter = crew.send(recipe, tasks.hear_news, None)
        assert waiter.hear() == "listening"
        job = bench.put()
        news = waiter.hear()
        assert news is None or (isinstance(news, frozenset) and job.queue_name in news)

    def test_silence_is_no_news(self, bench: Bench) -> None:
        """A wait in which nothing happened ends with its time, and names no queue (``wait``)."""
        bench.put()
        listener = bench.listen()
        hush(listener)
        assert listener.wait(0.01) == frozenset()

    def test_a_wait_can_be_interrupted(self, bench: Bench) -> None:
        """Another thread can end a wait before its time; closing twice is as good as once (``interrupt``)."""
        listener = bench.listen()
        hush(listener)
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(listener.wait, 2 * PATIENCE_S)
            listener.interrupt()
            waiting.result(PATIENCE_S)
        listener.close()
        listener.close()


def with_key(new: NewJob, key: str) -> NewJob:
    """Put an idempotency key on a request."""
    return replace(new, idempotency=keys.idempotency(new, "", key))


def hush(listener: Listener) -> None:
    """Hear everything that happened before: it may still be told, but not for ever."""
    for _ in range(100):
        if listener.wait(0.0) == frozenset():
            return
    raise AssertionError("there is always news")


def ids_of(word: object) -> list[str]:
    """Return the ids or tokens that a process told."""
    assert isinstance(word, list)
    return cast("list[str]", word)
