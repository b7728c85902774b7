"""Stopping: upstream first, everybody answered, nothing lost, within the grace (rule 10)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import anyio
import pytest

import actorq
from actorq import Claimed, Job, ShuttingDown, Status
from actorq.core.job import Delivery
from actorq.runtime import Options
from tests.system.house import House, open_house

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


async def test_drain_answers_all_who_wait_at_once() -> None:
    """Consumers get the empty answer, watches their job as it stands, and so do those to come (§9)."""
    async with open_house() as house:
        job = await house.queue.enqueue("other", "x")
        answers: list[tuple[float, object]] = []

        async def note(call: Callable[[], Awaitable[object]]) -> None:
            answer = await call()
            answers.append((anyio.current_time(), answer))

        start = anyio.current_time() + 1
        async with anyio.create_task_group() as tasks:
            for name in ("a", "b", "a"):
                tasks.start_soon(note, partial(house.queue.dequeue_many, name, 1, wait=60))
            tasks.start_soon(note, lambda: house.queue.wait_for_change(job.id, job.version, 60))
            await anyio.sleep_until(start)
            assert not house.queue.draining
            house.runtime.drain()
        assert house.queue.draining
        assert [answer for _, answer in answers if answer is not None] == [Claimed()] * 3
        assert len(answers) == 4
        assert all(at == start for at, _ in answers)

        start = anyio.current_time()
        assert await house.queue.dequeue("other", wait=60) is None
        assert await house.queue.wait_for_change(job.id, job.version, 60) is None
        assert anyio.current_time() == start


async def test_settling_goes_on_while_draining() -> None:
    """Who holds a job may finish it; nothing new is given out (§9, fault A8)."""
    async with open_house() as house:
        await house.queue.enqueue("q", "x")
        held = await house.queue.dequeue("q")
        assert held is not None
        house.runtime.drain()
        await house.queue.enqueue("q", "y")
        assert await house.queue.dequeue("q", wait=5) is None
        await house.queue.extend(held)
        assert (await house.queue.ack(held)).status is Status.COMPLETED


async def test_what_was_asked_before_the_stop_is_done() -> None:
    """Calls in flight when the block ends are answered, and their effect is in the store (I1)."""
    results: list[Job] = []
    houses: list[House] = []
    async with anyio.create_task_group() as tasks, open_house() as house:
        houses.append(house)

        async def enqueue(number: int) -> None:
            results.append(await house.queue.enqueue("q", str(number)))

        for number in range(100):
            tasks.start_soon(enqueue, number)
        # One turn, in which they are sent.
        await anyio.lowlevel.checkpoint()
    assert {job.id for job in results} == {job.id for job in houses[0].jobs()}
    assert len(results) == 100


async def test_consumers_are_answered_when_the_block_ends() -> None:
    """A consumer outside of the block is not left waiting: empty, or refused (rule 10)."""
    answers: list[Job | None] = []
    async with anyio.create_task_group() as tasks, open_house() as house:

        async def wait() -> None:
            answers.append(await house.queue.dequeue("q", wait=600))

        tasks.start_soon(wait)
        await anyio.sleep(1)
    assert answers == [None]
    with pytest.raises(ShuttingDown):
        await house.queue.enqueue("q", "x")


@pytest.mark.parametrize("how", ["raises", "is cancelled", "times out"])
async def test_however_the_block_ends_the_books_balance(how: str) -> None:
    """A body that fails or is cancelled in the middle of its work loses nothing (I1, I8)."""
    houses: list[House] = []

    async def live() -> None:
        with anyio.CancelScope() as scope:
            async with open_house() as house, anyio.create_task_group() as tasks:
                houses.append(house)
                for number in range(20):
                    await house.queue.enqueue("q", str(number), delivery=Delivery.AT_MOST_ONCE)

                async def work() -> None:
                    while (job := await house.queue.dequeue("q", wait=60)) is not None:
                        await house.queue.ack(job)

                for _ in range(5):
                    tasks.start_soon(work)
                await anyio.lowlevel.checkpoint()
                await anyio.lowlevel.checkpoint()
                if how == "raises":
                    raise LookupError("mine")
                if how == "is cancelled":
                    scope.cancel()
                else:
                    scope.deadline = anyio.current_time()
                await anyio.sleep_forever()

    if how == "raises":
        with pytest.raises(BaseExceptionGroup) as caught:
            await live()
        assert caught.group_contains(LookupError)
    else:
        await live()
    (house,) = houses
    assert len(house.jobs()) == 20
    # A worker that was cancelled while it had a job in its hands has it still: its lease runs out. What
    # was on its way to one went back, so there is at most one for each.
    assert len(house.jobs(Status.RUNNING)) <= 5
    assert house.jobs(Status.DEAD) == []


async def test_a_body_s_own_error_leaves_as_it_is() -> None:
    """``except MyError`` around the block works in an embedding program."""

    async def live() -> None:
        async with actorq.open_queue("memory://") as queue:
            await queue.enqueue("q", "x")
            raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        await live()


async def test_a_stop_takes_no_time_when_nothing_is_in_the_way() -> None:
    """An idle system stops at once, on a cancelled caller too."""
    start = anyio.current_time()
    async with open_house():
        await anyio.sleep(5)
    with anyio.move_on_after(5):
        async with open_house():
            await anyio.sleep_forever()
    assert anyio.current_time() - start < 10.1


async def test_many_systems_can_live_side_by_side() -> None:
    """Nothing is global: two systems in one loop have nothing to do with each other."""
    async with open_house() as first, open_house() as second:
        await first.queue.enqueue("q", "x")
        assert await second.queue.dequeue("q", wait=1) is None
        await first.works()
        await second.works()


@pytest.mark.parametrize(
    "wrong", [{"pool_size": 0}, {"mailbox_capacity": 0}, {"grace": -1.0}, {"grace": float("nan")}]
)
async def test_options_that_cannot_work_are_refused(wrong: dict[str, float]) -> None:
    """A wrong option is an error at once, not a strange one later."""
    with pytest.raises(actorq.ConfigurationError):
        Options(**wrong)  # type: ignore[arg-type]  # the point
