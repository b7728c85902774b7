"""Tasks in stages, which are closed one after another: how a runtime stops in order."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio
import anyio.abc

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable


class _Served:
    """A task: how to make it end, and the moment at which it has ended."""

    def __init__(self, close: Callable[[], None]) -> None:
        self.close = close
        self.done = anyio.Event()


class Stages:
    """Runs tasks in a task group; each belongs to a stage, and can be told to end."""

    def __init__(self, count: int) -> None:
        """Have ``count`` stages; the first is the first to be closed."""
        # A dictionary keeps the order, and nothing of a task that has ended (I18).
        self._stages: list[dict[_Served, None]] = [{} for _ in range(count)]
        self._tasks: anyio.abc.TaskGroup | None = None
        self._given_up = anyio.Event()
        self._started = anyio.Event()
        self._has_failed = False

    @asynccontextmanager
    async def around(
        self, start: Callable[[], None], stop: Callable[[], Awaitable[None]]
    ) -> AsyncGenerator[None]:
        """Call ``start``, which starts tasks, and run them around a block; ``stop`` at its end.

        Stopping has its order also when the caller is cancelled. What the block raises leaves as it
        is; a task that fails cancels the block, and its error leaves in an exception group.
        """
        failure: BaseException | None = None
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._run, start)
                try:
                    await self._started.wait()
                    yield
                except BaseException as error:
                    failure = error
                    raise
                finally:
                    with anyio.CancelScope(shield=True):
                        await self._started.wait()
                        await stop()
        except BaseExceptionGroup:
            # The task group has wrapped what the block raised: alone, it leaves as it came.
            if failure is None or self._has_failed:
                raise
        if failure is not None:
            raise failure

    async def _run(self, start: Callable[[], None]) -> None:
        try:
            with anyio.CancelScope(shield=True):
                async with anyio.create_task_group() as tasks:
                    self._tasks = tasks
                    start()
                    self._started.set()
                    await self._given_up.wait()
                    tasks.cancel_scope.cancel()
        except BaseException:
            self._has_failed = True
            raise
        finally:
            self._started.set()

    def start(
        self,
        stage: int,
        name: str,
        run: Callable[[], Awaitable[None]],
        close: Callable[[], None],
    ) -> None:
        """Start a task of ``stage``; ``close`` is to make ``run`` return soon."""
        assert self._tasks is not None
        served = _Served(close)
        self._stages[stage][served] = None

        async def live() -> None:
            try:
                await run()
            finally:
                served.done.set()
                del self._stages[stage][served]

        self._tasks.start_soon(live, name=name)

    async def close(self) -> None:
        """Close stage after stage; each finishes what it has before the next is closed."""
        for stage in self._stages:
            closing = list(stage)
            for served in closing:
                served.close()
            for served in closing:
                await served.done.wait()

    def give_up(self) -> None:
        """Cancel what still runs."""
        self._given_up.set()
