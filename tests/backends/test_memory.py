"""The conformance suite on the memory store."""

from __future__ import annotations

import pytest

from actorq.testing.conformance.suite import *  # noqa: F403 - it is made for this
from tests.backends.harnesses import MemoryHarness


@pytest.fixture
def harness() -> MemoryHarness:
    return MemoryHarness()
