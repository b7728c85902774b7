"""The loop: trio with a virtual clock and a seeded order, in which a node can be frozen.

The only module that touches what trio keeps to itself. Of two private names it needs this:
``_ALLOW_DETERMINISTIC_SCHEDULING`` makes trio sort each batch of tasks that are ready by the order of
their making, and then hand it to ``_r.shuffle``: there stands ``Order``, which decides who goes first, and
who does not go at all because the machine that it runs on is paused. ``tests/testing/simulation`` has
a test that fails when one of the names is gone, or no longer does this.
"""

from __future__ import annotations

import importlib
import math
from contextlib import contextmanager
from contextvars import ContextVar
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import TYPE_CHECKING, Final, TypeVar

import anyio.lowlevel
import trio
import trio.abc

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator

T = TypeVar("T")

MACHINE: Final[ContextVar[object]] = ContextVar("MACHINE", default=None)
"""The machine on which a task runs, which its children inherit; None for the world's own tasks."""

SWITCHES: Final = ("_ALLOW_DETERMINISTIC_SCHEDULING", "_r")
"""The private names of ``trio._core._run``."""

MAX_SPINS: Final = 1_000
"""After how many looks for something to do the world is declared to stand still."""


MAX_BATCHES: Final = 100_000
"""How many batches of tasks may run at one moment, until the world is declared to run in circles."""


class StandsStill(Exception):
    """Every task waits, and nothing is going to happen; or tasks run in circles, and time stands still."""


class VirtualTime(trio.abc.Clock):
    """A clock that jumps to the next thing that is due as soon as nothing else can run.

    Besides the deadlines of tasks there are calls that the world has planned: those need no task.
    """

    def __init__(self) -> None:
        """Start at 0."""
        self.now = 0.0
        """The virtual seconds since the start."""
        self._planned: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()
        self._spins = 0
        self._scope = trio.CancelScope()
        self._failure: Exception | None = None

    def start_clock(self) -> None:
        """Have nothing to start."""

    def current_time(self) -> float:
        """Return the virtual seconds since the start."""
        return self.now

    def deadline_to_sleep_time(self, deadline: float) -> float:
        """Jump to ``deadline``, or to what is planned before it; the loop never really sleeps."""
        planned = self._planned
        if planned and planned[0][0] <= deadline:
            self._spins = 0
            due, _, call = heappop(planned)
            self.now = max(self.now, due)
            try:
                call()
            except Exception as error:  # noqa: BLE001 - raised where main is watched
                self.give_up(error)
        elif deadline < math.inf:
            self._spins = 0
            self.now = max(self.now, deadline)
        else:
            # Once or twice is no harm: trio's own tasks may be about to be told of the end.
            self._spins += 1
            if self._spins > MAX_SPINS:
                self._spins = 0
                self.give_up(StandsStill("every task waits, and nothing is planned"))
        return 0.0

    async def watch(self, main: Callable[[], Awaitable[T]]) -> T:
        """Return what ``main`` returns; raises the reason for which it was given up."""
        with self._scope:
            return await main()
        assert self._failure is not None
        raise self._failure

    def give_up(self, reason: Exception) -> None:
        """End ``main`` by cancelling it, once: whoever does not listen to that ends the loop itself."""
        if self._failure is not None:
            raise reason
        self._failure = reason
        self._scope.cancel()

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        """Plan a call for ``seconds`` from now; should it fail, that is the end of the run."""
        heappush(self._planned, (self.now + seconds, next(self._numbers), call))


class Order:
    """Decides who goes first of those that are ready, and holds back who is on a frozen machine."""

    def __init__(self, seed: int, time: VirtualTime) -> None:
        """Shuffle by ``seed``; 0 keeps the order in which the tasks were made."""
        self._time = time
        self._batches = 0
        self._moment = 0.0
        self._random = Random(seed) if seed else None  # noqa: S311 - a seed is the point
        self._held: dict[object, list[trio.lowlevel.Task]] = {}
        self._thawed: list[trio.lowlevel.Task] = []

    def freeze(self, machine: object) -> None:
        """Let no task of ``machine`` run from now on."""
        self._held.setdefault(machine, [])

    async def thaw(self, machine: object) -> None:
        """Let all tasks of ``machine`` go on that became ready meanwhile."""
        self._thawed += self._held.pop(machine, [])
        # Who is held is given back with the next batch: this task alone makes sure that there is one.
        await anyio.lowlevel.checkpoint()

    def release(self) -> None:
        """Hold back nobody any more: the world comes to its end."""
        for held in self._held.values():
            self._thawed += held
        self._held.clear()

    def shuffle(self, batch: list[trio.lowlevel.Task]) -> None:
        """Rearrange the tasks that trio is about to run, the last one first."""
        self._count()
        if self._thawed:
            batch += self._thawed
            self._thawed = []
        if self._held:
            held = self._held
            ready: list[trio.lowlevel.Task] = []
            for task in batch:
                machine = task.context.get(MACHINE)
                if machine in held:
                    held[machine].append(task)
                else:
                    ready.append(task)
            batch[:] = ready
        if self._random is not None and len(batch) > 1:
            self._random.shuffle(batch)

    def _count(self) -> None:
        now = self._time.now
        if now != self._moment:
            self._moment, self._batches = now, 0
        self._batches += 1
        if self._batches > MAX_BATCHES:
            self._batches = 0
            self._time.give_up(StandsStill(f"{MAX_BATCHES} batches of tasks ran at one moment"))


def run(main: Callable[[], Awaitable[T]], time: VirtualTime, order: Order) -> T:
    """Run ``main`` on trio, with this clock and this order."""
    with _switched(order):
        return trio.run(time.watch, main, clock=time)


@contextmanager
def _switched(order: Order) -> Generator[None]:
    scheduler = vars(importlib.import_module("trio._core._run"))
    missing = [name for name in SWITCHES if name not in scheduler]
    if missing:
        raise RuntimeError(f"this release of trio cannot be simulated: it lacks {missing}")
    before = {name: scheduler[name] for name in SWITCHES}
    scheduler.update(zip(SWITCHES, (True, order), strict=True))
    try:
        yield
    finally:
        scheduler.update(before)
