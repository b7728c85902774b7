"""A machine of the simulated world: it can crash, be paused and have a wrong clock; calls block on it."""

from __future__ import annotations

from contextvars import copy_context
from typing import TYPE_CHECKING, TypeAlias, TypeVar, cast

import anyio
from greenlet import getcurrent, greenlet

from actorq.core.instants import to_us
from actorq.testing.clock import START_US
from actorq.testing.simulation.loop import MACHINE

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from anyio.abc import TaskGroup

    from actorq.actors.runners import Runner
    from actorq.testing.simulation.loop import Order, VirtualTime

T = TypeVar("T")

Life: TypeAlias = "Callable[[], Coroutine[object, object, None]]"
"""What a task does, from its beginning to its end."""


class Gone(BaseException):
    """The machine has crashed: whatever still stands in its memory is of no use to anybody."""


class Machine:
    """Where tasks run that share a fate.

    ``run`` is its whole life. ``crash`` ends it without a trace: from that moment on nothing that a task
    does in there has an effect outside, its ``finally`` blocks included; so what the world hands
    to a machine asks ``alive`` first. A blocking call is a greenlet that sleeps in virtual time.
    """

    def __init__(self, name: str, order: Order, time: VirtualTime, offset: float = 0.0) -> None:
        """Stand there, switched off, with a clock that is ``offset`` seconds ahead."""
        self.name = name
        self.offset = offset
        self.tasks: TaskGroup
        self._order = order
        self._time = time
        self._alive = False
        self._scope = anyio.CancelScope()
        self._bell: anyio.Event | None = None
        self._context = copy_context()
        self._context.run(MACHINE.set, self)

    # ── its life ────────────────────────────────────────────────────────────────────────────────

    def boot(self, world: TaskGroup, life: Life) -> None:
        """Start ``life`` as the machine's first task; when it returns, the others are cancelled."""
        self._alive = True
        self._context.run(world.start_soon, self._live, life)

    async def _live(self, life: Life) -> None:
        try:
            with self._scope:
                async with anyio.create_task_group() as self.tasks:
                    await life()
                    self.tasks.cancel_scope.cancel()
        except BaseException:
            # Whatever a machine that has crashed still did, nobody will know.
            if self._alive:
                raise
        finally:
            self._alive = False

    def start(self, task: Life) -> None:
        """Start a task on this machine, whoever asks for it: a request has arrived."""
        self._context.run(self.tasks.start_soon, task)

    def alive(self) -> bool:
        """Tell whether the machine has neither crashed nor been switched off."""
        return self._alive

    def crash(self) -> None:
        """Lose everything that is in its memory, at this very moment; not while it is paused."""
        self._alive = False
        self._scope.cancel()

    def pause(self) -> None:
        """Stop everything on it, tasks and timers, but not what others send to it."""
        self._order.freeze(self)

    async def go_on(self) -> None:
        """Let all that has become due meanwhile happen now."""
        await self._order.thaw(self)

    def clock(self) -> int:
        """Return what this machine takes for the time: an instant, right or wrong."""
        return START_US + to_us(self._time.current_time() + self.offset)

    # ── blocking calls ──────────────────────────────────────────────────────────────────────────

    def sleep(self, seconds: float) -> None:
        """Block the calling greenlet for so much virtual time."""
        self._block(seconds, anyio.Event())

    def listen(self, seconds: float) -> None:
        """Block the calling greenlet for so long, or until the bell is rung."""
        if self._bell is None or self._bell.is_set():
            self._bell = anyio.Event()
        self._block(seconds, self._bell)

    def ring(self) -> None:
        """Wake whoever listens."""
        if self._bell is not None:
            self._bell.set()
            self._bell = None

    def _block(self, seconds: float, alarm: anyio.Event) -> None:
        thread = getcurrent().parent
        assert thread is not None, "only what a Blocking runner runs may block"
        self._time.later(seconds, alarm.set)
        thread.switch(alarm)
        if not self._alive:
            raise Gone

    def make_runner(self) -> Runner:
        """Return what runs blocking calls one at a time, as a thread of this machine would."""
        return Blocking(self)


class Blocking:
    """Runs blocking calls, one at a time, as ``ThreadRunner`` does.

    A call is a greenlet, which hands over the event that it waits for. A task that is cancelled leaves
    its call behind, which goes on; the next call waits for its end.
    """

    def __init__(self, machine: Machine) -> None:
        """Run on ``machine``."""
        self._machine = machine
        self._over: anyio.Event | None = None

    async def __call__(self, function: Callable[[], T], /) -> T:
        """Return what ``function`` returns; it may block."""
        while self._over is not None:
            await self._over.wait()
        call: greenlet = greenlet(function)
        said: object = call.switch()
        try:
            while not call.dead:
                await cast("anyio.Event", said).wait()
                said = call.switch()
        except anyio.get_cancelled_exc_class():
            if self._machine.alive():
                self._over = anyio.Event()
                self._machine.start(lambda: self._finish(call, cast("anyio.Event", said)))
            raise
        return cast("T", said)

    async def _finish(self, call: greenlet, alarm: anyio.Event) -> None:
        over = self._over
        assert over is not None
        try:
            while not call.dead:
                await alarm.wait()
                alarm = call.switch()
        except Exception:  # noqa: BLE001 - whom it might concern has left
            return
        finally:
            self._over = None
            over.set()
