"""The worker: its parts, wired together, started, and stopped in order."""

from __future__ import annotations

import math
import time
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol

import anyio
import msgspec

from actorq.core.commands import Ack, Fail, Release
from actorq.sdk.injection import enter
from actorq.sdk.worker.book import LeaseBook
from actorq.sdk.worker.children import Children
from actorq.sdk.worker.execution import Execution, Places
from actorq.sdk.worker.fetcher import Fetcher
from actorq.sdk.worker.hands import Hands
from actorq.sdk.worker.hold import Hold, Why
from actorq.sdk.worker.keeper import LoopKeeper, ThreadKeeper
from actorq.sdk.worker.options import plan
from actorq.sdk.worker.pulse import Pulse
from actorq.sdk.worker.recipe import Recipe
from actorq.sdk.worker.settler import Settler
from actorq.sdk.worker.slots import Slots
from actorq.sdk.worker.threads import Threads
from actorq.stages import Stages

if TYPE_CHECKING:
    from collections.abc import (
        AsyncGenerator,
        AsyncIterable,
        Awaitable,
        Callable,
        Mapping,
        Sequence,
    )

    from actorq.sdk.codec import Codecs
    from actorq.sdk.door import Door, Settling
    from actorq.sdk.injection import Resource, Resources
    from actorq.sdk.task import Task
    from actorq.sdk.worker.options import WorkerOptions

CLAIMS, HANDS, CHILDREN, SETTLING, KEEPING = range(5)
"""The stages of stopping, upstream first."""

CLOSING_S: Final = 1.0
"""The least number of seconds for ending resources, when the grace is over."""


class Program(Protocol):
    """What a worker needs of its app."""

    codecs: Codecs
    resources: Resources

    @property
    def tasks(self) -> Mapping[str, Task[..., Any]]:
        """The tasks by their names."""
        ...


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker has done since its start, and does now.

    ``settling`` are settlements without an answer yet. ``contact`` is the seconds since a queue last answered
    a claim, None before the first time; an idle worker asks at least every third of a lease. ``lag`` is
    the longest time, in seconds, for which the event loop stood still.
    """

    running: int
    settling: int
    completed: int
    failed: int
    released: int
    contact: float | None
    lag: float


class Worker:
    """Takes jobs from queues, runs their tasks and settles them; ``app.worker`` makes it."""

    def __init__(self, program: Program, door: Door, options: WorkerOptions) -> None:
        """Wire the parts; raises ``ConfigurationError`` for options that cannot be."""
        self._program = program
        self._door = door
        tasks = program.tasks
        self._plan = plan(options, [task.definition.queue_name for task in tasks.values()])
        self._recipes = {name: Recipe(task, program.resources) for name, task in tasks.items()}
        self._stages = Stages(KEEPING + 1)
        clock = time.monotonic if self._plan.in_thread else anyio.current_time
        self._book = LeaseBook(clock)
        self._pulse = Pulse(clock)
        self._slots = Slots(self._plan.concurrency, self._plan.weights)
        self._settler = Settler(door, self._book)
        self._places = Places(Threads(), Children(self._plan.max_children))
        self._hands = Hands(
            self._work,
            self._hand_back,
            self._places.threads.abandon,
            most=self._plan.concurrency,
            grace=self._plan.grace,
        )
        self._fetchers = [self._fetcher(name) for name in self._plan.weights]
        self._execution: Execution | None = None
        self._body = anyio.CancelScope()
        self._failure: Exception | None = None
        self._stopping = anyio.Event()
        self._stopped = anyio.Event()

    @property
    def worker_id(self) -> str:
        """The name by which the queue knows this worker."""
        return self._plan.worker_id

    @property
    def queues(self) -> Sequence[str]:
        """The queues that it takes jobs from."""
        return tuple(self._plan.weights)

    @property
    def figures(self) -> Figures:
        """What this worker has done, and does."""
        settled = self._settler.settled
        contact = max(fetcher.contact for fetcher in self._fetchers)
        return Figures(
            running=self._hands.running,
            settling=self._settler.backlog,
            completed=settled[Ack],
            failed=settled[Fail],
            released=settled[Release],
            contact=None if contact == -math.inf else self._book.clock() - contact,
            lag=self._pulse.longest,
        )

    @property
    def outside(self) -> int:
        """How many handlers run where the event loop does not see them: in threads and processes."""
        return self._places.threads.running + self._places.children.running

    # ── running ─────────────────────────────────────────────────────────────────────────────────

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Work for as long as the block lasts; stop in order at its end, also when it is cancelled.

        An error that makes all further work useless, such as a queue that may not be used, cancels the
        block and is raised when the worker has stopped.
        """
        values: dict[object, object] = {}
        stack = AsyncExitStack()
        try:
            await enter(stack, self._resources(), values)
            self._execution = Execution(
                recipes=self._recipes,
                resources=values,
                codecs=self._program.codecs,
                door=self._door,
                clock=self._book.clock,
                places=self._places,
            )
            async with self._stages.around(self._start, self.stop):
                with self._body:
                    yield
                if self._failure is not None:
                    raise self._failure
        finally:
            with anyio.move_on_after(max(CLOSING_S, self._plan.grace / 5), shield=True):
                await stack.aclose()

    def _resources(self) -> Sequence[Resource]:
        needs = [key for recipe in self._recipes.values() for key in recipe.injected.values()]
        return self._program.resources.needed_by(needs, "worker")

    def _start(self) -> None:
        plan, stages = self._plan, self._stages
        if plan.in_thread:
            keeper: LoopKeeper | ThreadKeeper = ThreadKeeper(
                self._book, self._door, plan.worker_id, self._pulse
            )
            self._start_scoped(KEEPING, "pulse", self._pulse.run)
        else:
            keeper = LoopKeeper(self._book, self._door, plan.worker_id)
        stages.start(KEEPING, "keeper", keeper.run, keeper.close)
        stages.start(SETTLING, "settler", self._settler.run, self._settler.close)
        self._start_scoped(CHILDREN, "children", self._tend_children)
        stages.start(HANDS, "hands", self._hands.run, self._hands.close)
        for fetcher in self._fetchers:
            self._start_scoped(CLAIMS, "fetcher", partial(self._fetch, fetcher))

    def _start_scoped(self, stage: int, name: str, run: Callable[[], Awaitable[None]]) -> None:
        """Start a part that runs for ever, and is ended by being cancelled."""
        scope = anyio.CancelScope()

        async def live() -> None:
            with scope:
                await run()

        self._stages.start(stage, name, live, scope.cancel)

    def _fetcher(self, queue_name: str) -> Fetcher:
        return Fetcher(
            queue_name,
            door=self._door,
            plan=self._plan,
            slots=self._slots,
            book=self._book,
            take=self._hands.take,
            # Who cannot get rid of jobs should not take more.
            room=partial(self._settler.room, self._plan.concurrency),
        )

    async def _fetch(self, fetcher: Fetcher) -> None:
        """Let a fetcher run. An error that it cannot mend ends the worker, in order as always."""
        try:
            await fetcher.run()
        except Exception as error:  # noqa: BLE001 - it is raised again, by ``running``
            self._failure = error
            self._body.cancel()

    async def _tend_children(self) -> None:
        try:
            await anyio.sleep_forever()
        finally:
            await self._places.children.close()

    async def _work(self, hold: Hold) -> None:
        assert self._execution is not None
        self._conclude(hold, await self._execution.run(hold))

    def _hand_back(self, holds: Sequence[Hold]) -> None:
        """Hand back jobs that were not started; what is lost already needs no words."""
        for hold in holds:
            is_lost = hold.stopping is Why.LOST
            self._conclude(hold, None if is_lost else Release(hold.job.id, hold.token))

    def _conclude(self, hold: Hold, item: Settling | None) -> None:
        if item is None:
            self._book.drop([hold])
        else:
            self._settler.put(hold, item)
        self._slots.free(1)

    # ── stopping ────────────────────────────────────────────────────────────────────────────────

    async def stop(self) -> None:
        """Stop in order, within the grace; what has not ended by then is left to its lease."""
        if self._stopping.is_set():
            await self._stopped.wait()
            return
        self._stopping.set()
        self._hands.take_no_more()
        with anyio.move_on_after(self._plan.grace, shield=True):
            await self._stages.close()
        self._places.threads.abandon()
        self._stages.give_up()
        self._stopped.set()

    def hurry(self) -> None:
        """Let a stop that is under way, or yet to come, wait for no handler: all are cancelled at once."""
        self._hands.hurry()

    async def asked_to_stop(self) -> None:
        """Wait until somebody stops this worker."""
        await self._stopping.wait()

    async def heed(self, signals: AsyncIterable[object]) -> None:
        """Stop in order at the first of ``signals``, in a hurry at the second; return when stopped."""
        is_second = False
        async with anyio.create_task_group() as tasks:
            async for _ in signals:
                if is_second:
                    self.hurry()
                else:
                    is_second = True
                    tasks.start_soon(self._stop_and_cancel, tasks.cancel_scope)

    async def _stop_and_cancel(self, scope: anyio.CancelScope) -> None:
        await self.stop()
        scope.cancel()
