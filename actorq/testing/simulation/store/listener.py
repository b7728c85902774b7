"""News of a simulated store: hints that arrive late, twice or never."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actorq.errors import BackendUnavailable
from actorq.testing.simulation.store.line import Line

if TYPE_CHECKING:
    from actorq.testing.simulation.ports import NodePort
    from actorq.testing.simulation.store.machine import SimStore


class SimListener:
    """A connection that hears which queues have ready jobs, as ``Listener`` says."""

    def __init__(self, store: SimStore, node: NodePort) -> None:
        """Connect; raises ``BackendUnavailable`` when nothing answers."""
        self._line = Line(store, node)
        self._store = store
        self._node = node
        self.node = node.name
        self._news: set[str] = set()
        self._coming: set[str] = set()
        store.add_listener(self)

    def wait(self, timeout: float) -> frozenset[str] | None:
        """Wait up to ``timeout`` seconds for news."""
        if not self._news and self._line.connected:
            self._node.listen(timeout)
        if not self._line.connected:
            raise BackendUnavailable("the store: the connection for news was lost")
        news, self._news = frozenset(self._news), set()
        return news

    def interrupt(self) -> None:
        """Make a ``wait`` return soon."""
        self._node.ring()

    def close(self) -> None:
        """Let the connection go; safe to call twice."""
        self._store.drop_listener(self)
        self._line.close()

    def hear(self, queues: frozenset[str]) -> None:
        """Take in what the store says; it arrives a moment later, with what else is said by then.

        An empty word only wakes whoever waits: the connection has broken.
        """
        odds, choices = self._store.fates.odds, self._store.choices
        if not queues:
            self._node.ring()
        elif self._coming:
            self._coming |= queues
        elif not choices.chance(f"{self.node} news lost", odds.news_lost):
            self._coming |= queues
            self._store.port.later(odds.news_latency, self._arrive)
            if choices.chance(f"{self.node} news doubled", odds.news_doubled):
                self._store.port.later(2 * odds.news_latency, lambda: self._tell(queues))

    def _arrive(self) -> None:
        coming, self._coming = self._coming, set()
        self._tell(frozenset(coming))

    def _tell(self, queues: frozenset[str]) -> None:
        self._news |= queues
        self._node.ring()
