"""Machines: they crash without a last word, they pause, and calls block on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import pytest

from actorq.testing.simulation.loop import Order, VirtualTime, run
from actorq.testing.simulation.machine import Machine

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from anyio.abc import TaskGroup


def simulate(scene: Callable[[Machine, TaskGroup], Coroutine[object, object, None]]) -> None:
    """Play a scene with one machine."""
    time = VirtualTime()
    order = Order(1, time)

    async def main() -> None:
        async with anyio.create_task_group() as tasks:
            await scene(Machine("node", order, time), tasks)
            tasks.cancel_scope.cancel()

    run(main, time, order)


def test_a_crash_leaves_no_time_for_last_words() -> None:
    """A machine that has crashed is not alive when its ``finally`` blocks run: ports ask for that."""
    last_words: list[bool] = []

    async def scene(machine: Machine, tasks: TaskGroup) -> None:
        async def life() -> None:
            try:
                await anyio.sleep_forever()
            finally:
                last_words.append(machine.alive())

        machine.boot(tasks, life)
        await anyio.sleep(1.0)
        assert machine.alive()
        machine.crash()
        await anyio.sleep(1.0)

    simulate(scene)
    assert last_words == [False]


def test_what_a_crashed_machine_still_raises_is_nobody_s_business() -> None:
    """An error in the ruins does not end the world; the same error of a living machine does."""

    async def scene(machine: Machine, tasks: TaskGroup) -> None:
        async def life() -> None:
            try:
                await anyio.sleep_forever()
            finally:
                raise KeyError

        machine.boot(tasks, life)
        await anyio.sleep(1.0)
        machine.crash()
        await anyio.sleep(1.0)

    simulate(scene)

    async def failing(machine: Machine, tasks: TaskGroup) -> None:
        async def life() -> None:
            raise KeyError

        machine.boot(tasks, life)
        await anyio.sleep(1.0)

    with pytest.raises(ExceptionGroup):
        simulate(failing)


def test_a_blocking_call_sleeps_in_virtual_time() -> None:
    """It blocks its caller and nobody else; a second one waits for its turn."""
    went: list[tuple[str, float]] = []

    async def scene(machine: Machine, tasks: TaskGroup) -> None:
        runner = machine.make_runner()

        async def call(name: str) -> None:
            await runner(lambda: machine.sleep(2.0))
            went.append((name, anyio.current_time()))

        async def life() -> None:
            async with anyio.create_task_group() as mine:
                mine.start_soon(call, "blocking")
                await anyio.sleep(1.0)
                went.append(("beside it", anyio.current_time()))

        machine.boot(tasks, life)
        await anyio.sleep(5.0)
        assert not machine.alive()

    simulate(scene)
    assert went == [("beside it", 1.0), ("blocking", 2.0)]


def test_an_abandoned_call_goes_on_and_the_next_waits_for_it() -> None:
    """As in a thread: to be cancelled does not undo a call, and a connection serves one at a time."""
    went: list[tuple[str, float]] = []

    async def scene(machine: Machine, tasks: TaskGroup) -> None:
        runner = machine.make_runner()

        def call(name: str) -> None:
            machine.sleep(3.0)
            went.append((name, anyio.current_time()))

        async def life() -> None:
            with anyio.move_on_after(1.0):
                await runner(lambda: call("abandoned"))
            went.append(("given up", anyio.current_time()))
            await runner(lambda: call("next"))

        machine.boot(tasks, life)
        await anyio.sleep(10.0)

    simulate(scene)
    assert went == [("given up", 1.0), ("abandoned", 3.0), ("next", 6.0)]


def test_a_crash_ends_a_blocking_call_where_it_stands() -> None:
    """Of a call in flight nothing more happens on the machine."""
    went: list[str] = []

    async def scene(machine: Machine, tasks: TaskGroup) -> None:
        def call() -> None:
            went.append("sent")
            machine.sleep(3.0)
            went.append("answered")

        async def life() -> None:
            with anyio.CancelScope(shield=True):
                await machine.make_runner()(call)

        machine.boot(tasks, life)
        await anyio.sleep(1.0)
        machine.crash()
        await anyio.sleep(9.0)

    simulate(scene)
    assert went == ["sent"]


def test_a_bell_wakes_who_listens() -> None:
    """To listen is to sleep until the bell rings; to ring when nobody listens changes nothing."""
    heard: list[float] = []

    async def scene(machine: Machine, tasks: TaskGroup) -> None:
        async def life() -> None:
            runner = machine.make_runner()
            for _ in range(2):
                await runner(lambda: machine.listen(5.0))
                heard.append(anyio.current_time())

        machine.ring()
        machine.boot(tasks, life)
        await anyio.sleep(1.0)
        machine.ring()
        await anyio.sleep(9.0)

    simulate(scene)
    assert heard == [1.0, 6.0]


def test_a_paused_machine_does_nothing_and_then_all_at_once() -> None:
    """Timers that ran out meanwhile run out when it goes on: as after SIGSTOP and SIGCONT."""
    woke: list[float] = []

    async def scene(machine: Machine, tasks: TaskGroup) -> None:
        async def life() -> None:
            for _ in range(3):
                await anyio.sleep(1.0)
                woke.append(anyio.current_time())

        machine.boot(tasks, life)
        await anyio.sleep(1.5)
        machine.pause()
        await anyio.sleep(3.0)
        assert machine.alive()
        await machine.go_on()
        await anyio.sleep(5.0)

    simulate(scene)
    assert woke == [1.0, 4.5, 5.5]
