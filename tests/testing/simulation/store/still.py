"""A world in which nothing takes time or breaks: the simulated store as the conformance suite wants it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actorq.testing.clock import ManualClock
from actorq.testing.simulation.choices import Choices
from actorq.testing.simulation.store import Odds, SimStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from actorq.backends.backend import Store
    from actorq.core.policy import Policy
    from actorq.testing.invariants.events import Event


class Still:
    """Both ports in one, under a clock that is moved by hand."""

    name = "node"

    def __init__(self) -> None:
        self.now = ManualClock()
        self.start = self.now()

    def time(self) -> float:
        return (self.now() - self.start) / 1e6

    def later(self, seconds: float, function: Callable[[], None]) -> None:
        raise AssertionError((seconds, function))

    def record(self, event: Event) -> None:
        """Forget it: this world is judged by the suite."""

    def sleep(self, seconds: float) -> None:
        raise AssertionError(seconds)

    def listen(self, seconds: float) -> None:
        raise AssertionError(seconds)

    def ring(self) -> None:
        """Nobody listens."""

    def alive(self) -> bool:
        return True


class StillHarness:
    """Simulated stores without faults."""

    shared_by_processes = False

    def __init__(self) -> None:
        self._still = Still()
        self.now = self._still.now

    def make(self, policy: Policy) -> Store:
        odds = Odds(latency=(0.0, 0.0))
        return SimStore(self._still, Choices(0), policy, odds, news=False).at(self._still)

    def reopen(self, store: Store) -> Store:
        return store

    def advance(self, seconds: float) -> None:
        self.now.advance(seconds)
