"""The conformance suite on the memory store."""

from __future__ import annotations

import pytest
from backends.harnesses import MemoryHarness

# The suite is made for this: its classes and fixtures become this module's.
from actorq.testing.conformance.suite import *  # noqa: F403


@pytest.fixture
def harness() -> MemoryHarness:
    return MemoryHarness()
