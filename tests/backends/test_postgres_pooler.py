"""PostgreSQL behind a pooler in transaction mode: the same contract, by the same tests (C4)."""

from __future__ import annotations

import atexit
from functools import cache
from typing import TYPE_CHECKING

import pytest

from actorq.backends.postgres import PostgresStore

# What may depend on a session: statements, locks, settings, listening. The whole suite passes, too.
from actorq.testing.conformance.concurrency import (
    TestRacingClaims,
    TestRacingEnds,
    TestRacingEnqueues,
)
from actorq.testing.conformance.defects import TestDefects
from actorq.testing.conformance.fixtures import bench, make_bench
from actorq.testing.conformance.idempotency import TestIdempotency
from actorq.testing.conformance.leases import TestClaims
from actorq.testing.conformance.processes import *  # noqa: F403 - its classes become this module's
from actorq.testing.conformance.queues import TestMaxDepth, TestMaxRunning
from actorq.testing.conformance.racing_parents import TestRacingParents
from actorq.testing.conformance.stores import TestStore
from tests.servers.pgbouncer import Pooler
from tests.servers.postgres import PostgresHarness, shared_dsn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actorq.testing.conformance.bench import Bench

__all__ = [
    "TestClaims",
    "TestDefects",
    "TestIdempotency",
    "TestMaxDepth",
    "TestMaxRunning",
    "TestRacingClaims",
    "TestRacingEnds",
    "TestRacingEnqueues",
    "TestRacingParents",
    "TestStore",
    "bench",
    "make_bench",
]


@cache
def pooler() -> Pooler:
    pooler = Pooler(shared_dsn())
    atexit.register(pooler.close)
    return pooler


@pytest.fixture
def harness() -> Iterator[PostgresHarness]:
    harness = PostgresHarness(shared_dsn(), pooler().dsn)
    yield harness
    harness.close()


def test_a_pooler_keeps_notifications_away(bench: Bench) -> None:
    """Where nothing is heard, opening says so, and there is no listener that would wait in vain (C4)."""
    store = PostgresStore(pooler().dsn, "unheard", bench.policy)
    (warning,) = (line for line in store.open().warnings if "notifications" in line)
    assert "pooler" in warning
    assert store.listen() is None
    store.close()
