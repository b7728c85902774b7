"""asyncio's own cancellation, which knows no scopes: ``task.cancel()`` and ``asyncio.timeout``."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from actorq import Job, Status
from actorq.core.job import Delivery
from tests.system.house import House, open_house
from tests.system.jumping import JumpingLoop

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

asyncio_only = pytest.mark.parametrize(
    "anyio_backend", [("asyncio", {"loop_factory": JumpingLoop})], ids=["asyncio"]
)
"""trio has no other cancellation than that of scopes."""

TURNS = 40


@asyncio_only
@pytest.mark.parametrize("wait", [0.0, 30.0])
async def test_a_consumer_that_is_cancelled_at_any_turn_takes_no_lease_along(wait: float) -> None:
    """The claimed job goes back, whichever turn of the loop the cancellation falls into (B14)."""

    def take(house: House) -> Coroutine[Any, Any, Job | None]:
        return house.queue.dequeue("q", wait=wait)

    await sweep(take)


@asyncio_only
async def test_a_timeout_of_asyncio_takes_no_lease_along() -> None:
    """``asyncio.wait_for`` cancels natively when its time is over (B14)."""
    async with open_house() as house:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(house.queue.dequeue("q", wait=60), timeout=1.0)
        await house.queue.enqueue("q", "x", delivery=Delivery.AT_MOST_ONCE)
        await house.balance()
        assert house.jobs(Status.PENDING)[0].interruptions == 0


async def sweep(take: Callable[[House], Coroutine[Any, Any, Job | None]]) -> None:
    """Cancel ``take`` after one turn, two, and so on; after each, nobody may have a lease."""
    async with open_house() as house:
        for turns in range(TURNS):
            made = await house.queue.enqueue("q", "x", delivery=Delivery.AT_MOST_ONCE)
            task = asyncio.ensure_future(take(house))
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            (job,) = await asyncio.gather(task, return_exceptions=True)
            if isinstance(job, Job):
                assert turns > 1
                await house.balance(job)
                return
            await house.balance()
            assert house.job(made.id).status is Status.PENDING
            await house.queue.cancel(made.id)
    raise AssertionError("it never completed")


@asyncio_only
async def test_a_program_that_is_cancelled_natively_stops_in_order() -> None:
    """The task that holds the block is cancelled by asyncio itself: what was asked is done (rule 10)."""
    houses: list[House] = []

    async def live() -> None:
        async with open_house() as house:
            houses.append(house)
            await house.queue.enqueue("q", "x")
            await anyio.sleep_forever()

    task = asyncio.ensure_future(live())
    await asyncio.sleep(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert houses[0].store.closed == 1
    assert len(houses[0].jobs()) == 1
