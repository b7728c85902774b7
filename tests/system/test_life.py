"""The whole life of jobs in a running system, through its face."""

from __future__ import annotations

import anyio
import pytest

import actorq
from actorq import Edit, ListJobs, NotFound, QueueEdit, Status
from actorq.core.job import DeadReason, ErrorKind
from actorq.core.policy import Policy
from tests.system.house import open_house, virtual_clock


async def test_a_job_from_enqueue_to_ack() -> None:
    """Enqueued, claimed, kept, reported on, completed; its result is kept (§1, §4)."""
    async with actorq.open_queue("memory://") as queue:
        job = await queue.enqueue("mail", "to: x", priority=5, metadata={"a": "b"}, task="send")
        assert await queue.get_queue_length("mail") == 1
        taken = await queue.dequeue("mail", worker_id="w1", visibility_timeout=20)
        assert taken is not None
        assert (taken.id, taken.payload, taken.attempt) == (job.id, "to: x", 1)
        assert taken.lease is not None
        assert (taken.lease.worker_id, taken.lease.visibility_timeout) == ("w1", 20.0)
        assert await queue.get_queue_length("mail") == 0

        extended = await queue.extend(taken, visibility_timeout=40)
        assert extended.lease is not None
        assert extended.lease.token == taken.lease.token
        assert (await queue.report(taken, {"done": 0.5})).progress == '{"done":0.5}'
        done = await queue.ack(taken, result=["ok", 1])
        assert (done.status, done.result) == (Status.COMPLETED, '["ok",1]')
        assert (await queue.ack(taken)).version == done.version
        assert await queue.get_job(job.id) == await queue.get_job(job.id)
        assert await queue.dequeue("mail") is None


async def test_a_failure_comes_back_by_itself() -> None:
    """A failed job waits for its backoff and is delivered again, never early (§2, §5, I9)."""
    async with open_house() as house:
        await house.queue.enqueue("q", "x", max_retries=1)
        taken = await house.queue.dequeue("q")
        assert taken is not None
        failed = await house.queue.fail(taken, reason="broken", retry_in=5)
        assert (failed.status, failed.retry_count) == (Status.DELAYED, 1)
        failed_at = anyio.current_time()

        again = await house.queue.dequeue("q", wait=60)
        assert again is not None
        assert 5.0 <= anyio.current_time() - failed_at < 5.1
        assert (again.attempt, again.errors[0].message) == (2, "broken")
        dead = await house.queue.fail(again, reason="still broken")
        assert (dead.status, dead.dead_reason) == (Status.DEAD, DeadReason.RETRIES_EXHAUSTED)
        await house.balance()


async def test_a_silent_holder_s_job_goes_to_the_next() -> None:
    """A lease that runs out is ended in time, and its late holder is refused (§2, §4, I6)."""
    async with open_house() as house:
        await house.queue.enqueue("q", "x")
        first = await house.queue.dequeue("q", visibility_timeout=3)
        claimed_at = anyio.current_time()
        second = await house.queue.dequeue("q", wait=60)
        assert first is not None
        assert second is not None
        assert 3.0 <= anyio.current_time() - claimed_at < 3.1
        assert (second.id, second.attempt, second.expiries) == (first.id, 2, 1)
        with pytest.raises(actorq.LeaseLost):
            await house.queue.ack(first)
        with pytest.raises(actorq.LeaseLost):
            await house.queue.extend(first)
        await house.queue.ack(second)
        await house.balance()


async def test_a_cancelled_job_and_its_holder() -> None:
    """A waiting job is cancelled at once; the holder of a running one is told and ends it (§2)."""
    async with open_house() as house:
        await house.queue.enqueue("q", "x")
        taken = await house.queue.dequeue("q")
        waiting = await house.queue.enqueue("q", "y", delay=60)
        assert taken is not None
        assert (await house.queue.cancel(waiting.id)).status is Status.CANCELLED
        assert (await house.queue.cancel(taken.id)).status is Status.RUNNING
        assert (await house.queue.extend(taken)).cancel_requested
        assert (await house.queue.release(taken)).status is Status.CANCELLED
        await house.balance()


async def test_a_dead_job_has_another_life() -> None:
    """Rejected, listed among the dead, redriven one by one and in bulk, deleted (§2, I14)."""
    async with open_house() as house:
        queue = house.queue
        for number in range(3):
            await queue.enqueue("q", str(number))
        claimed = await queue.dequeue_many("q", 10)
        for job in claimed.jobs:
            await queue.fail(job, reason="no", retryable=False)
        dead = await queue.list_jobs(ListJobs(queue_name="q", statuses=frozenset({Status.DEAD})))
        assert [job.id for job in dead.jobs] == [job.id for job in reversed(claimed.jobs)]
        assert (await queue.redrive(dead.jobs[0].id)).status is Status.PENDING
        redriven = await queue.redrive_dead("q", limit=1)
        assert len(redriven) == 1
        assert (await queue.delete(dead.jobs[2].id)).status is Status.DEAD
        with pytest.raises(NotFound):
            await queue.get_job(dead.jobs[2].id)
        assert await queue.get_queue_length("q") == 2
        await house.balance()


async def test_a_job_that_nobody_started_in_time() -> None:
    """Past its ``expires_at`` a job is dead and was never given out (§2)."""
    async with open_house() as house:
        job = await house.queue.enqueue("q", "x", delay=3, expires_at=virtual_clock() + 1_000_000)
        await anyio.sleep(3.2)
        ended = await house.queue.get_job(job.id)
        assert (ended.status, ended.dead_reason) == (Status.DEAD, DeadReason.EXPIRED)
        assert [entry.kind for entry in ended.errors] == [ErrorKind.EXPIRED]
        assert await house.queue.dequeue("q") is None


async def test_queues_are_paused_resumed_set_and_purged() -> None:
    """What an operator does with a queue (§8)."""
    async with open_house() as house:
        queue = house.queue
        for number in range(1_200):
            await queue.enqueue("q", str(number))
        await queue.pause("q", "maintenance")
        assert (await queue.dequeue_many("q", 5)).paused
        waited = await queue.dequeue_many("q", 5, wait=1)
        assert waited.paused
        (figures,) = await queue.list_queues(["q"])
        assert (figures.settings.paused_reason, figures.counts[Status.PENDING]) == (
            "maintenance",
            1_200,
        )
        await queue.resume("q")
        await queue.update_queue(QueueEdit(queue_name="q", max_running=2))
        assert len((await queue.dequeue_many("q", 5)).jobs) == 2
        assert await queue.purge("q", frozenset({Status.PENDING})) == 1_198
        assert await queue.get_queue_length("q") == 0
        await queue.update_queue(QueueEdit(queue_name="q", max_depth=0))
        with pytest.raises(actorq.QueueFull):
            await queue.enqueue("q", "x")


async def test_retention_lets_go_by_itself() -> None:
    """What has ended long enough ago is pruned beside the work, and counted (§8, I13)."""
    kept = Policy(retention=actorq.Retention(completed=60.0))
    async with open_house(kept) as house:
        for number in range(10):
            await house.queue.enqueue("q", str(number))
        claimed = await house.queue.dequeue_many("q", 10)
        await house.queue.ack_many([actorq.Ack(job.id) for job in claimed.jobs])
        await anyio.sleep(59)
        assert len(house.jobs()) == 10
        await anyio.sleep(13)
        assert house.jobs() == []
        (figures,) = await house.queue.list_queues()
        assert (figures.accepted, figures.pruned) == (10, 10)
        await house.balance()


async def test_waiting_jobs_are_edited_by_version() -> None:
    """An edit on a version that has passed is refused; one of a running job too (§9)."""
    async with open_house() as house:
        job = await house.queue.enqueue("q", "x")
        edited = await house.queue.update_job(Edit(id=job.id, version=job.version, priority=3))
        assert edited.priority == 3
        with pytest.raises(actorq.StaleVersion):
            await house.queue.update_job(Edit(id=job.id, version=job.version, priority=4))
        await house.queue.dequeue("q")
        with pytest.raises(actorq.IllegalTransition):
            await house.queue.update_job(Edit(id=job.id, priority=4))


async def test_two_requests_that_mean_the_same_job() -> None:
    """Dedupe and idempotency through the face (§6)."""
    async with open_house() as house:
        queue = house.queue
        first = await queue.enqueue("q", "a", dedupe_key="k")
        assert (await queue.enqueue("q", "b", dedupe_key="k")).id == first.id
        with pytest.raises(actorq.DuplicateJob):
            await queue.enqueue("q", "b", dedupe_key="k", on_duplicate=actorq.OnDuplicate.REJECT)
        sent = await queue.enqueue("q", "c", idempotency_key="i")
        assert (await queue.enqueue("q", "c", idempotency_key="i")).id == sent.id
        with pytest.raises(actorq.IdempotencyKeyReused):
            await queue.enqueue("q", "d", idempotency_key="i")
        assert await queue.get_queue_length("q") == 2


async def test_ids_of_one_server_rise_strictly() -> None:
    """Jobs made at once by many callers have rising ids, and are delivered in that order (§7)."""
    async with open_house() as house:
        made: list[str] = []

        async def enqueue() -> None:
            made.append((await house.queue.enqueue("q", "x")).id)

        async with anyio.create_task_group() as tasks:
            for _ in range(200):
                tasks.start_soon(enqueue)
        assert len(set(made)) == 200
        claimed = await house.queue.dequeue_many("q", 200)
        assert [job.id for job in claimed.jobs] == sorted(made)


async def test_bad_input_reaches_no_store() -> None:
    """What breaks a bound is refused before anything travels (§1, rule 1)."""
    async with open_house() as house:
        queue = house.queue
        house.trouble.calls.clear()
        with pytest.raises(actorq.InvalidInput):
            await queue.enqueue("q", "\ud800")
        with pytest.raises(actorq.InvalidInput):
            await queue.dequeue_many("q", 1_001)
        with pytest.raises(actorq.InvalidInput):
            await queue.dequeue("q", wait=float("nan"))
        with pytest.raises(actorq.InvalidInput):
            await queue.ack("\ud800", "t")
        with pytest.raises(actorq.InvalidInput):
            await queue.list_jobs(ListJobs(limit=201))
        assert {verb for verb, _ in house.trouble.calls} <= {"check", "promote", "requeue", "prune"}
