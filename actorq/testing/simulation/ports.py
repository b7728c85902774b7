"""What a simulated store is given by the world, and what the world asks of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from actorq.testing.invariants.events import Event


class NodePort(Protocol):
    """The machine on which a connection is: what its calls feel of the world.

    A verb of a backend blocks. Here, ``sleep`` blocks only the call (and the lane that makes it): the
    world goes on meanwhile. It returns late when the node is paused, and never when it has
    crashed; so what shall happen at the store all the same goes through the world's ``later``.
    """

    name: str

    def sleep(self, seconds: float) -> None:
        """Return when so much virtual time has passed, and the node runs."""
        ...

    def listen(self, seconds: float) -> None:
        """Return like ``sleep``, or earlier once ``ring`` is called: how a connection for news waits."""
        ...

    def ring(self) -> None:
        """Let whoever listens on this node look for news; nothing happens if nobody does."""
        ...

    def alive(self) -> bool:
        """Tell whether the node has not crashed; of a crashed one nothing may reach the store."""
        ...


class StorePort(Protocol):
    """The machine on which the store is."""

    def now(self) -> int:
        """Return the store's clock: an instant, which may be turned back by the world."""
        ...

    def time(self) -> float:
        """Return the virtual time, in seconds: the ``at`` of whatever is recorded."""
        ...

    def later(self, seconds: float, function: Callable[[], None]) -> None:
        """Call ``function`` when so much virtual time has passed, whoever has crashed meanwhile."""
        ...

    def record(self, event: Event) -> None:
        """Add an event to the history of the run."""
        ...
