"""Whoever waits is woken at once: by every event that makes a job ready, and never early (I9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import pytest

from actorq import Edit, JobQueue, NotFound, QueueEdit, Status
from actorq.core.policy import Policy
from actorq.runtime import BEAT_S
from tests.system.house import House, open_house

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from actorq import Job

AT_ONCE_S = 0.1
"""How late a delivery may be (p99, contract §3)."""


class Waiter:
    """A consumer that waits for up to a minute, and when it got what."""

    def __init__(self, queue: JobQueue) -> None:
        self._queue = queue
        self.job: Job | None = None
        self.at = 0.0

    async def wait(self) -> None:
        self.job = await self._queue.dequeue("q", wait=60)
        self.at = anyio.current_time()


async def _enqueue(house: House) -> float:
    await house.queue.enqueue("q", "x")
    return 0.0


async def _delayed(house: House) -> float:
    await house.queue.enqueue("q", "x", delay=7)
    return 7.0


async def _edited(house: House) -> float:
    job = await house.queue.enqueue("q", "x", delay=60)
    await house.queue.update_job(Edit(id=job.id, delay=0.0))
    return 0.0


@pytest.mark.parametrize("event", [_enqueue, _delayed, _edited], ids=lambda event: event.__name__)
async def test_a_waiting_consumer_is_woken(event: Callable[[House], Awaitable[float]]) -> None:
    """A new job, one that has become due, and one that was edited to be due (§2, §3)."""
    async with open_house() as house, anyio.create_task_group() as tasks:
        waiter = Waiter(house.queue)
        tasks.start_soon(waiter.wait)
        await anyio.sleep(11)
        start = anyio.current_time()
        due = start + await event(house)
        await anyio.sleep(50)
        assert waiter.job is not None
        assert due <= waiter.at <= due + AT_ONCE_S


async def test_a_consumer_is_woken_by_the_end_of_a_lease() -> None:
    """By a hand-back at once; by a silent holder when its time is over (§2, §4)."""
    async with open_house() as house:
        for seconds, is_edited in [(30.0, True), (5.0, False)]:
            await house.queue.enqueue("q", "x")
            held = await house.queue.dequeue("q", visibility_timeout=seconds)
            assert held is not None
            claimed_at = anyio.current_time()
            waiter = Waiter(house.queue)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(waiter.wait)
                await anyio.sleep(1.0)
                if is_edited:
                    await house.queue.release(held)
            due = claimed_at + (1.0 if is_edited else seconds)
            assert waiter.job is not None
            assert due <= waiter.at <= due + AT_ONCE_S
            await house.queue.ack(waiter.job)


async def test_a_consumer_is_woken_by_a_resume() -> None:
    """A paused queue that is resumed gives out what it held back (§8)."""
    async with open_house() as house, anyio.create_task_group() as tasks:
        await house.queue.enqueue("q", "x")
        await house.queue.pause("q")
        waiter = Waiter(house.queue)
        tasks.start_soon(waiter.wait)
        await anyio.sleep(11)
        assert not waiter.at
        start = anyio.current_time()
        await house.queue.resume("q")
        await anyio.sleep(BEAT_S / 2)
        assert waiter.job is not None
        assert start <= waiter.at <= start + AT_ONCE_S


async def test_a_consumer_is_woken_when_there_is_room() -> None:
    """At the bound of running jobs, each job that ends lets the next one start at once (§8)."""
    async with open_house() as house:
        for number in range(20):
            await house.queue.enqueue("q", str(number))
        await house.queue.update_queue(QueueEdit(queue_name="q", max_running=1))
        start = anyio.current_time()
        done: list[str] = []

        async def work() -> None:
            while (job := await house.queue.dequeue("q", wait=5)) is not None:
                await anyio.sleep(0.01)
                await house.queue.ack(job)
                done.append(job.payload)

        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(work)
        assert done == [str(number) for number in range(20)]
        assert anyio.current_time() - start < 20 * 0.01 + 5.0 + BEAT_S


async def test_a_redriven_job_wakes_its_queue() -> None:
    """A dead job that gets another life is delivered at once (§2)."""
    async with open_house() as house:
        await house.queue.enqueue("q", "x")
        taken = await house.queue.dequeue("q")
        assert taken is not None
        await house.queue.fail(taken, retryable=False)
        waiter = Waiter(house.queue)
        start = anyio.current_time() + 11
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(waiter.wait)
            await anyio.sleep_until(start)
            await house.queue.redrive(taken.id)
        assert start <= waiter.at <= start + AT_ONCE_S


async def test_a_lost_hint_costs_a_beat() -> None:
    """A job that another process put there is found at the next beat (rule 8)."""
    async with open_house() as house, anyio.create_task_group() as tasks:
        waiter = Waiter(house.queue)
        tasks.start_soon(waiter.wait)
        await anyio.sleep(11)
        start = anyio.current_time()
        house.backend.enqueue([house.queue.new_job("q", "x")])
        await anyio.sleep(10)
        assert waiter.job is not None
        assert waiter.at - start <= BEAT_S + AT_ONCE_S


async def test_a_wait_ends_in_time_and_leaves_nothing_behind() -> None:
    """A consumer that got nothing leaves when its time is over; a later job is not lost to it (§9)."""
    async with open_house() as house:
        start = anyio.current_time()
        assert await house.queue.dequeue("q", wait=3) is None
        assert anyio.current_time() - start == pytest.approx(3.0)
        await house.queue.enqueue("q", "x")
        await house.balance()
        assert (await house.queue.get_queue_length("q")) == 1
        assert house.job(house.jobs()[0].id).interruptions == 0


async def test_consumers_are_served_first_come_first_served() -> None:
    """Ten consumers wait, ten jobs come one by one: each gets its own, in order of arrival."""
    async with open_house() as house:
        got: list[int] = []

        async def wait(number: int) -> None:
            assert await house.queue.dequeue("q", wait=60) is not None
            got.append(number)

        async with anyio.create_task_group() as tasks:
            for number in range(10):
                tasks.start_soon(wait, number)
                await anyio.wait_all_tasks_blocked()
            for number in range(10):
                await house.queue.enqueue("q", str(number))
                await anyio.wait_all_tasks_blocked()
        assert got == list(range(10))


async def test_a_change_of_a_job_wakes_whoever_watches_it() -> None:
    """A watch is answered by the job's own change, at once, and by no other (§9)."""
    async with open_house() as house:
        job = await house.queue.enqueue("q", "x")
        other = await house.queue.enqueue("q", "y")
        seen: list[tuple[float, Job | None]] = []

        async def watch() -> None:
            changed = await house.queue.wait_for_change(job.id, job.version, 60)
            seen.append((anyio.current_time(), changed))

        start = anyio.current_time() + 10
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(watch)
            tasks.start_soon(watch)
            await anyio.sleep(5)
            await house.queue.cancel(other.id)
            await anyio.sleep_until(start)
            assert seen == []
            await house.queue.cancel(job.id)
        assert len(seen) == 2
        for at, changed in seen:
            assert start <= at <= start + AT_ONCE_S
            assert changed is not None
            assert changed.status is Status.CANCELLED


async def test_a_watch_that_sees_nothing_ends_in_time() -> None:
    """None after the wait; at once without one; NotFound where there is no job (§9)."""
    async with open_house(Policy()) as house:
        job = await house.queue.enqueue("q", "x")
        start = anyio.current_time()
        assert await house.queue.wait_for_change(job.id, job.version, 3) is None
        assert anyio.current_time() - start == pytest.approx(3.0)
        assert await house.queue.wait_for_change(job.id, job.version, 0) is None
        changed = await house.queue.wait_for_change(job.id, job.version - 1, 0)
        assert changed == job
        for wait in (0, 3):
            with pytest.raises(NotFound):
                await house.queue.wait_for_change("nobody", 1, wait)
