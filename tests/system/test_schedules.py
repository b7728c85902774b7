"""Schedules in the running system, in virtual time: ticks in time, and one job for each."""

from __future__ import annotations

import anyio
from msgspec.structs import replace

from actorq import CatchUp, Schedule, Timing
from actorq.backends.memory import MemoryStore
from actorq.core.instants import SECOND_US
from actorq.core.policy import Policy
from actorq.core.transitions import Status
from actorq.runtime import Options, running
from tests.system.house import House, open_house, virtual_clock
from tests.unreliable import UnreliableStore

AT_ONCE_S = 0.1


async def put(house: House, every: float, name: str = "s") -> Schedule:
    """Define a schedule of the queue ``q``."""
    return await house.queue.put_schedule(house.queue.new_schedule(name, "q", "x", every=every))


async def test_ticks_come_in_time() -> None:
    """An idle system fires each tick within a tenth of a second, and hands its job out (I9, §3)."""
    async with open_house() as house:
        await anyio.sleep(33)
        schedule = await put(house, 7.0)
        for _ in range(10):
            job = await house.queue.dequeue("q", wait=30)
            assert job is not None
            assert job.tick is not None
            assert 0 <= virtual_clock() - job.tick <= AT_ONCE_S * SECOND_US
            assert (job.tick - schedule.anchor) % (7 * SECOND_US) == 0
            await house.queue.ack(job)
        await house.balance()


async def test_a_slow_schedule_costs_next_to_nothing() -> None:
    """Between two ticks the store is asked a few times a minute, not more than without it (rule 6)."""
    async with open_house() as house:
        await put(house, 400.0)
        await anyio.sleep(10)
        house.trouble.calls.clear()
        await anyio.sleep(300)
        assert house.trouble.count("fire") <= 300 / 10 + 2
        await anyio.sleep(500)
        assert await house.queue.get_queue_length("q") == 2


async def test_an_edit_takes_effect_at_once() -> None:
    """A shorter interval, a pause and a resume hold from their answers on (§8)."""
    async with open_house() as house:
        await put(house, 3_600.0)
        await anyio.sleep(5)
        edited = await put(house, 2.0)
        await anyio.sleep(2.0 + AT_ONCE_S)
        assert await house.queue.get_queue_length("q") == 1
        await house.queue.pause_schedule("s")
        await anyio.sleep(60)
        assert await house.queue.get_queue_length("q") == 1
        resumed = await house.queue.resume_schedule("s")
        await anyio.sleep(2.0 + AT_ONCE_S)
        assert await house.queue.get_queue_length("q") == 2
        assert (edited.version, resumed.version) == (2, 4)
        await house.queue.delete_schedule("s")
        await anyio.sleep(60)
        assert await house.queue.get_queue_length("q") == 2


async def test_an_outage_is_made_up_for() -> None:
    """Ticks that passed while the store was away come as the policy says (I17, I19)."""
    async with open_house() as house:
        queue = house.queue
        await put(house, 10.0, "last")
        new = queue.new_schedule("all", "q", "x", every=10.0, catch_up="all")
        await queue.put_schedule(new)
        await anyio.sleep(0.5)
        house.trouble.away = True
        for verb in ("fire", "promote", "requeue", "prune", "check"):
            house.trouble.refuse[verb] = 0
        await anyio.sleep(40)
        house.trouble.away = False
        await anyio.sleep(5)
        made = [job.schedule for job in house.jobs()]
        assert (made.count("last"), made.count("all")) == (1, 4)
        await house.queue.delete_schedule("last")
        await house.queue.delete_schedule("all")
        await house.balance()


async def test_two_servers_fire_each_tick_once() -> None:
    """Two whole systems on one store make one job for each of many ticks: no leader (I19, faults D5)."""
    memory = MemoryStore(Policy(), virtual_clock)
    store = UnreliableStore(memory)
    options = Options(clock=virtual_clock)
    crashes: list[str] = []

    def note(actor: str, error: Exception) -> None:
        crashes.append(f"{actor}: {error}")

    async with running(store, options, note) as one, running(store, options, note) as two:
        new = one.queue.new_schedule("s", "q", "x", every=1.0, catch_up=CatchUp.ALL)
        schedule = await one.queue.put_schedule(new)
        await anyio.sleep(100.5)
        await two.queue.put_schedule(replace(new, timing=Timing(every=1.0, zone="Europe/Rome")))
        await anyio.sleep(100.0)
        await two.queue.pause_schedule("s")
        ticks: list[int] = []
        while (job := await two.queue.dequeue("q")) is not None:
            assert job.status is Status.RUNNING
            assert job.tick is not None
            ticks.append(job.tick)
            await one.queue.ack(job)
        assert ticks == [schedule.anchor + n * SECOND_US for n in range(1, 201)]
    assert crashes == []
