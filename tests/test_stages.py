"""Stages: tasks that are closed one stage after another, whatever happens around them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import pytest
from anyio.lowlevel import checkpoint

from actorq.stages import Stages

if TYPE_CHECKING:
    from collections.abc import Callable


class Bench:
    """Two stages of two tasks each, which write down when they end."""

    def __init__(self) -> None:
        self.stages = Stages(2)
        self.ended: list[str] = []
        self.fail: Callable[[], None] | None = None

    def start(self) -> None:
        """Start the tasks; the second stage's first."""
        for stage, name in [(1, "c"), (1, "d"), (0, "a"), (0, "b")]:
            self._start_one(stage, name)

    def _start_one(self, stage: int, name: str) -> None:
        told = anyio.Event()

        async def run() -> None:
            try:
                await told.wait()
                # Something is still to be finished after the close.
                await checkpoint()
            finally:
                self.ended.append(name)

        self.stages.start(stage, name, run, told.set)

    async def stop(self) -> None:
        """Stop in order."""
        await self.stages.close()
        self.stages.give_up()


async def test_stages_end_in_their_order() -> None:
    """A stage is closed when the one before has finished (rule 10)."""
    bench = Bench()
    async with bench.stages.around(bench.start, bench.stop):
        assert bench.ended == []
    assert sorted(bench.ended[:2]) == ["a", "b"]
    assert sorted(bench.ended[2:]) == ["c", "d"]


@pytest.mark.parametrize(
    "error", [ValueError("mine"), KeyboardInterrupt(), ExceptionGroup("", [OSError()])]
)
async def test_what_the_block_raises_leaves_as_it_is(error: BaseException) -> None:
    """An embedding program catches its own errors, not a group around them."""
    bench = Bench()
    with pytest.raises(type(error)) as caught:
        async with bench.stages.around(bench.start, bench.stop):
            raise error
    assert caught.value is error
    assert sorted(bench.ended) == ["a", "b", "c", "d"]


async def test_a_cancelled_caller_still_stops_in_order() -> None:
    """The tasks are not cancelled with their caller: each finishes what it has (rule 10)."""
    bench = Bench()
    with anyio.CancelScope() as scope:
        async with bench.stages.around(bench.start, bench.stop):
            scope.cancel()
            await anyio.sleep_forever()
    assert scope.cancelled_caught
    assert sorted(bench.ended[:2]) == ["a", "b"]
    assert sorted(bench.ended[2:]) == ["c", "d"]


async def test_a_caller_that_was_cancelled_before_starts_and_stops_all_the_same() -> None:
    """Being cancelled at the first moment leaves nothing running."""
    bench = Bench()
    with anyio.CancelScope() as scope:
        scope.cancel()
        async with bench.stages.around(bench.start, bench.stop):
            pytest.fail("the block was entered")
    assert sorted(bench.ended) == ["a", "b", "c", "d"]


async def test_a_task_that_fails_cancels_the_block() -> None:
    """An error that nobody mends is seen by the embedding program, and nothing is left running."""
    bench = Bench()

    async def fail() -> None:
        await checkpoint()
        raise ValueError("beyond repair")

    def start() -> None:
        bench.start()
        bench.stages.start(0, "failing", fail, lambda: None)

    with anyio.fail_after(5), pytest.raises(BaseExceptionGroup) as caught:
        async with bench.stages.around(start, bench.stop):
            await anyio.sleep_forever()
    assert caught.group_contains(ValueError, match="beyond repair")
    assert sorted(bench.ended) == ["a", "b", "c", "d"]


async def test_a_failure_of_both_is_told_whole() -> None:
    """An error of the block does not hide that of a task."""
    bench = Bench()

    async def fail() -> None:
        raise ValueError("the task's")

    def start() -> None:
        bench.stages.start(0, "failing", fail, lambda: None)

    async def block() -> None:
        async with bench.stages.around(start, bench.stop):
            try:
                await anyio.sleep_forever()
            finally:
                raise OSError("the block's")

    with pytest.raises(BaseExceptionGroup) as caught:
        await block()
    assert caught.group_contains(ValueError)
    assert caught.group_contains(OSError)


async def test_a_start_that_fails_is_an_error_like_any_other() -> None:
    """Whoever opens a queue sees why it did not start."""
    bench = Bench()

    def start() -> None:
        bench.start()
        raise ValueError("no start")

    with pytest.raises(BaseExceptionGroup) as caught:
        async with bench.stages.around(start, bench.stop):
            await anyio.sleep_forever()
    assert caught.group_contains(ValueError, match="no start")


async def test_nothing_is_left_of_a_task_that_ended() -> None:
    """Tasks may come and go for ever (I18)."""
    bench = Bench()

    async def nothing() -> None:
        await checkpoint()

    closed: list[bool] = []
    async with bench.stages.around(bench.start, bench.stop):
        for _ in range(50):
            bench.stages.start(0, "short", nothing, lambda: closed.append(True))
        await anyio.wait_all_tasks_blocked()
    assert closed == []
