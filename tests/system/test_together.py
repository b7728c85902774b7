"""Whatever waits together travels together: how many calls to the store a crowd costs (rule 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import pytest

from actorq import Overloaded, Status
from actorq.actors.lease_manager import IDLE_BEATS, UNUSED_BEATS
from actorq.runtime import BEAT_S, Options
from tests.system.house import House, open_house

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

CROWD = 100


async def together(house: House, call: Callable[[int], Coroutine[Any, Any, object]]) -> None:
    """Make a crowd of calls at the same moment."""
    house.trouble.calls.clear()
    async with anyio.create_task_group() as tasks:
        for number in range(CROWD):
            tasks.start_soon(call, number)


async def test_a_crowd_of_callers_travels_in_few_calls() -> None:
    """A hundred tasks that enqueue, claim and ack a job each cost a handful of calls (rule 3)."""
    async with open_house() as house:
        queue = house.queue
        await together(house, lambda n: queue.enqueue("q", str(n)))
        assert sum(house.trouble.sizes("enqueue")) == CROWD
        assert house.trouble.count("enqueue") <= 3

        await together(house, lambda _: queue.dequeue("q", wait=5))
        assert sum(house.trouble.sizes("dequeue")) == CROWD
        assert house.trouble.count("dequeue") <= 3

        held = house.jobs(Status.RUNNING)
        assert len(held) == CROWD
        await together(house, lambda n: queue.extend(held[n]))
        assert house.trouble.count("extend") <= 3
        await together(house, lambda n: queue.ack(held[n]))
        assert house.trouble.count("ack") <= 3
        await together(house, lambda n: queue.get_job(held[n].id))
        assert house.trouble.count("get_job") <= 3
        await house.balance()


async def test_a_hundred_waiting_consumers_are_served_by_one_claim() -> None:
    """Consumers that wait together are matched with what comes together (rule 3)."""
    async with open_house() as house:
        got: list[str] = []

        async def wait() -> None:
            job = await house.queue.dequeue("q", wait=60)
            assert job is not None
            got.append(job.id)

        jobs = [house.queue.new_job("q", str(n)) for n in range(CROWD)]
        async with anyio.create_task_group() as tasks:
            for _ in range(CROWD):
                tasks.start_soon(wait)
            await anyio.wait_all_tasks_blocked()
            house.trouble.calls.clear()
            await house.queue.enqueue_many(jobs)
        assert sorted(got) == [job.id for job in jobs]
        assert house.trouble.count("dequeue") == 1


async def test_an_idle_system_asks_the_store_next_to_nothing() -> None:
    """A minute without work costs a few looks a beat, whatever waits for later (rule 6)."""
    async with open_house() as house:
        jobs = [house.queue.new_job("q", "x", delay=86_400) for _ in range(1_000)]
        await house.queue.enqueue_many(jobs)
        await anyio.sleep(10)
        house.trouble.calls.clear()
        await anyio.sleep(60)
        assert len(house.trouble.calls) <= 60 / BEAT_S * 2 + 60 / 10 * 2 + 2


async def test_idle_lease_managers_are_let_go_and_come_back() -> None:
    """A queue that nobody asks for costs no task; its next consumer finds a manager again (I18)."""

    def managers() -> int:
        return sum(
            t.name is not None and "lease-manager" in t.name for t in anyio.get_running_tasks()
        )

    async with open_house() as house:
        for number in range(50):
            assert await house.queue.dequeue(f"nothing-{number}") is None
        await house.queue.enqueue("q", "x")
        job = await house.queue.dequeue("q", visibility_timeout=600)
        assert job is not None
        assert managers() == 51
        await anyio.sleep((UNUSED_BEATS + 1) * BEAT_S)
        assert managers() == 1
        await anyio.sleep((IDLE_BEATS + 1) * BEAT_S)
        assert managers() == 0
        await house.queue.release(job)
        assert await house.queue.dequeue("q", wait=1) is not None
        assert managers() == 1


async def test_a_manager_with_a_waiting_consumer_stays() -> None:
    """However long nothing comes, a waiting consumer is not forgotten."""
    async with open_house() as house, anyio.create_task_group() as tasks:
        got: list[object] = []

        async def wait() -> None:
            got.append(await house.queue.dequeue("q", wait=86_400))

        tasks.start_soon(wait)
        await anyio.sleep(3 * IDLE_BEATS * BEAT_S)
        await house.queue.enqueue("q", "x")
        await anyio.wait_all_tasks_blocked()
        assert len(got) == 1


async def test_a_full_mailbox_says_so_at_once() -> None:
    """Beyond its bound a mailbox refuses, nothing waits without end, and the rest is served (rule 7)."""
    async with open_house(options=Options(mailbox_capacity=5)) as house:
        refused: list[int] = []

        async def enqueue(number: int) -> None:
            try:
                await house.queue.enqueue("q", str(number))
            except Overloaded:
                refused.append(number)

        await together(house, enqueue)
        made = {job.payload for job in house.jobs()}
        assert refused
        assert made == {str(number) for number in range(CROWD)} - {str(n) for n in refused}
        await house.works()


async def test_a_large_bulk_does_not_hold_up_a_small_one() -> None:
    """Each request is answered after the call that holds it, whatever travels beside it."""
    async with open_house() as house:
        sizes: list[int] = []

        async def enqueue(many: int) -> None:
            jobs = [house.queue.new_job("q", "x") for _ in range(many)]
            assert len(await house.queue.enqueue_many(jobs)) == many
            sizes.append(many)

        async with anyio.create_task_group() as tasks:
            for many in (5_000, 1, 1_500, 1_500, 0):
                tasks.start_soon(enqueue, many)
        assert sorted(sizes) == [0, 1, 1_500, 1_500, 5_000]
        assert max(house.trouble.sizes("enqueue")) == 5_000
        assert await house.queue.get_queue_length("q") == 8_001


@pytest.mark.parametrize("slots", [1, 7, 1_000])
async def test_a_claim_takes_no_more_than_its_slots(slots: int) -> None:
    """No prefetch beyond free slots (§7)."""
    async with open_house() as house:
        jobs = [house.queue.new_job("q", "x") for _ in range(1_100)]
        await house.queue.enqueue_many(jobs)
        claimed = await house.queue.dequeue_many("q", slots)
        assert [job.id for job in claimed.jobs] == [job.id for job in jobs[:slots]]
        await house.balance(*claimed.jobs)
