"""The conformance suite on the memory store."""

from __future__ import annotations

import pytest
from backends.harnesses import MemoryHarness

from actorq.testing.conformance.suite import *  # noqa: F403 - it is made for this


@pytest.fixture
def harness() -> MemoryHarness:
    return MemoryHarness()
