"""Slots: shares of what is free, by weight, and no more than is free."""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING

import anyio
import pytest

from actorq.sdk.worker.slots import PROBE_S, Slots

if TYPE_CHECKING:
    from collections.abc import Mapping


class Market:
    """Queues that are asked by fetchers of the test's, and jobs that take a second each."""

    def __init__(
        self, capacity: int, weights: Mapping[str, float], jobs: Mapping[str, int]
    ) -> None:
        self.slots = Slots(capacity, weights)
        self.jobs = Counter(jobs)
        self.capacity = capacity
        self.running = 0
        self.order: deque[str] = deque()
        self.polls: Counter[str] = Counter()

    async def fetch(self, name: str, tasks: anyio.abc.TaskGroup) -> None:
        """Claim for one queue, as a fetcher does."""
        while True:
            grant = await self.slots.reserve(name)
            got = 0
            try:
                with anyio.CancelScope() as scope:
                    if grant.is_patient:
                        self.slots.polls(name, scope)
                        self.polls[name] += 1
                        while not self.jobs[name]:  # noqa: ASYNC110 - it polls, as a store would
                            await anyio.sleep(0.01)
                    await anyio.sleep(0.001)
                    got = min(grant.slots, self.jobs[name])
                self.slots.polls(name, None)
                self.jobs[name] -= got
            finally:
                self.slots.answered(name, got)
            for _ in range(got):
                self.order.append(name)
                tasks.start_soon(self.work)

    async def work(self) -> None:
        """Run one job."""
        self.running += 1
        assert self.running <= self.capacity
        await anyio.sleep(1.0)
        self.running -= 1
        self.slots.free(1)


async def serve(market: Market, seconds: float) -> Counter[str]:
    """Let a market run; return how many jobs of each queue were started."""
    async with anyio.create_task_group() as tasks:
        for name in list(market.jobs):
            tasks.start_soon(market.fetch, name, tasks)
        await anyio.sleep(seconds)
        tasks.cancel_scope.cancel()
    return Counter(market.order)


@pytest.mark.parametrize("capacity", [1, 4, 40])
async def test_full_queues_share_by_weight(capacity: int) -> None:
    """Of weights 3 and 1, three jobs of one are run for each of the other, whatever the size."""
    market = Market(capacity, {"a": 3.0, "b": 1.0}, {"a": 10_000, "b": 10_000})
    started = await serve(market, 40.5)
    total = sum(started.values())
    assert total >= 40 * capacity
    assert abs(started["a"] - 0.75 * total) <= max(2, 0.02 * total)


async def test_one_full_queue_has_all_slots() -> None:
    """Queues without jobs hold back nothing, however great their weight."""
    market = Market(10, {"a": 1.0, "b": 50.0, "c": 50.0}, {"a": 1_000, "b": 0, "c": 0})
    started = await serve(market, 10.5)
    assert started["a"] >= 95
    assert market.running <= 10


async def test_a_queue_that_fills_up_gets_its_share_soon() -> None:
    """Although the other takes every slot that becomes free; idle time gives no claim to more."""
    market = Market(4, {"a": 1.0, "b": 1.0}, {"a": 10_000, "b": 0})
    async with anyio.create_task_group() as tasks:
        for name in ("a", "b"):
            tasks.start_soon(market.fetch, name, tasks)
        await anyio.sleep(20)
        market.order.clear()
        market.jobs["b"] += 10_000
        await anyio.sleep(PROBE_S + 1.1)
        assert "b" in market.order
        market.order.clear()
        await anyio.sleep(20)
        tasks.cancel_scope.cancel()
    shares = Counter(market.order)
    assert abs(shares["a"] - shares["b"]) <= 6


async def test_idle_queues_are_all_listened_to() -> None:
    """With fewer slots than queues they take turns; a job in any of them is found in time."""
    names = "abcde"
    market = Market(2, dict.fromkeys(names, 1.0), dict.fromkeys(names, 0))
    async with anyio.create_task_group() as tasks:
        for name in names:
            tasks.start_soon(market.fetch, name, tasks)
        for name in names:
            await anyio.sleep(3)
            market.jobs[name] += 1
            began = anyio.current_time()
            while market.jobs[name]:  # noqa: ASYNC110 - virtual time passes by itself
                await anyio.sleep(0.01)
            assert anyio.current_time() - began < len(names) * PROBE_S
        tasks.cancel_scope.cancel()


async def test_a_single_queue_waits_with_all_that_is_free() -> None:
    """Nobody else needs the slots, so that no claim is ever withdrawn."""
    slots = Slots(5, {"a": 1.0})
    assert await slots.reserve("a") == (5, True)
    slots.answered("a", 3)
    assert await slots.reserve("a") == (2, True)
    slots.answered("a", 2)
    with anyio.move_on_after(60) as full:
        await slots.reserve("a")
    assert full.cancelled_caught
    slots.free(1)
    assert await slots.reserve("a") == (1, True)
