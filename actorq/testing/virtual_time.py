"""Virtual time for tests, on both loops: it passes only while every task waits, and then at once.

An hour of sleep takes no time, and is over in order with everything else that sleeps. While a thread works
for the event loop, time stands still: it would otherwise run out for whoever waits for that thread.
"""

from __future__ import annotations

import asyncio
import math
import selectors
from contextlib import ExitStack, contextmanager
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar, TypeVarTuple

import anyio
import trio
import trio.abc

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Generator
    from concurrent.futures import Executor

P = ParamSpec("P")
T = TypeVar("T")
Ts = TypeVarTuple("Ts")

GLANCE_S: Final = 0.01
"""How long to wait, in real seconds, between two looks at whether time still stands still."""

INSTANT_S: Final = 1e-6
"""The shortest time that a store's clock can tell."""

PATIENCE_S: Final = 3_600.0
"""How much virtual time may pass without anything happening until a test is taken to wait in vain."""


class VirtualTime:
    """The virtual seconds since a loop began, and what keeps them from passing."""

    def __init__(self) -> None:
        """Start at 0."""
        self._now = 0.0
        self._holds: list[Callable[[], bool]] = []
        self._guard: anyio.CancelScope | None = None

    def now(self) -> float:
        """Return the virtual seconds."""
        return self._now

    def jump(self, deadline: float) -> None:
        """Go on to ``deadline``; time does not go back."""
        self._now = max(self._now, deadline)

    @property
    def stands_still(self) -> bool:
        """Whether something is at work that the loop cannot see."""
        return any(is_at_work() for is_at_work in self._holds)

    @contextmanager
    def standing_still(self, while_: Callable[[], bool] = lambda: True) -> Generator[None]:
        """Keep time from passing in the block, as long as ``while_`` is true.

        It must turn false in the loop itself: what a thread says is over has not yet reached the loop.
        """
        self._holds.append(while_)
        try:
            yield
        finally:
            self._holds.remove(while_)

    @contextmanager
    def guarding(self, scope: anyio.CancelScope) -> Generator[None]:
        """Cancel ``scope`` when so much time has passed in vain that it waits for nothing."""
        self._guard = scope
        self.allow()
        try:
            yield
        finally:
            self._guard = None

    def allow(self, seconds: float = 0.0) -> None:
        """Let time pass for ``seconds`` before it counts as passed in vain."""
        if self._guard is not None:
            deadline = self._now + seconds + PATIENCE_S
            self._guard.deadline = max(self._guard.deadline, deadline)


class _Selector(selectors.DefaultSelector):
    """Looks for events without waiting for them; when there are none, time passes instead."""

    def __init__(self, time: VirtualTime) -> None:
        super().__init__()
        self._time = time

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        events = super().select(0)
        if events or (timeout is not None and timeout <= 0):
            return events
        if timeout is None or self._time.stands_still:
            # Without a timer there is nothing to jump to: only another thread can make something happen.
            return super().select(GLANCE_S)
        self._time.jump(self._time.now() + timeout)
        return events


class VirtualLoop(asyncio.SelectorEventLoop):
    """An asyncio loop in virtual time."""

    def __init__(self) -> None:
        """Start a time of its own."""
        self.virtual_time = VirtualTime()
        super().__init__(_Selector(self.virtual_time))

    def time(self) -> float:
        """Return the virtual seconds."""
        return self.virtual_time.now()

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts
    ) -> asyncio.Future[T]:
        """Run ``func`` in a thread, and let time stand still meanwhile."""
        future = super().run_in_executor(executor, func, *args)
        hold = ExitStack()
        hold.enter_context(self.virtual_time.standing_still(lambda: not future.done()))
        future.add_done_callback(lambda _: hold.close())
        return future


class VirtualClock(trio.abc.Clock, trio.abc.Instrument):
    """A trio clock in virtual time; as an instrument it is told when a task runs."""

    def __init__(self) -> None:
        """Make a time for the run to come."""
        self.virtual_time = VirtualTime()
        self._has_looked = False

    def start_clock(self) -> None:
        """Start a time of its own: one clock may serve several runs, one after another."""
        self.virtual_time = VirtualTime()

    def current_time(self) -> float:
        """Return the virtual seconds."""
        return self.virtual_time.now()

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        """Take notice that something happened."""
        del task
        self._has_looked = False

    def deadline_to_sleep_time(self, deadline: float) -> float:
        """Return the real seconds to wait; with nothing to wait for, time passes instead."""
        if deadline <= self.virtual_time.now():
            return 0.0
        if not self._has_looked:
            # What has come in meanwhile goes first.
            self._has_looked = True
            return 0.0
        if deadline == math.inf or self.virtual_time.stands_still:
            return GLANCE_S
        self._has_looked = False
        self.virtual_time.jump(deadline)
        return 0.0


def virtual_backend(name: str) -> tuple[str, dict[str, Any]]:
    """Return the value of anyio's fixture ``anyio_backend`` that runs a test in virtual time.

    ``name`` is ``asyncio`` or ``trio``.
    """
    if name == "asyncio":
        return name, {"loop_factory": VirtualLoop}
    if name == "trio":
        clock = VirtualClock()
        return name, {"clock": clock, "instruments": [clock]}
    raise ValueError(f"there is no event loop {name!r}: use asyncio or trio")


def current_time() -> VirtualTime:
    """Return the time of the running event loop; raises ``RuntimeError`` where it is the real one."""
    try:
        loop: object = asyncio.get_running_loop()
    except RuntimeError:
        loop = None
    if isinstance(loop, VirtualLoop):
        return loop.virtual_time
    if loop is None:
        clock = trio.lowlevel.current_clock()
        if isinstance(clock, VirtualClock):
            return clock.virtual_time
    raise RuntimeError(
        "this event loop runs in real time: use the fixtures of actorq, or actorq.testing.run"
    )


def run(function: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run an async function in virtual time, on an asyncio loop of its own, and return its result."""
    return run_on("asyncio", function, *args, **kwargs)


def run_on(
    backend: str, function: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
) -> T:
    """Do the same on an event loop of this name: ``asyncio`` or ``trio``."""
    name, options = virtual_backend(backend)
    call = partial(guarded(function), *args, **kwargs)
    return anyio.run(call, backend=name, backend_options=options)


def guarded(function: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Return a function that does the same, and fails instead of waiting for ever in virtual time."""

    @wraps(function)
    async def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            time = current_time()
        except RuntimeError:
            return await function(*args, **kwargs)
        with anyio.CancelScope(deadline=time.now() + PATIENCE_S) as scope, time.guarding(scope):
            return await function(*args, **kwargs)
        raise AssertionError(
            f"nothing happened for {PATIENCE_S:g} virtual seconds: what the test waits for will not come. "
            "Is a worker running? To let more time pass, use advance()."
        )

    return call


async def settle() -> None:
    """Wait until every other task waits for time to pass."""
    await anyio.sleep(INSTANT_S)
