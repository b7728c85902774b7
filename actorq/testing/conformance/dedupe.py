"""Deduplication (contract §6): at most one live job per queue and key (I10)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from actorq.core.instants import to_us
from actorq.core.job import OnDuplicate
from actorq.core.policy import Policy, Retention
from actorq.core.results import Enqueued, Outcome
from actorq.core.retry import Failure
from actorq.core.transitions import Status
from actorq.errors import DuplicateJob
from actorq.testing.conformance.answers import created, ids, refusal, settled, token_of
from actorq.testing.conformance.bench import QUEUE
from actorq.testing.conformance.scenes import DELAY_S, at_its_time, bring, lapsing

if TYPE_CHECKING:
    from collections.abc import Callable

    from actorq.core.job import Job
    from actorq.testing.conformance.bench import Bench

LIVE_SCENES: Final = (Status.PENDING, Status.DELAYED, Status.RUNNING)
KEY: Final = "kéy 😀"


def _ack(bench: Bench, job: Job) -> None:
    bench.take(job)
    bench.ack(job.id)


def _exhaust(bench: Bench, job: Job) -> None:
    bench.take(job)
    bench.fail(job.id, None, Failure("x", retryable=False))


def _expire(bench: Bench, job: Job) -> None:
    bench.take(job, visibility_timeout=1.0)
    bench.advance(1.1)
    bench.reap()


def _lapse(bench: Bench, _: Job) -> None:
    bench.advance(DELAY_S + 0.1)
    bench.promote()


def _lapse_at_claim(bench: Bench, _: Job) -> None:
    bench.advance(DELAY_S + 0.1)
    bench.claim()
    bench.promote()


def _abort(bench: Bench, job: Job) -> None:
    bench.take(job)
    bench.cancel(job)
    bench.release(job.id)


ENDINGS: Final[dict[str, Callable[[Bench, Job], object]]] = {
    "ack": _ack,
    "reject": _exhaust,
    "expire": _expire,
    "lapse": _lapse,
    "lapse at a claim": _lapse_at_claim,
    "cancel": lambda bench, job: bench.cancel(job),
    "abort": _abort,
}
"""Every way in which a job with a lapse and one allowed expiry can end."""


class TestDedupeKeys:
    """Taking a key (§6)."""

    @pytest.mark.parametrize("status", LIVE_SCENES)
    def test_a_live_holder_is_the_answer(self, bench: Bench, status: Status) -> None:
        """An enqueue whose key a live job holds is answered by that job, unchanged (§6)."""
        holder = bring(bench, status, dedupe_key=KEY)
        answer = bench.enqueue(bench.new(dedupe_key=KEY, payload="other", priority=5))
        assert (answer.outcome, answer.replayed) == (Outcome.DUPLICATE, False)
        assert answer.job == holder == bench.get(holder)
        assert bench.stats().accepted == 1

    @pytest.mark.parametrize("status", LIVE_SCENES)
    def test_the_policy_reject(self, bench: Bench, status: Status) -> None:
        """With ``reject`` the enqueue is refused, naming the holder, and writes nothing (§6)."""
        holder = bring(bench, status, dedupe_key=KEY)
        new = bench.new(dedupe_key=KEY, on_duplicate=OnDuplicate.REJECT)
        assert refusal(bench.refused(new), DuplicateJob).job_id == holder.id
        assert bench.find(new.id) is None
        assert bench.get(holder) == holder

    def test_reject_does_not_mind_a_free_key(self, bench: Bench) -> None:
        """``reject`` and ``replace`` create a job like any other when the key is free (§6)."""
        bench.put(dedupe_key="a", on_duplicate=OnDuplicate.REJECT)
        bench.put(dedupe_key="b", on_duplicate=OnDuplicate.REPLACE)
        assert bench.length() == 2

    def test_keys_are_exact_and_per_queue(self, bench: Bench) -> None:
        """Other keys, other queues and jobs without a key are not duplicates (§6)."""
        for key in ("k", "K", "k ", "k%", "ké", "ke\u0301", None, None):
            bench.put(dedupe_key=key)
        bench.put(dedupe_key="k", queue_name="other")
        assert (bench.length(), bench.length("other")) == (8, 1)

    def test_within_one_batch(self, bench: Bench) -> None:
        """Of equal keys in one batch the first creates and the others find it (rule 1)."""
        wishes = [bench.new(dedupe_key=KEY, payload=str(n)) for n in range(3)]
        rejected = bench.new(dedupe_key=KEY, on_duplicate=OnDuplicate.REJECT)
        first, second, third, fourth = bench.backend.enqueue([*wishes, rejected])
        job = created(first)
        assert job.payload == "0"
        assert second == third == Enqueued(job, Outcome.DUPLICATE)
        assert refusal(fourth, DuplicateJob).job_id == job.id
        assert bench.length() == 1


class TestReplace:
    """``replace`` (§6)."""

    @pytest.mark.parametrize("status", [Status.PENDING, Status.DELAYED])
    def test_a_waiting_holder_takes_over(self, bench: Bench, status: Status) -> None:
        """A waiting holder keeps its id and takes payload, priority and due time, no more (§6)."""
        holder = bring(bench, status, dedupe_key=KEY, payload="old", task="t", max_retries=1)
        new = bench.new(dedupe_key=KEY, payload="new", priority=8, delay=60.0,
                        on_duplicate=OnDuplicate.REPLACE)  # fmt: skip
        answer = bench.enqueue(new)
        job = answer.job
        assert (answer.outcome, job.id) == (Outcome.REPLACED, holder.id)
        assert (job.payload, job.priority, job.status) == ("new", 8, Status.DELAYED)
        assert job.available_at - job.updated_at == to_us(60.0)
        assert (job.task, job.max_retries, job.created_at) == ("t", 1, holder.created_at)
        assert job.version > holder.version
        assert bench.get(holder) == job
        assert bench.find(new.id) is None
        assert bench.stats().accepted == 1

    def test_replacing_by_one_that_is_due(self, bench: Bench) -> None:
        """A delayed holder becomes pending when the new request is due at once (§6)."""
        holder = bench.put(dedupe_key=KEY, delay=60.0)
        answer = bench.enqueue(bench.new(dedupe_key=KEY, on_duplicate=OnDuplicate.REPLACE))
        assert (answer.outcome, answer.job.status) == (Outcome.REPLACED, Status.PENDING)
        bench.take(holder)

    def test_the_new_priority_decides_the_order(self, bench: Bench) -> None:
        """A replaced job is claimed by its new priority (§6, §7)."""
        holder, other = bench.put(dedupe_key=KEY), bench.put(priority=1)
        bench.enqueue(bench.new(dedupe_key=KEY, priority=2, on_duplicate=OnDuplicate.REPLACE))
        assert ids(bench.claim(2).jobs) == [holder.id, other.id]

    def test_a_running_holder_is_left_alone(self, bench: Bench) -> None:
        """What runs already is not replaced: the caller is told of it as of a duplicate (§6)."""
        holder = bring(bench, Status.RUNNING, dedupe_key=KEY)
        answer = bench.enqueue(
            bench.new(dedupe_key=KEY, payload="new", on_duplicate=OnDuplicate.REPLACE)
        )
        assert (answer.outcome, answer.job) == (Outcome.DUPLICATE, holder)
        assert bench.get(holder) == holder


class TestFreeing:
    """Giving a key back (§6)."""

    @pytest.mark.parametrize("ending", ENDINGS)
    def test_every_ending_frees_the_key(
        self, make_bench: Callable[[Policy], Bench], ending: str
    ) -> None:
        """A key is freed in the very step that ends its job (§6, faults E2)."""
        bench = make_bench(Policy(max_expiries=0))
        expires_at = lapsing(bench) if ending.startswith("lapse") else None
        first = bench.put(dedupe_key=KEY, expires_at=expires_at)
        ENDINGS[ending](bench, first)
        second = bench.put(dedupe_key=KEY)
        assert bench.get(first).status not in LIVE_SCENES
        assert bench.enqueue(bench.new(dedupe_key=KEY)).job == second

    @pytest.mark.parametrize("how", ["delete", "purge", "prune"])
    def test_a_removed_job_frees_its_window(
        self, make_bench: Callable[[Policy], Bench], how: str
    ) -> None:
        """A window ends with its job when somebody removes it; pruning is nobody's wish (§6)."""
        bench = make_bench(Policy(retention=Retention(completed=0.0)))
        first = bench.finish(dedupe_key=KEY, dedupe_window=600.0)
        bench.advance(0.1)
        if how == "delete":
            bench.backend.delete([first.id])
        elif how == "purge":
            assert bench.backend.purge(QUEUE, frozenset({Status.COMPLETED}), 10) == 1
        else:
            assert bench.backend.prune(10)[0] == 0
        answer = bench.enqueue(bench.new(dedupe_key=KEY))
        assert (answer.outcome is Outcome.DUPLICATE) == (how == "prune")
        assert (answer.job == first) == (how == "prune")

    def test_a_purged_waiting_job_frees_its_key(self, bench: Bench) -> None:
        """Purging a live job takes its key along (§6)."""
        bench.put(dedupe_key=KEY)
        assert bench.backend.purge(QUEUE, frozenset({Status.PENDING}), 10) == 1
        bench.put(dedupe_key=KEY)

    @pytest.mark.parametrize("how", ["retry", "release", "expiry"])
    def test_a_job_that_comes_back_keeps_its_key(self, bench: Bench, how: str) -> None:
        """A job that goes on living holds its key all the time (§6, faults E3)."""
        job = bench.put(dedupe_key=KEY)
        taken = bench.take(job, visibility_timeout=1.0)
        if how == "retry":
            bench.fail(job.id, token_of(taken))
        elif how == "release":
            bench.release(job.id, token_of(taken))
        else:
            bench.advance(1.1)
            bench.reap()
        answer = bench.enqueue(bench.new(dedupe_key=KEY))
        assert (answer.outcome, answer.job) == (Outcome.DUPLICATE, bench.get(job))

    def test_a_redrive_takes_the_key_back(self, bench: Bench) -> None:
        """A redriven job holds its key again in the same step (§2)."""
        job = bench.bury(dedupe_key=KEY)
        back = bench.redrive(job)
        assert bench.enqueue(bench.new(dedupe_key=KEY)).job == back

    def test_a_redrive_does_not_push_another_out(self, bench: Bench) -> None:
        """A dead job whose key another live job holds by now stays dead, until that one ends (§2)."""
        dead = bench.bury(dedupe_key=KEY)
        holder = bench.put(dedupe_key=KEY)
        free = bench.bury(queue_name="other", dedupe_key=KEY)
        first, second = bench.backend.redrive([dead.id, free.id])
        assert refusal(first, DuplicateJob).job_id == holder.id
        assert not isinstance(second, Exception)
        assert bench.get(dead) == dead
        bench.cancel(holder)
        bench.redrive(dead)

    def test_two_redrives_of_one_key_in_one_batch(self, bench: Bench) -> None:
        """Of two dead jobs with one key a bulk redrive brings back the first only (§2, I10)."""
        first, second = bench.bury(dedupe_key=KEY), bench.bury(dedupe_key=KEY)
        back, refused = bench.backend.redrive([first.id, second.id])
        assert not isinstance(back, Exception)
        assert refusal(refused, DuplicateJob).job_id == first.id
        assert bench.get(second) == second


class TestWindow:
    """``dedupe_window`` (§6)."""

    @pytest.mark.parametrize("ending", ["ack", "reject", "cancel"])
    def test_the_window_outlives_the_job(self, bench: Bench, ending: str) -> None:
        """Within the window the ended job is the answer; after it the key is free (§6)."""
        job = bench.put(dedupe_key=KEY, dedupe_window=1.0)
        ENDINGS[ending](bench, job)
        for policy in OnDuplicate:
            new = bench.new(dedupe_key=KEY, on_duplicate=policy)
            if policy is OnDuplicate.REJECT:
                assert refusal(bench.refused(new), DuplicateJob).job_id == job.id
            else:
                answer = bench.enqueue(new)
                assert (answer.outcome, answer.job) == (Outcome.DUPLICATE, bench.get(job))
        until = job.created_at + to_us(1.0)
        at_its_time(bench, until, lambda: bench.enqueue(bench.new(dedupe_key=KEY)).job.id != job.id)

    def test_a_window_shorter_than_the_job(self, bench: Bench) -> None:
        """A live job holds its key also when its window is over (§6)."""
        job = bench.put(dedupe_key=KEY, dedupe_window=0.2)
        bench.advance(0.3)
        assert bench.enqueue(bench.new(dedupe_key=KEY)).outcome is Outcome.DUPLICATE
        bench.take(job)
        settled(bench.ack(job.id))
        bench.put(dedupe_key=KEY)

    def test_a_job_dead_within_its_window_can_be_redriven(self, bench: Bench) -> None:
        """A window does not stand between a dead job and its own redrive (§2)."""
        dead = bench.bury(dedupe_key=KEY, dedupe_window=600.0)
        back = bench.redrive(dead)
        assert bench.enqueue(bench.new(dedupe_key=KEY)).job == back
