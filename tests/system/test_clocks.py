"""Wrong clocks and several servers: the store's clock is the only authority (contract §3, §7)."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio
import pytest

from actorq import JobQueue, Policy, Status, open_queue
from actorq.actors.lease_manager import IDLE_BEATS
from actorq.backends.memory import MemoryStore
from actorq.core.instants import to_us
from actorq.core.job import Delivery
from actorq.errors import ConfigurationError
from actorq.runtime import BEAT_S, TIMEKEEPING_S, Options, running
from actorq.settings import Settings
from tests.system.house import open_house, virtual_clock

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

DAY_S = 86_400.0


@asynccontextmanager
async def server(
    store: MemoryStore, clock: Callable[[], int] = virtual_clock
) -> AsyncGenerator[JobQueue]:
    """Run one more server on a store that others share."""
    crashes: list[str] = []

    def note(actor: str, error: Exception) -> None:
        crashes.append(f"{actor}: {error}")

    async with running(store, Options(clock=clock), note) as runtime:
        yield runtime.queue
    assert crashes == []


def shared_store() -> MemoryStore:
    """Make a store for several servers."""
    return MemoryStore(Policy(), virtual_clock)


@pytest.mark.parametrize("wrong_s", [-DAY_S, -600.0, 600.0, DAY_S])
async def test_a_server_with_a_wrong_clock_keeps_the_order(wrong_s: float) -> None:
    """Jobs made on two servers are delivered in the order of the store's clock (§7, fault D1)."""
    store = shared_store()
    async with (
        server(store) as right,
        server(store, lambda: virtual_clock() + to_us(wrong_s)) as wrong,
    ):
        made: list[str] = []
        for number in range(20):
            made.append((await (right, wrong)[number % 2].enqueue("q", str(number))).id)
            await anyio.sleep(0.06)
        assert [job.id for job in (await right.dequeue_many("q", 20)).jobs] == made


async def test_a_clock_that_is_set_while_the_server_runs() -> None:
    """A step of the server's clock moves neither leases nor due times, and is measured (fault D2)."""
    store = shared_store()
    offset = 0.0
    async with server(store, lambda: virtual_clock() + to_us(offset)) as queue:
        await queue.enqueue("q", "x")
        held = await queue.dequeue("q", visibility_timeout=10)
        assert held is not None
        await queue.enqueue("q", "later", delay=5)
        start = anyio.current_time()
        offset = 3_600.0
        later = await queue.dequeue("q", wait=60)
        assert later is not None
        assert later.payload == "later"
        assert 5.0 <= anyio.current_time() - start < 5.1
        assert (await queue.extend(held)).status is Status.RUNNING

        before = (await queue.enqueue("q", "first")).id
        offset = -3_600.0
        await anyio.sleep(TIMEKEEPING_S + 1)
        assert (await queue.enqueue("q", "second")).id > before


async def test_servers_share_the_work_without_a_leader() -> None:
    """Several servers on one store give each job out once, and need not know each other (rule 8)."""
    store = shared_store()
    done: list[str] = []
    async with (
        server(store) as first,
        server(store) as second,
        server(store) as third,
        anyio.create_task_group() as tasks,
    ):

        async def work(queue: JobQueue) -> None:
            while (job := await queue.dequeue("q", wait=10)) is not None:
                assert job.attempt == 1
                await queue.ack(job)
                done.append(job.payload)

        for queue in (first, second, third):
            tasks.start_soon(work, queue)
        for number in range(100):
            await first.enqueue("q", str(number), delivery=Delivery.AT_MOST_ONCE, delay=number % 7)
    assert sorted(done, key=int) == [str(number) for number in range(100)]


async def test_a_pause_is_seen_by_every_server() -> None:
    """What is set on one server holds on all, at once (§8)."""
    store = shared_store()
    async with server(store) as here, server(store) as there:
        await here.enqueue("q", "x")
        await there.pause("q")
        assert (await here.dequeue_many("q", 1)).paused
        async with anyio.create_task_group() as tasks:
            got: list[float] = []

            async def wait() -> None:
                assert await here.dequeue("q", wait=60) is not None
                got.append(anyio.current_time())

            tasks.start_soon(wait)
            await anyio.sleep(IDLE_BEATS)
            start = anyio.current_time()
            await there.resume("q")
            # Without news from the store the other server finds out at its beat.
            await anyio.sleep(BEAT_S + 0.1)
            assert [at - start <= BEAT_S + 0.1 for at in got] == [True]


async def test_a_queue_is_opened_by_settings() -> None:
    """The settings of a server open the same store, with the same bounds."""
    settings = Settings(backend="memory", max_payload_bytes=3, visibility_timeout=7.0)
    async with open_queue(settings) as queue:
        await queue.enqueue("q", "abc")
        with pytest.raises(ValueError, match="at most 3 bytes"):
            await queue.enqueue("q", "abcd")
        job = await queue.dequeue("q")
        assert job is not None
        assert job.lease is not None
        assert job.lease.visibility_timeout == 7.0


async def test_a_policy_wins_over_options() -> None:
    """What is said nearest to the call holds; the other options stay."""
    tokens = iter(["mine"])
    options = Options(mint_token=lambda: next(tokens), policy=Policy(visibility_timeout=9.0))
    async with open_queue(
        "memory://", policy=Policy(visibility_timeout=8.0), options=options
    ) as queue:
        await queue.enqueue("q", "x")
        job = await queue.dequeue("q")
        assert job is not None
        assert job.lease is not None
        assert (job.lease.token, job.lease.visibility_timeout) == ("mine", 8.0)


@pytest.mark.parametrize("url", ["", "jobs.db", "mysql://x", "memory://name", "memory://?x=1"])
async def test_what_is_no_store_is_refused(url: str) -> None:
    """An unknown URL is an error that says what is known."""
    with pytest.raises(ConfigurationError, match="memory://"):
        async with open_queue(url):
            pytest.fail("it opened")


async def test_a_job_of_a_far_future_waits_without_a_lease() -> None:
    """A due time of years costs nothing while it waits, and is neither early nor lost (fault D3)."""
    async with open_house() as house:
        job = await house.queue.enqueue("q", "x", delay=3 * 365 * DAY_S)
        assert await house.queue.dequeue("q", wait=30) is None
        assert house.job(job.id).status is Status.DELAYED
        assert house.job(job.id).attempt == 0
