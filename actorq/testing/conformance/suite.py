"""Every test that any store must pass: ``from actorq.testing.conformance.suite import *``."""

from actorq.testing.conformance.concurrency import (
    TestRacingClaims,
    TestRacingEnds,
    TestRacingEnqueues,
)
from actorq.testing.conformance.dedupe import TestDedupeKeys, TestFreeing, TestReplace, TestWindow
from actorq.testing.conformance.defects import TestDefects
from actorq.testing.conformance.fixtures import bench, make_bench
from actorq.testing.conformance.history import TestHistory
from actorq.testing.conformance.idempotency import TestIdempotency, TestIdempotencyWithDedupe
from actorq.testing.conformance.jobs import TestRecord
from actorq.testing.conformance.leases import TestClaims, TestFencing
from actorq.testing.conformance.listing import TestFilters, TestPages
from actorq.testing.conformance.model import TestModel
from actorq.testing.conformance.order import TestOrder
from actorq.testing.conformance.parent_ends import TestParentEnds
from actorq.testing.conformance.queues import (
    TestFigures,
    TestMaxDepth,
    TestMaxRunning,
    TestPause,
    TestSettings,
)
from actorq.testing.conformance.racing_parents import TestRacingParents
from actorq.testing.conformance.racing_ticks import TestRacingTicks
from actorq.testing.conformance.renewals import TestExpiry, TestExtend
from actorq.testing.conformance.retention import (
    TestPurge,
    TestRetentionByAge,
    TestRetentionByCount,
)
from actorq.testing.conformance.retries import TestHandBacks, TestLostLeases, TestRetries
from actorq.testing.conformance.schedules import TestDeclaring, TestEditing, TestSchedules
from actorq.testing.conformance.states import (
    TestAtMostOnce,
    TestCancel,
    TestDeadLetters,
    TestEdit,
    TestTransitions,
)
from actorq.testing.conformance.stores import TestStore
from actorq.testing.conformance.ticks import TestCatchUp, TestTicks, TestTicksAndQueues
from actorq.testing.conformance.timing import TestDue, TestExpiresAt, TestNext
from actorq.testing.conformance.workflows import TestWaiting

__all__ = [
    "TestAtMostOnce",
    "TestCancel",
    "TestCatchUp",
    "TestClaims",
    "TestDeadLetters",
    "TestDeclaring",
    "TestDedupeKeys",
    "TestDefects",
    "TestDue",
    "TestEdit",
    "TestEditing",
    "TestExpiresAt",
    "TestExpiry",
    "TestExtend",
    "TestFencing",
    "TestFigures",
    "TestFilters",
    "TestFreeing",
    "TestHandBacks",
    "TestHistory",
    "TestIdempotency",
    "TestIdempotencyWithDedupe",
    "TestLostLeases",
    "TestMaxDepth",
    "TestMaxRunning",
    "TestModel",
    "TestNext",
    "TestOrder",
    "TestPages",
    "TestParentEnds",
    "TestPause",
    "TestPurge",
    "TestRacingClaims",
    "TestRacingEnds",
    "TestRacingEnqueues",
    "TestRacingParents",
    "TestRacingTicks",
    "TestRecord",
    "TestReplace",
    "TestRetentionByAge",
    "TestRetentionByCount",
    "TestRetries",
    "TestSchedules",
    "TestSettings",
    "TestStore",
    "TestTicks",
    "TestTicksAndQueues",
    "TestTransitions",
    "TestWaiting",
    "TestWindow",
    "bench",
    "make_bench",
]
