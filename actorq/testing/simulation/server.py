"""A server: a machine on which the real runtime runs, on the simulated store; it may come and go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import anyio

from actorq.errors import BackendUnavailable
from actorq.runtime import Options, running
from actorq.testing.simulation.machine import Machine

if TYPE_CHECKING:
    from actorq.cast import Cast
    from actorq.core.policy import Policy
    from actorq.face import JobQueue
    from actorq.testing.simulation.store import SimStore
    from actorq.testing.simulation.world import World

AGAIN_S: Final = 0.5
"""Seconds after which whoever keeps a server running starts it again."""

LAST_WORDS_S: Final = 0.05
"""Seconds that answers may take to leave a server that has stopped."""

WRITERS: Final = 2
"""How many writing lanes a server has at most."""


class Server:
    """One of several servers on the store. ``queue`` is its door, None while it has none."""

    def __init__(
        self, world: World, store: SimStore, policy: Policy, cast: Cast, name: str
    ) -> None:
        """Be ready to ``boot``."""
        self.name = name
        self.queue: JobQueue | None = None
        self.cut_off = False
        """Whether nothing from outside gets through to it, nor its answers out."""
        self.offset = 0.0
        """How many seconds its clock is ahead."""
        self.machine: Machine
        self._world = world
        self._store = store
        self._policy = policy
        self._cast = cast
        self._leaving: anyio.Event

    def boot(self) -> None:
        """Start a new life, which knows nothing of the one before; that may still be on its way out."""
        self.queue = None
        self.machine = Machine(self.name, self._world.order, self._world.time_line, self.offset)
        self._leaving = anyio.Event()
        self.machine.boot(self._world.tasks, self._live)

    def crash(self) -> None:
        """Lose the machine, with all that was in its memory."""
        self.queue = None
        self._store.drop_node(self.name)
        self.machine.crash()

    def leave(self) -> None:
        """Stop in order, as for a deploy."""
        self._leaving.set()

    async def _live(self) -> None:
        # Of this life: the next one may begin before it is over.
        machine, leaving = self.machine, self._leaving
        options = self._options(machine)

        def note_bug(actor: str, error: Exception) -> None:
            if machine.alive():
                self._world.note_bug(f"{self.name}: {actor}", error)

        while not leaving.is_set():
            try:
                async with running(self._store.at(machine), options, note_bug) as runtime:
                    if machine is self.machine:
                        self.queue = runtime.queue
                    try:
                        await leaving.wait()
                    finally:
                        if machine is self.machine:
                            self.queue = None
            except BackendUnavailable:
                # The store is away at the start: the program ends, and is started again.
                await anyio.sleep(AGAIN_S)
        await anyio.sleep(LAST_WORDS_S)

    def _options(self, machine: Machine) -> Options:
        world = self._world
        return Options(
            policy=self._policy,
            pool_size=1 + world.choices.choose(f"{self.name} writers", WRITERS),
            mailbox_capacity=world.profile.mailbox_capacity,
            grace=world.profile.grace,
            patience=world.profile.patience,
            clock=machine.clock,
            random_bits=world.random_bits,
            mint_token=world.mint_token,
            make_runner=machine.make_runner,
            cast=self._cast,
        )

    def cut(self, off: bool) -> None:  # noqa: FBT001 - the two sides of one switch
        """Cut it off from its callers, or connect it with them again."""
        self.cut_off = off

    def set_clock(self, offset: float) -> None:
        """Turn its clock to ``offset`` seconds ahead, in the middle of whatever it does."""
        self.offset = self.machine.offset = offset
