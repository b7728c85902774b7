"""The fixture ``queue``: a real queue whose time a test lets pass, and whose contents it can look at."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
import pytest

from actorq import Status

if TYPE_CHECKING:
    from actorq.testing.queue_kit import QueueUnderTest


async def test_time_passes_at_once(queue: QueueUnderTest) -> None:
    """An hour passes as soon as every task waits, to the microsecond (§3)."""
    begin = queue.now()
    await queue.advance("1h")
    assert queue.now() - begin == timedelta(hours=1, microseconds=1)
    await queue.advance(timedelta(minutes=2))
    assert queue.now() - begin == timedelta(hours=1, minutes=2, microseconds=2)


async def test_what_is_due_happens_in_order(queue: QueueUnderTest) -> None:
    """Sleeps, due jobs and leases that run out come one after another, each at its moment (§3)."""
    order: list[str] = []

    async def sleep(seconds: float, name: str) -> None:
        await anyio.sleep(seconds)
        order.append(name)

    late = await queue.enqueue("mail", "late", delay=15.0)
    await queue.enqueue("lost", "x")
    held = await queue.dequeue("lost", visibility_timeout=25.0)
    assert held is not None
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(sleep, 20.0, "twenty")
        tasks.start_soon(sleep, 10.0, "ten")
        await queue.advance("12s")
        assert order == ["ten"]
        assert (await queue.get_job(late.id)).status is Status.DELAYED
        await queue.advance("4s")
        assert (await queue.get_job(late.id)).status is Status.PENDING
        await queue.advance("10s")
        assert order == ["ten", "twenty"]
        assert (await queue.get_job(held.id)).expiries == 1


async def test_threads_take_no_time(queue: QueueUnderTest) -> None:
    """While a thread works for the loop, no virtual time runs out for whoever waits for it (§3)."""
    begin = queue.now()
    gate = anyio.Event()

    def work() -> int:
        anyio.from_thread.run_sync(gate.set)
        return 7

    with anyio.fail_after(0.001):
        assert await anyio.to_thread.run_sync(work) == 7
    assert gate.is_set()
    assert queue.now() == begin


async def test_time_can_be_held(queue: QueueUnderTest) -> None:
    """A test that waits for something real holds the time meanwhile (§3)."""
    begin = queue.now()
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener:
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        with queue.hold_time():
            async with await anyio.connect_tcp("127.0.0.1", port):
                assert queue.now() == begin


async def test_jobs_are_looked_for(queue: QueueUnderTest) -> None:
    """A job is found by any of its fields, and a miss says what there is instead."""
    queue.assert_nothing_enqueued()
    await queue.enqueue("mail", "one", priority=3, metadata={"a": "1", "b": "2"}, task="send")
    last = await queue.enqueue("mail", "one")
    assert queue.assert_enqueued("mail", payload="one") == last
    found = queue.assert_enqueued(priority=3, metadata={"a": "1"}, status="pending", task="send")
    assert found.metadata == {"a": "1", "b": "2"}
    queue.assert_nothing_enqueued("other")
    with pytest.raises(
        AssertionError, match=r"priority=4 was enqueued; there are:\n.*\n.*task='send'"
    ):
        queue.assert_enqueued("mail", priority=4)
    with pytest.raises(AssertionError, match="there are no jobs"):
        queue.assert_enqueued("other", payload="one")
    with pytest.raises(AssertionError, match="jobs were enqueued"):
        queue.assert_nothing_enqueued()
    with pytest.raises(TypeError, match="no colour"):
        queue.assert_enqueued(colour="red")


async def test_all_jobs_are_seen_whatever_their_number(queue: QueueUnderTest) -> None:
    """Jobs are listed over all pages, oldest first, ended ones too."""
    made = [queue.new_job("mail", str(n)) for n in range(450)]
    await queue.enqueue_many(made)
    assert [job.id for job in queue.jobs("mail")] == [job.id for job in made]


async def work_off(queue: QueueUnderTest) -> None:
    """Work as a program's own worker would."""
    while (job := await queue.dequeue("mail", wait=20.0)) is not None:
        await anyio.sleep(5.0)
        if job.payload == "bad" and job.attempt == 1:
            await queue.fail(job, reason="no", retry_in=600.0)
        else:
            await queue.ack(job)


async def test_a_queue_is_drained_by_whoever_works(queue: QueueUnderTest) -> None:
    """Draining waits for pending and running jobs, and on demand for those to come (§2)."""
    await queue.pause("paused")
    await queue.enqueue("paused", "waits for ever")
    bad = await queue.enqueue("mail", "bad")
    good = await queue.enqueue("mail", "good")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(work_off, queue)
        await queue.drain()
        assert (await queue.get_job(good.id)).status is Status.COMPLETED
        assert (await queue.get_job(bad.id)).status is Status.DELAYED
        tasks.cancel_scope.cancel()


async def test_draining_passes_time_to_what_is_delayed(queue: QueueUnderTest) -> None:
    """With ``delayed`` time passes up to the last job, however far it is (§2)."""
    job = await queue.enqueue("mail", "later", delay=7_200.0)
    async with anyio.create_task_group() as tasks:

        async def work() -> None:
            while True:
                await work_off(queue)

        tasks.start_soon(work)
        await queue.drain(delayed=True)
        tasks.cancel_scope.cancel()
    done = await queue.get_job(job.id)
    assert done.status is Status.COMPLETED
    assert done.completed_at is not None
    assert done.completed_at - done.created_at == 7_205_000_000
