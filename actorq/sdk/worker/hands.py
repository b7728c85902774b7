"""The hands: a fixed set of tasks that run a worker's jobs."""

from __future__ import annotations

from collections import deque
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Final

import anyio
import anyio.lowlevel

from actorq.sdk.worker.hold import Hold, Why

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

SOFT: Final = 0.8
"""The share of the grace in which handlers may run to their end."""

LATE: Final = 0.9
"""The share of it after which plain functions that cannot be interrupted are left behind."""

HURRY_S: Final = 0.2
"""Seconds between the two when there is no time left."""

_TURN_S: Final = 0.005
"""How long jobs that never wait may follow each other before the rest of the program has its turn."""


class Hands:
    """Runs jobs, each in one of at most ``most`` tasks, made when they are needed.

    To start a task costs more than most of what else is done for a job, so a hand takes one job after the
    other; jobs that never wait are done by one hand in one go. A hand whose context variables a handler has
    changed is let go, so that no job sees what another has left behind.
    """

    def __init__(
        self,
        work: Callable[[Hold], Awaitable[None]],
        hand_back: Callable[[Sequence[Hold]], None],
        abandon: Callable[[], None],
        *,
        most: int,
        grace: float,
    ) -> None:
        """Run ``work`` on each job, or ``hand_back`` what will not be started.

        ``abandon`` leaves behind what runs in threads and processes. ``grace`` is seconds.
        """
        self._work = work
        self._hand_back = hand_back
        self._abandon = abandon
        self._most = most
        self._grace = grace
        self._waiting: deque[Hold] = deque()
        self._running: set[Hold] = set()
        self._idle: list[anyio.Event] = []
        self._count = 0
        self._is_called = False
        self._is_open = True
        self._closing = anyio.Event()
        self._all_done = anyio.Event()
        self._soft = anyio.CancelScope()
        self._late = anyio.CancelScope()
        self._context = Context()

    @property
    def running(self) -> int:
        """How many jobs are being run."""
        return len(self._running)

    def take(self, holds: Sequence[Hold]) -> None:
        """Run jobs as soon as there is a hand for each; after the end was announced, none is."""
        if not self._is_open:
            self._hand_back(holds)
            return
        self._waiting.extend(holds)
        self._call_a_hand()

    # ── stopping ────────────────────────────────────────────────────────────────────────────────

    def take_no_more(self) -> None:
        """Hand back what has not been started, and what still comes."""
        self._is_open = False
        left = list(self._waiting)
        self._waiting.clear()
        self._hand_back(left)
        for hold in [hold for hold in self._running if not hold.started]:
            # It waits for its turn among those of its task.
            hold.stop(Why.SHUTDOWN)

    def close(self) -> None:
        """End: let handlers run for a while, then cancel them."""
        self.take_no_more()
        self._closing.set()

    def hurry(self) -> None:
        """Skip the while."""
        self._soft.cancel()
        self._late.deadline = anyio.current_time() + HURRY_S

    async def run(self) -> None:
        """Run jobs until closed, and the last of them to its end."""
        self._context = copy_context()
        async with anyio.create_task_group() as tasks:
            self._tasks = tasks
            await self._closing.wait()
            await self._end()
            tasks.cancel_scope.cancel()

    async def _end(self) -> None:
        started = anyio.current_time()
        self._soft.deadline = min(self._soft.deadline, started + self._grace * SOFT)
        self._late.deadline = min(self._late.deadline, started + self._grace * LATE)
        with self._soft:
            await self._until_done()
        for hold in list(self._running):
            hold.stop(Why.SHUTDOWN)
        with self._late:
            await self._until_done()
        if self._running:
            self._abandon()
            await self._until_done()

    async def _until_done(self) -> None:
        while self._running:
            self._all_done = anyio.Event()
            await self._all_done.wait()

    # ── working ─────────────────────────────────────────────────────────────────────────────────

    def _call_a_hand(self) -> None:
        """Have one more hand look for a job, unless one is on its way already."""
        if not self._waiting or self._is_called:
            return
        if self._idle:
            self._is_called = True
            self._idle.pop().set()
        elif self._count < self._most:
            self._is_called = True
            self._count += 1
            # In the worker's own context, not in that of whatever handler has just been run.
            self._context.copy().run(self._tasks.start_soon, self._live)

    async def _live(self) -> None:
        clean = copy_context()
        try:
            while True:
                self._is_called = False
                if await self._work_off(clean):
                    return
                event = anyio.Event()
                self._idle.append(event)
                await event.wait()
        finally:
            self._count -= 1
            self._call_a_hand()

    async def _work_off(self, clean: Context) -> bool:
        """Run what waits, one after the other; tell whether a handler has spoilt this hand."""
        turn_ends = anyio.current_time() + _TURN_S
        while self._waiting:
            hold = self._waiting.popleft()
            # Should this job wait for something, another hand is there for the next.
            self._call_a_hand()
            self._running.add(hold)
            try:
                await self._work(hold)
            finally:
                self._running.discard(hold)
                if not self._running:
                    self._all_done.set()
            if hold.spoilt or not _is_same(clean):
                return True
            if anyio.current_time() > turn_ends:
                await anyio.lowlevel.checkpoint()
                turn_ends = anyio.current_time() + _TURN_S
        return False


def _is_same(clean: Context) -> bool:
    """Tell whether the context variables are as they were, which costs nothing when none was set."""
    try:
        return copy_context() == clean
    except Exception:  # noqa: BLE001 - the values are a handler's, and so is how they compare
        return False
