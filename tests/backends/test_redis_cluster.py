"""The conformance suite on a Redis Cluster of three nodes: what a cluster might break."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

# Keys of one queue are one slot, whatever the verb: the rules of single jobs are those of one server,
# where the whole suite runs. Here is what may meet two shards, or two processes. The whole suite passes
# here, too; it takes minutes.
from actorq.testing.conformance.concurrency import (
    TestRacingClaims,
    TestRacingEnds,
    TestRacingEnqueues,
)
from actorq.testing.conformance.dedupe import (
    TestDedupeKeys,
    TestFreeing,
    TestReplace,
    TestWindow,
)
from actorq.testing.conformance.defects import TestDefects
from actorq.testing.conformance.fixtures import bench, make_bench
from actorq.testing.conformance.idempotency import TestIdempotency
from actorq.testing.conformance.leases import TestClaims
from actorq.testing.conformance.listing import (
    TestFilters,
    TestPages,
)
from actorq.testing.conformance.parent_ends import TestParentEnds
from actorq.testing.conformance.processes import *  # noqa: F403 - its classes become this module's
from actorq.testing.conformance.queues import (
    TestFigures,
    TestMaxDepth,
    TestMaxRunning,
    TestPause,
    TestSettings,
)
from actorq.testing.conformance.racing_parents import TestRacingParents
from actorq.testing.conformance.racing_ticks import TestRacingTicks
from actorq.testing.conformance.schedules import TestEditing, TestSchedules
from actorq.testing.conformance.stores import TestStore
from actorq.testing.conformance.ticks import TestCatchUp, TestTicks, TestTicksAndQueues
from actorq.testing.conformance.workflows import TestWaiting
from tests.servers.redis_groups import RedisCluster
from tests.servers.redis_harness import RedisHarness

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = [
    "TestCatchUp",
    "TestClaims",
    "TestDedupeKeys",
    "TestDefects",
    "TestEditing",
    "TestFigures",
    "TestFilters",
    "TestFreeing",
    "TestIdempotency",
    "TestMaxDepth",
    "TestMaxRunning",
    "TestPages",
    "TestParentEnds",
    "TestPause",
    "TestRacingClaims",
    "TestRacingEnds",
    "TestRacingEnqueues",
    "TestRacingParents",
    "TestRacingTicks",
    "TestReplace",
    "TestSchedules",
    "TestSettings",
    "TestStore",
    "TestTicks",
    "TestTicksAndQueues",
    "TestWaiting",
    "TestWindow",
    "bench",
    "make_bench",
]


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
