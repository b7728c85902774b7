"""The store: where the connections to one memory come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actorq.backends.memory.connection import MemoryBackend
from actorq.backends.memory.data import Data

if TYPE_CHECKING:
    from collections.abc import Callable

    from actorq.backends.backend import Backend, Listener
    from actorq.core.policy import Policy
    from actorq.core.results import Check


class MemoryStore:
    """A store in this process's memory, as long as the object lives. Safe to use from several threads."""

    inline: bool = True
    """No verb waits for anything but another verb."""

    max_writers: int | None = 1
    """All connections share one lock: a second writer would only wait for it."""

    id_tail = None

    def __init__(self, policy: Policy, clock: Callable[[], int]) -> None:
        """Start empty; ``clock`` tells the instant, in microseconds since the Unix epoch."""
        self._data = Data(policy, clock)

    def open(self) -> Check:
        """Say what an operator should know; there is nothing to prepare."""
        return self.connect().check()

    def connect(self) -> Backend:
        """Open one more connection: all of them see the same jobs."""
        return MemoryBackend(self._data)

    def listen(self) -> Listener | None:
        """Return None: no other process can share this store."""
        return None

    def close(self) -> None:
        """Keep the jobs, for the store may be opened again."""
