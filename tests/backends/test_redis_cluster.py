"""The conformance suite on a Redis Cluster of three nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

# The suite is made for this: its classes and fixtures become this module's.
from actorq.testing.conformance.processes import *  # noqa: F403 - made for it
from actorq.testing.conformance.suite import *  # noqa: F403 - made for it
from tests.servers.redis_groups import RedisCluster
from tests.servers.redis_harness import RedisHarness

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def cluster() -> Iterator[RedisCluster]:
    """Run a cluster for all tests of this module."""
    cluster = RedisCluster()
    yield cluster
    cluster.close()


@pytest.fixture
def harness(tmp_path: Path, cluster: RedisCluster) -> Iterator[RedisHarness]:
    harness = RedisHarness(tmp_path, cluster.url)
    yield harness
    harness.close()
