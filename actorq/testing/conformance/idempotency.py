"""Idempotency (contract §6): one request sent twice has one effect (I11)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from actorq.core import keys
from actorq.core.instants import to_us
from actorq.core.job import OnDuplicate
from actorq.core.policy import Policy, Retention
from actorq.core.queue import QueueEdit
from actorq.core.results import Enqueued, Outcome, PrunedReplay
from actorq.core.transitions import Status
from actorq.errors import DuplicateJob, IdempotencyKeyReused, QueueFull
from actorq.testing.conformance.answers import created, refusal
from actorq.testing.conformance.bench import QUEUE, Wish
from actorq.testing.conformance.scenes import at_its_time

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Unpack

    from actorq.core.job import NewJob
    from actorq.testing.conformance.bench import Bench


def request(bench: Bench, key: str = "key", caller: str = "", **wish: Unpack[Wish]) -> NewJob:
    """Describe a request that carries an idempotency key, under a fresh id."""
    new = bench.new(**wish)
    return replace(new, idempotency=keys.idempotency(new, caller, key))


def accept(bench: Bench, key: str = "key", **wish: Unpack[Wish]) -> Enqueued:
    """Send such a request, which must create a job."""
    answer = bench.enqueue(request(bench, key, **wish))
    created(answer)
    return answer


class TestIdempotency:
    """Keys and replays (§6)."""

    def test_the_same_request_is_a_replay(self, bench: Bench) -> None:
        """The same key and request answer the first job, and write nothing (§6)."""
        first = accept(bench, payload="p", delay=1.5)
        again = bench.enqueue(request(bench, payload="p", delay=1.5))
        assert again == Enqueued(first.job, Outcome.CREATED, replayed=True)
        assert bench.stats().accepted == 1

    def test_another_request_is_refused(self, bench: Bench) -> None:
        """The same key for another request is refused, and leaves the first as it was (§6)."""
        first = accept(bench, payload="p")
        for other in (request(bench, payload="q"), request(bench, payload="p", priority=1)):
            refusal(bench.refused(other), IdempotencyKeyReused)
            assert bench.find(other.id) is None
        assert bench.enqueue(request(bench, payload="p")).job == first.job

    def test_a_replay_shows_the_job_as_it_stands(self, bench: Bench) -> None:
        """The first answer's status is kept, the job is shown as it is by now (§6)."""
        first = accept(bench)
        taken = bench.take(first.job)
        again = bench.enqueue(request(bench))
        assert (again.outcome, again.replayed) == (Outcome.CREATED, True)
        assert again.job == taken
        bench.ack(taken.id)
        assert bench.enqueue(request(bench)).job.status is Status.COMPLETED

    def test_within_one_batch(self, bench: Bench) -> None:
        """Of two equal keys in one batch the second is the replay (§6)."""
        wishes = [request(bench), request(bench), request(bench, payload="x"), request(bench, "k2")]
        first, second, third, fourth = bench.backend.enqueue(wishes)
        job = created(first)
        assert second == Enqueued(job, Outcome.CREATED, replayed=True)
        refusal(third, IdempotencyKeyReused)
        assert created(fourth).id != job.id
        assert bench.length() == 2

    def test_keys_are_scoped(self, bench: Bench) -> None:
        """One key of two callers, or in two queues, names two requests (§6, I16)."""
        wishes = [request(bench, caller="a"), request(bench, caller="b"),
                  request(bench, caller="a", queue_name="other")]  # fmt: skip
        assert len({created(answer).id for answer in bench.backend.enqueue(wishes)}) == 3

    def test_a_repeat_of_the_very_call(self, bench: Bench) -> None:
        """A repeated call with its own id and key is one job, whichever way it is recognised (I1)."""
        new = request(bench)
        first = bench.enqueue(new)
        again = bench.enqueue(new)
        assert (again.outcome, again.job) == (Outcome.CREATED, first.job)
        assert bench.stats().accepted == 1

    def test_a_key_is_kept_for_its_time(self, make_bench: Callable[[Policy], Bench]) -> None:
        """A request is replayed until its key's time to live is over, and then executed again (§6)."""
        bench = make_bench(Policy(idempotency_ttl=1.0))
        until = accept(bench).job.created_at + to_us(1.0)
        at_its_time(bench, until, lambda: not bench.enqueue(request(bench)).replayed)
        assert bench.length() == 2

    def test_a_key_expires(self, make_bench: Callable[[Policy], Bench]) -> None:
        """After its time to live a key is new again, pruned or not; until then it is kept (§6)."""
        bench = make_bench(Policy(idempotency_ttl=1.0))
        first = accept(bench)
        accept(bench, "other")
        bench.advance(0.2)
        bench.backend.prune(100)
        assert bench.enqueue(request(bench)).replayed
        bench.advance(0.9)
        assert accept(bench).job.id != first.job.id
        bench.backend.prune(100)
        accept(bench, "other", payload="another request")
        assert bench.enqueue(request(bench)).replayed
        assert bench.length() == 4

    @pytest.mark.parametrize("how", ["delete", "purge", "prune"])
    def test_a_replay_of_a_job_that_is_gone(
        self, make_bench: Callable[[Policy], Bench], how: str
    ) -> None:
        """A replay whose job was pruned since tells what is still known, and runs nothing (§6)."""
        bench = make_bench(Policy(retention=Retention(completed=0.0)))
        job = accept(bench).job
        bench.ack(bench.take(job).id)
        bench.advance(0.1)
        if how == "delete":
            bench.backend.delete([job.id])
        elif how == "purge":
            bench.backend.purge(QUEUE, frozenset({Status.COMPLETED}), 10)
        else:
            assert bench.backend.prune(10)[0] == 1
        answers = bench.backend.enqueue([request(bench)] * 2)
        assert answers == [PrunedReplay(job.id, QUEUE, job.created_at)] * 2
        refusal(bench.refused(request(bench, payload="x")), IdempotencyKeyReused)
        assert bench.length() == 0

    def test_a_replay_comes_before_everything_else(self, bench: Bench) -> None:
        """A replay is answered though the queue is full and its dedupe key is held (``enqueue``)."""
        wish: Wish = {"dedupe_key": "d", "on_duplicate": OnDuplicate.REJECT}
        first = accept(bench, **wish)
        bench.set(QueueEdit(queue_name=QUEUE, max_depth=1))
        assert bench.enqueue(request(bench, **wish)) == Enqueued(first.job, replayed=True)


class TestIdempotencyWithDedupe:
    """Two different things that meet (§6)."""

    @pytest.mark.parametrize("policy", [OnDuplicate.RETURN, OnDuplicate.REPLACE])
    def test_a_duplicate_is_replayed_as_one(self, bench: Bench, policy: OnDuplicate) -> None:
        """A request answered by an existing job has the same answer again, also after that ended (§6)."""
        holder = bench.put(dedupe_key="d")
        wish: Wish = {"dedupe_key": "d", "on_duplicate": policy, "payload": "new"}
        first = bench.enqueue(request(bench, **wish))
        expected = {OnDuplicate.RETURN: Outcome.DUPLICATE, OnDuplicate.REPLACE: Outcome.REPLACED}
        assert (first.outcome, first.job.id) == (expected[policy], holder.id)
        bench.cancel(holder)
        again = bench.enqueue(request(bench, **wish))
        assert again == Enqueued(bench.get(holder), first.outcome, replayed=True)
        assert bench.get(holder).version == first.job.version + 1
        bench.backend.delete([holder.id])
        gone = bench.refused(request(bench, **wish))
        assert gone == PrunedReplay(holder.id, QUEUE, holder.created_at, first.outcome)

    def test_a_refusal_is_not_stored(self, bench: Bench) -> None:
        """A refused request leaves its key free: the same one is accepted later (§6)."""
        wish: Wish = {"dedupe_key": "d", "on_duplicate": OnDuplicate.REJECT}
        holder = bench.put(dedupe_key="d")
        refusal(bench.refused(request(bench, **wish)), DuplicateJob)
        bench.cancel(holder)
        accept(bench, **wish)
        bench.set(QueueEdit(queue_name=QUEUE, max_depth=1))
        refusal(bench.refused(request(bench, "k2")), QueueFull)
        bench.set(QueueEdit(queue_name=QUEUE, max_depth=None))
        accept(bench, "k2", payload="even another request")
