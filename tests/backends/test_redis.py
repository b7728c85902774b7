"""The conformance suite on the Redis store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

# The suite is made for this: its classes and fixtures become this module's.
from actorq.testing.conformance.processes import *  # noqa: F403 - made for it
from actorq.testing.conformance.suite import *  # noqa: F403 - made for it
from tests.servers.redis_harness import RedisHarness

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[RedisHarness]:
    harness = RedisHarness(tmp_path)
    yield harness
    harness.close()
