"""The loop: the private names of trio that it needs, and what it makes of them."""

from __future__ import annotations

import importlib
from contextvars import copy_context

import anyio
import anyio.lowlevel
import pytest
import trio

from actorq.testing.simulation import loop
from actorq.testing.simulation.loop import MACHINE, SWITCHES, Order, StandsStill, VirtualTime, run


def who_goes_first(seed: int) -> list[int]:
    """Return the order in which ten tasks run that are ready at the same time, three times over."""
    went: list[int] = []

    async def go(number: int) -> None:
        for _ in range(3):
            went.append(number)
            await anyio.lowlevel.checkpoint()

    async def main() -> None:
        async with anyio.create_task_group() as tasks:
            for number in range(10):
                tasks.start_soon(go, number)

    time = VirtualTime()
    run(main, time, Order(seed, time))
    return went


def test_trio_still_has_what_the_simulation_needs() -> None:
    """The canary: two private names of trio's, and the sort of task numbers behind them."""
    scheduler = vars(importlib.import_module("trio._core._run"))
    assert {name for name in SWITCHES if name in scheduler} == set(SWITCHES)
    assert isinstance(scheduler["_ALLOW_DETERMINISTIC_SCHEDULING"], bool)
    assert hasattr(trio.lowlevel.Task, "context")


def test_the_order_is_the_seed_s() -> None:
    """The canary's other half: trio lets the order decide, and another seed decides otherwise."""
    assert who_goes_first(1) == who_goes_first(1)
    assert who_goes_first(1) != who_goes_first(2)
    assert sorted(who_goes_first(1)) == sorted(3 * list(range(10)))


def test_without_a_seed_tasks_go_in_the_order_of_their_making() -> None:
    """0 is the harmless choice: nothing is shuffled, and so nothing is left to a set's order."""
    assert who_goes_first(0) in (3 * list(range(10)), 3 * list(reversed(range(10))))


def test_trio_is_left_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """The switches are back when a run is over, and a release of trio without them is refused."""
    scheduler = vars(importlib.import_module("trio._core._run"))
    before = [scheduler[name] for name in SWITCHES]
    who_goes_first(1)
    assert [scheduler[name] for name in SWITCHES] == before
    monkeypatch.setattr(loop, "SWITCHES", (*SWITCHES, "_gone_in_the_next_release"))
    with pytest.raises(RuntimeError, match="_gone_in_the_next_release"):
        who_goes_first(1)


def test_time_jumps_to_what_is_due() -> None:
    """Planned calls and deadlines come in the order of their time, and hours take no time."""
    time = VirtualTime()
    came: list[tuple[str, float]] = []

    async def main() -> None:
        time.later(7_200.0, lambda: came.append(("planned last", time.current_time())))
        time.later(1.0, lambda: came.append(("planned first", time.current_time())))
        await anyio.sleep(3_600.0)
        came.append(("slept", anyio.current_time()))
        await anyio.sleep(3_600.5)

    run(main, time, Order(1, time))
    assert came == [("planned first", 1.0), ("slept", 3_600.0), ("planned last", 7_200.0)]


def test_a_frozen_machine_runs_nothing_and_then_everything() -> None:
    """What became due on a paused machine happens when it goes on, all at that time."""
    time = VirtualTime()
    order = Order(1, time)
    woke: list[float] = []

    async def nap(seconds: float) -> None:
        await anyio.sleep(seconds)
        woke.append(anyio.current_time())

    async def life() -> None:
        async with anyio.create_task_group() as tasks:
            for seconds in (1.0, 2.0, 5.0):
                tasks.start_soon(nap, seconds)

    async def main() -> None:
        async with anyio.create_task_group() as tasks:
            context = copy_context()
            context.run(MACHINE.set, "paused")
            context.run(tasks.start_soon, life)
            tasks.start_soon(nap, 1.5)
            await anyio.sleep(0.5)
            order.freeze("paused")
            await anyio.sleep(2.5)
            await order.thaw("paused")

    run(main, time, order)
    assert woke == [1.5, 3.0, 3.0, 5.0]


def test_a_world_that_stands_still_is_told_of() -> None:
    """When every task waits for something that cannot happen, the run ends with an error."""
    time = VirtualTime()
    with pytest.raises(StandsStill, match="every task waits"):
        run(lambda: anyio.Event().wait(), time, Order(1, time))


def test_a_world_that_runs_in_circles_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """When tasks keep each other busy and time does not pass, the run ends with an error."""
    monkeypatch.setattr(loop, "MAX_BATCHES", 100)

    async def turn() -> None:
        while True:
            await anyio.lowlevel.checkpoint()

    time = VirtualTime()
    with pytest.raises(StandsStill, match="100 batches"):
        run(turn, time, Order(1, time))
