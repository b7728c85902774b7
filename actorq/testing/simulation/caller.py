"""A caller: a machine that speaks with a server, and goes to another when it gets no answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

import anyio

from actorq.errors import BackendUnavailable, InternalError, Overloaded, ShuttingDown
from actorq.testing.simulation.loop import MACHINE
from actorq.testing.simulation.machine import Machine
from actorq.testing.simulation.network import Lost, Network, Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from actorq.face import JobQueue
    from actorq.testing.invariants.events import Event
    from actorq.testing.simulation.server import Server
    from actorq.testing.simulation.world import World

R = TypeVar("R")

IN_DOUBT: Final = (Lost, BackendUnavailable, InternalError)
"""What leaves open whether a call was done."""

NOT_DONE: Final = (Unreachable, Overloaded, ShuttingDown)
"""What says that a call was not done, and may be made again."""


class Caller:
    """What clients and workers have in common."""

    def __init__(self, world: World, name: str, servers: Sequence[Server]) -> None:
        """Speak with one of ``servers``, first with any."""
        self.world = world
        self.name = name
        self.machine = Machine(name, world.order, world.time_line)
        self._network = Network(world, name)
        self._servers = servers
        self._at = world.choices.choose(f"{name} server", len(servers))
        self._patience = f"{name} patience"
        self._pause = f"{name} pause"

    async def live(self) -> None:
        """Do what the caller is there for, until it is done or the machine goes off."""
        raise NotImplementedError

    def boot(self) -> None:
        """Start a new life, which knows nothing of the one before."""
        self.machine = Machine(self.name, self.world.order, self.world.time_line)
        self.machine.boot(self.world.tasks, self.live)

    def crash(self) -> None:
        """Lose the machine, with all that was in its memory."""
        self.machine.crash()

    @property
    def at(self) -> float:
        """The virtual time, for what is recorded."""
        return self.world.time()

    def record(self, event: Event) -> None:
        """Record an event, unless the machine has crashed: then there was none."""
        # Of its own life: another one may have begun meanwhile.
        life = MACHINE.get()
        if isinstance(life, Machine) and life.alive():
            self.world.record(event)

    async def ask(
        self,
        question: Callable[[JobQueue], Coroutine[object, object, R]],
        *,
        wait: float = 0.0,
        may_double: bool = False,
    ) -> R:
        """Let the server do something that takes ``wait`` seconds by itself; raises as ``Network.call``."""
        world = self.world
        low, high = world.profile.caller_patience
        patience = wait + world.choices.span(self._patience, low, high)
        try:
            return await self._network.call(
                self._servers[self._at], question, patience=patience, may_double=may_double
            )
        except (*IN_DOUBT, *NOT_DONE):
            self._at = (self._at + 1) % len(self._servers)
            raise

    async def rest(self) -> None:
        """Wait a little before the next try."""
        await anyio.sleep(self.world.choices.span(self._pause, 0.05, 2.0))


def code_of(error: Exception) -> str:
    """Return the stable word of a refusal."""
    return str(getattr(error, "code", "unreachable"))
