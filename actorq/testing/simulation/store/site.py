"""The face of a simulated store for one node: what a runtime opens there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actorq.testing.simulation.store.connection import SimBackend
from actorq.testing.simulation.store.listener import SimListener

if TYPE_CHECKING:
    from actorq.backends.backend import Backend, Listener
    from actorq.core.results import Check
    from actorq.testing.simulation.ports import NodePort
    from actorq.testing.simulation.store.machine import SimStore


class SiteStore:
    """One node's way to the store that all nodes share, as ``Store`` says."""

    inline: bool = False
    """Its verbs take virtual time, so a lane's runner must be able to block."""

    max_writers: int | None = None
    id_tail = None

    def __init__(self, store: SimStore, node: NodePort, *, news: bool) -> None:
        """Reach ``store`` from ``node``; without ``news`` there is no listener."""
        self._store = store
        self._node = node
        self._news = news

    def open(self) -> Check:
        """Prove that the store answers."""
        backend = self.connect()
        try:
            return backend.check()
        finally:
            backend.close()

    def connect(self) -> Backend:
        """Open one more connection."""
        return SimBackend(self._store, self._node)

    def listen(self) -> Listener | None:
        """Open a connection for news, if this store has any."""
        return SimListener(self._store, self._node) if self._news else None

    def close(self) -> None:
        """Hold nothing: the data are the world's."""
