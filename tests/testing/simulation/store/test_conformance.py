"""The conformance suite on the simulated store, when nothing goes wrong in its world."""

from __future__ import annotations

import pytest

from actorq.testing.conformance.suite import *  # noqa: F403 - it is made for this
from tests.testing.simulation.store.still import StillHarness


@pytest.fixture
def harness() -> StillHarness:
    return StillHarness()
