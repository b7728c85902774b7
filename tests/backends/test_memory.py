"""The conformance suite on the memory store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from actorq.backends.memory import MemoryStore
from actorq.testing.clock import ManualClock

# The suite is made for this: its classes and fixtures become this module's.
from actorq.testing.conformance.suite import *  # noqa: F403

if TYPE_CHECKING:
    from actorq.backends.backend import Store
    from actorq.core.policy import Policy


class MemoryHarness:
    """Memory stores under a clock that is moved by hand."""

    shared_by_processes = False

    def __init__(self) -> None:
        self.now = ManualClock()

    def make(self, policy: Policy) -> Store:
        return MemoryStore(policy, self.now)

    def reopen(self, store: Store) -> Store:
        return store

    def advance(self, seconds: float) -> None:
        self.now.advance(seconds)


@pytest.fixture
def harness() -> MemoryHarness:
    return MemoryHarness()
