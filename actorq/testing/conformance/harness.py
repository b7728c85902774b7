"""What the author of a store provides so that the suite can be run on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from actorq.backends.backend import Store
    from actorq.core.policy import Policy


class Harness(Protocol):
    """Gives the suite fresh stores, and a hand on their clock.

    The suite opens, connects and closes what it is given. It never asserts an exact instant of the
    store's clock, only relations, so that ``advance`` may really wait; what it asks for is short,
    except in the model test, which then needs a small ``ACTORQ_MODEL_EXAMPLES``, and in the races of ticks.
    """

    @property
    def shared_by_processes(self) -> bool:
        """True when several processes may open this store; its ``listen`` then gives a listener."""
        ...

    def make(self, policy: Policy) -> Store:
        """Return a store that was not opened yet, over an empty namespace of its own."""
        ...

    def reopen(self, store: Store) -> Store:
        """Return a store over the same data, as a program finds it that starts after ``store`` closed.

        The suite closes ``store`` before and opens the answer. A store that keeps nothing beyond its
        object answers that object itself.
        """
        ...

    def advance(self, seconds: float) -> None:
        """Move the stores' clock on by at least ``seconds``: shift it, or wait."""
        ...

    def now(self) -> int:
        """Return the stores' clock: microseconds since the Unix epoch."""
        ...


class SharedHarness(Harness, Protocol):
    """What ``actorq.testing.conformance.processes`` needs beyond that."""

    def recipe(self, store: Store) -> Callable[[], Store]:
        """Return what makes a store over the same data and the same clock in another process.

        The suite pickles it: a ``functools.partial`` of the store's class and plain arguments will do.
        """
        ...
