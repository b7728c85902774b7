"""The engine of a simulated store: memory's verbs, one for each connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actorq.backends.memory.connection import MemoryBackend

if TYPE_CHECKING:
    from collections.abc import Callable

    from actorq.testing.simulation.ports import NodePort
    from actorq.testing.simulation.store.data import WatchedData


class Engine(MemoryBackend):
    """What carries out the verbs of one connection: each is one atomic step, as in the reference.

    A store with a bug may be made of it. A verb that takes two steps, where it must be one, calls ``step``
    between them: there the connection may break, and the caller's machine may die.
    """

    def __init__(self, data: WatchedData, node: NodePort, step: Callable[[], None]) -> None:
        """Work on ``data`` for ``node``; ``step`` is the way there and back again."""
        super().__init__(data)
        self.data = data
        self.node = node
        self.step = step
