"""Virtual time by itself: what passes, what stands still, and what is not waited for for ever."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import anyio
import pytest
import trio

from actorq.testing.virtual_time import (
    PATIENCE_S,
    current_time,
    run,
    run_on,
    settle,
    virtual_backend,
)

if TYPE_CHECKING:
    from actorq.testing.queue_kit import QueueUnderTest

on_both_loops = pytest.mark.parametrize("loop", ["asyncio", "trio"])


@on_both_loops
def test_time_passes_only_while_all_wait(loop: str) -> None:
    """Work takes no virtual time, and sleeps take exactly their own (§3)."""

    async def main(start: float) -> float:
        for _ in range(100):
            await anyio.lowlevel.checkpoint()
        assert anyio.current_time() == start
        await anyio.sleep(1_000.0)
        await settle()
        return anyio.current_time() - start

    for _ in range(2):
        assert run_on(loop, main, 0.0) == pytest.approx(1_000.000001, abs=1e-9)


@on_both_loops
def test_a_wait_for_nothing_fails(loop: str) -> None:
    """A test that waits while time passes in vain fails, and is told what to do (§3)."""

    async def main() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_tick)
            await anyio.Event().wait()

    async def _tick() -> None:
        while True:  # noqa: ASYNC110 - nothing else happens
            await anyio.sleep(600.0)

    with pytest.raises(
        AssertionError, match=f"nothing happened for {PATIENCE_S:g} virtual seconds"
    ):
        run_on(loop, main)


@on_both_loops
def test_what_is_at_work_elsewhere_is_waited_for(loop: str) -> None:
    """While something holds the time, timers do not go off, though nothing runs in the loop (§3)."""

    async def main() -> None:
        is_at_work = True

        with current_time().standing_still(lambda: is_at_work):
            with anyio.fail_after(1.0):
                await anyio.to_thread.run_sync(time.sleep, 0.03)
            is_at_work = False
            assert anyio.current_time() == 0.0
            await anyio.sleep(1.0)
            assert anyio.current_time() == 1.0

    run_on(loop, main)


def test_executors_of_asyncio_are_waited_for() -> None:
    """What asyncio itself runs in threads takes no virtual time either (§3)."""

    async def main() -> float:
        async with asyncio.timeout(0.001):
            await asyncio.to_thread(time.sleep, 0.03)
        return anyio.current_time()

    assert run(main) == 0.0


def test_there_is_no_virtual_time_in_a_real_loop() -> None:
    """Whoever wants virtual time in a loop of another kind is told how to get it."""

    async def main() -> None:
        with pytest.raises(RuntimeError, match="real time"):
            current_time()

    anyio.run(main)
    trio.run(main)
    with pytest.raises(ValueError, match="no event loop 'curio'"):
        virtual_backend("curio")


async def test_what_happens_is_not_in_vain(queue: QueueUnderTest) -> None:
    """A test may wait longer than the patience as long as something happens in the store (§3)."""
    async with anyio.create_task_group() as tasks:

        async def make() -> None:
            for number in range(3):
                await anyio.sleep(0.7 * PATIENCE_S)
                await queue.enqueue("mail", str(number))

        tasks.start_soon(make)
        for _ in range(3):
            while await queue.dequeue("mail", wait=600.0) is None:
                pass
    assert len(queue.jobs()) == 3
