"""A worker among faults: of the store, of what handlers return, of the worker's own tasks."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio
import pytest

from actorq import Policy, Status
from actorq.core.job import DeadReason
from tests.sdk.worker.shop import Shop, open_shop
from tests.system.house import open_house
from tests.system.jumping import JumpingLoop

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


def add_work(shop: Shop) -> list[int]:
    """Add a task; return the numbers of its runs."""
    runs: list[int] = []

    @shop.app.task
    async def work() -> None:
        runs.append(len(runs))
        await anyio.sleep(0.1)

    return runs


async def test_lost_answers_change_nothing() -> None:
    """Claims are looked for, settlements are sent again by the same token: each job is done once."""
    async with open_shop() as shop:
        runs = add_work(shop)
        ids = await shop.order("work", 40)
        for verb in ("dequeue", "ack", "release"):
            shop.house.trouble.lose[verb] = 3
        async with shop.hire(concurrency=4):
            jobs = [await shop.ended(job_id) for job_id in ids]
        assert len(runs) == 40
        assert {(job.status, job.attempt) for job in jobs} == {(Status.COMPLETED, 1)}
        await shop.house.balance()


async def test_a_store_that_comes_back_finds_its_workers(caplog: pytest.LogCaptureFixture) -> None:
    """They ask again by themselves, and say once that it was away (never silent after a reconnect)."""
    caplog.set_level(logging.INFO)
    async with open_shop() as shop:
        add_work(shop)
        async with shop.hire():
            await anyio.sleep(1.0)
            shop.house.trouble.away = True
            await anyio.sleep(120.0)
            shop.house.trouble.away = False
            (job_id,) = await shop.order("work")
            back_at = anyio.current_time()
            await shop.ended(job_id)
            assert anyio.current_time() - back_at < 8.0
        said = [each.getMessage() for each in caplog.records if "worker" in each.name]
        assert sum(text.startswith("no jobs can be taken") for text in said) == 1
        assert said.count("jobs are taken again") == 1


async def test_what_was_done_while_the_store_was_away_is_told_later(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """In time by the store's count, so that nothing is run again; the log says once that it was away."""
    caplog.set_level(logging.INFO)
    async with open_shop() as shop:
        runs = add_work(shop)
        ids = await shop.order("work", 5)
        shop.house.trouble.refuse["ack"] = 12
        async with shop.hire():
            jobs = [await shop.ended(job_id) for job_id in ids]
        assert (len(runs), {job.attempt for job in jobs}) == (5, {1})
    said = [each.getMessage() for each in caplog.records if "worker" in each.name]
    assert sum(text.startswith("jobs cannot be settled") for text in said) == 1
    assert said.count("jobs are settled again") == 1


async def test_a_worker_takes_no_more_than_it_can_settle() -> None:
    """While no settlement gets through, no further jobs are claimed (bounded: I18)."""
    async with open_shop() as shop:
        runs = add_work(shop)
        await shop.order("work", 100)
        shop.house.trouble.refuse["ack"] = 1_000
        async with shop.hire(concurrency=10, grace=1.0) as worker:
            await anyio.sleep(20.0)
            assert 10 <= len(runs) <= 20
            assert worker.figures.settling == len(runs)
            shop.house.trouble.refuse["ack"] = 0
            await anyio.sleep(10.0)
            assert worker.figures.completed == 100
        await shop.house.balance()


async def test_a_result_that_is_too_large_is_the_end_of_its_job_alone() -> None:
    """It was done and cannot be kept: dead, with the reason; what was settled with it stands (I15)."""
    async with open_shop(Policy(max_payload_bytes=1_000)) as shop:

        @shop.app.task
        async def work() -> str:
            return "x"

        @shop.app.task
        async def boast() -> str:
            return "x" * 2_000

        ids = [
            *await shop.order("work", 5),
            *await shop.order("boast"),
            *await shop.order("work", 5),
        ]
        async with shop.hire():
            jobs = [await shop.ended(job_id) for job_id in ids]
        (dead,) = [job for job in jobs if job.status is Status.DEAD]
        assert (dead.task, dead.dead_reason) == ("boast", DeadReason.REJECTED)
        assert dead.errors[0].message.startswith("the result was refused: ")
        assert sum(job.status is Status.COMPLETED for job in jobs) == 10


async def test_a_bug_of_the_store_does_not_stop_a_worker() -> None:
    """A settlement that it will not take is given up after some tries: its lease runs out."""
    async with open_house_with_bugs() as shop:

        @shop.app.task
        async def work() -> str:
            return "poison" if shop.house.trouble.poison else "fine"

        (job_id,) = await shop.order("work")
        async with shop.hire():
            await anyio.sleep(5.0)
            assert (await shop.queue.get_job(job_id)).status is Status.RUNNING
            shop.house.trouble.poison = None
            job = await shop.ended(job_id)
        assert (job.result, job.expiries) == ('"fine"', 1)


@asynccontextmanager
async def open_house_with_bugs() -> AsyncGenerator[Shop]:
    """Open a shop whose store will not take what is poisoned."""
    async with open_house(Policy(visibility_timeout=10.0), may_crash=True) as house:
        house.trouble.poison = "poison"
        yield Shop(house)


@pytest.mark.parametrize("anyio_backend", [("asyncio", {"loop_factory": JumpingLoop})])
async def test_a_handler_that_cancels_its_own_task_has_failed() -> None:
    """As asyncio allows: it is recorded, and the next job is not run by a task in that state."""
    async with open_shop() as shop:

        @shop.app.task
        async def spoil() -> None:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            await anyio.sleep(1.0)

        @shop.app.task
        async def wait() -> str:
            async with asyncio.timeout(5.0):
                await anyio.sleep(1.0)
            return "waited"

        (spoilt,) = await shop.order("spoil", max_retries=0)
        (waited,) = await shop.order("wait")
        async with shop.hire(concurrency=1):
            assert (await shop.ended(spoilt)).errors[0].message.startswith("CancelledError")
            assert (await shop.ended(waited)).result == '"waited"'
