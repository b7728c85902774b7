"""A worker's end: nothing is lost by it, nothing fails by it, and it comes in time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import pytest

from actorq import Delivery, Status
from tests.sdk.worker.shop import Shop, open_shop

if TYPE_CHECKING:
    from collections.abc import Callable

    from actorq import Worker

GRACE_S = 10.0
SOFT_S = 8.0


def add_work(shop: Shop) -> list[str]:
    """Add tasks of several tempers; return what became of their handlers."""
    ends: list[str] = []

    @shop.app.task
    async def short() -> None:
        await anyio.sleep(5.0)
        ends.append("short")

    @shop.app.task
    async def endless() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            ends.append("endless")

    @shop.app.task
    async def tidy() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.sleep(1.0)
            ends.append("tidy")

    @shop.app.task
    async def sulky() -> None:
        try:
            await anyio.sleep_forever()
        except BaseException as error:
            raise ValueError("interrupted") from error

    @shop.app.task
    async def stubborn() -> None:
        with anyio.CancelScope(shield=True):
            await anyio.sleep(30.0)

    return ends


async def stop(shop: Shop, *names: str, waiting: int = 0) -> float:
    """Start one job of each name on a worker, and stop it; return how long that took."""
    for name in names:
        await shop.order(name)
    async with shop.hire(grace=GRACE_S, concurrency=len(names)):
        await anyio.sleep(1.0)
        await shop.order("short", waiting)
        stopped_at = anyio.current_time()
    return anyio.current_time() - stopped_at


async def test_what_ends_in_time_is_acknowledged() -> None:
    """Handlers may run on; nothing new is claimed meanwhile."""
    async with open_shop() as shop:
        ends = add_work(shop)
        assert 3.9 < await stop(shop, "short", waiting=3) < 4.2
        assert ends == ["short"]
        assert len(shop.house.jobs(Status.COMPLETED)) == 1
        assert [job.attempt for job in shop.house.jobs(Status.PENDING)] == [0, 0, 0]
        await shop.house.balance()


@pytest.mark.parametrize("name", ["endless", "tidy", "sulky"])
async def test_what_does_not_end_is_handed_back(name: str) -> None:
    """Cancelled after four fifths of the grace; no failure, no retry, and at once for others (I8)."""
    async with open_shop() as shop:
        ends = add_work(shop)
        took = await stop(shop, name)
        assert SOFT_S <= took < SOFT_S + 1.2
        assert ends == ([] if name == "sulky" else [name])
        (job,) = shop.house.jobs()
        assert (job.status, job.interruptions) == (Status.PENDING, 1)
        assert (job.retry_count, job.errors, job.expiries) == (0, (), 0)
        await shop.house.balance()


async def test_the_end_comes_within_the_grace() -> None:
    """A handler that cannot be cancelled is left to its lease: only it is."""
    async with open_shop() as shop:
        add_work(shop)
        (job_id,) = await shop.order("stubborn")
        async with shop.hire(grace=GRACE_S) as worker:
            await anyio.sleep(1.0)
            asked_at = anyio.current_time()
            await worker.stop()
            assert GRACE_S - 0.1 < anyio.current_time() - asked_at < GRACE_S + 0.1
        assert (await shop.queue.get_job(job_id)).status is Status.RUNNING


async def test_what_waits_for_its_turn_is_handed_back_unstarted() -> None:
    """At once, and at-most-once jobs too: they were claimed and never started (I4)."""
    async with open_shop() as shop:
        runs = 0

        @shop.app.task(concurrency=1)
        async def work() -> None:
            nonlocal runs
            runs += 1
            await anyio.sleep(2.0)

        await shop.order("work", 5, delivery=Delivery.AT_MOST_ONCE)
        async with shop.hire(grace=GRACE_S, concurrency=5):
            await anyio.sleep(1.0)
            asked_at = anyio.current_time()
        assert anyio.current_time() - asked_at < 1.2
        assert (runs, len(shop.house.jobs(Status.COMPLETED))) == (1, 1)
        left = shop.house.jobs(Status.PENDING)
        assert [(job.attempt, job.interruptions) for job in left] == [(1, 1)] * 4
        await shop.house.balance()


def by_cancelling(_: Worker, scope: anyio.CancelScope) -> None:
    """End a worker by cancelling what is around it."""
    scope.cancel()


def in_a_hurry(worker: Worker, scope: anyio.CancelScope) -> None:
    """End it without waiting for anybody."""
    worker.hurry()
    scope.cancel()


@pytest.mark.parametrize(("end", "seconds"), [(by_cancelling, SOFT_S), (in_a_hurry, 0.0)])
async def test_a_worker_that_is_cancelled_stops_in_order(
    end: Callable[[Worker, anyio.CancelScope], None], seconds: float
) -> None:
    """Under a shield: the jobs go back all the same. In a hurry, handlers are cancelled at once."""
    async with open_shop() as shop:
        add_work(shop)
        await shop.order("endless", 3)
        asked_at = anyio.current_time() + 1.0
        with anyio.CancelScope() as scope:
            async with shop.hire(grace=GRACE_S) as worker:
                await anyio.sleep_until(asked_at)
                end(worker, scope)
                await anyio.sleep_forever()
        assert seconds <= anyio.current_time() - asked_at < seconds + 0.3
        jobs = shop.house.jobs(Status.PENDING)
        assert [(job.interruptions, job.errors) for job in jobs] == [(1, ())] * 3
        await shop.house.balance()


async def test_a_stop_while_claims_wait_is_immediate() -> None:
    """An idle worker has nothing to wait for."""
    async with open_shop() as shop:
        add_work(shop)
        async with shop.hire(queues={"a": 1, "b": 2}) as worker:
            await anyio.sleep(3.0)
            asked_at = anyio.current_time()
            await worker.stop()
        assert anyio.current_time() - asked_at < 0.1
        assert worker.figures.contact is not None


async def test_a_stop_under_load_costs_no_job_anything() -> None:
    """Again and again, among jobs that begin and end: each is done once, no retry is spent (A8)."""
    async with open_shop() as shop:
        done: list[str] = []

        @shop.app.task
        async def work() -> None:
            await anyio.sleep(0.3)
            done.append("")

        ids = await shop.order("work", 300)
        while len(shop.house.jobs(Status.COMPLETED)) < 150:
            async with shop.hire(grace=1.0, concurrency=20):
                await anyio.sleep(0.77)
        async with shop.hire(concurrency=20):
            jobs = [await shop.ended(job_id) for job_id in ids]
        assert len(done) == 300
        assert {(job.status, job.retry_count, job.expiries) for job in jobs} == {
            (Status.COMPLETED, 0, 0)
        }
        await shop.house.balance()
