"""The conformance suite has teeth for schedules, too: each planted bug fails a test by name."""

from __future__ import annotations

import pytest

from actorq.backends.memory.connection import MemoryBackend
from actorq.errors import ActorqError
from actorq.testing.conformance import suite
from tests.testing import planted_schedules as planted
from tests.testing.test_conformance_catches import Catch, name_of, run

CATCHES = [
    Catch(
        planted.FireThenAdvance,
        suite.TestRacingTicks.test_a_thousand_ticks_are_a_thousand_jobs,
    ),
    Catch(planted.TickEarly, suite.TestTicks.test_never_early),
    Catch(planted.TickIsAnEdit, suite.TestEditing.test_what_ticks_write_is_no_new_version),
    Catch(planted.FullQueueSwallows, suite.TestTicksAndQueues.test_a_tick_waits_for_room),
    Catch(planted.AnyVersionWillDo, suite.TestSchedules.test_a_change_belongs_to_a_version),
    Catch(planted.StartUndoesEdits, suite.TestDeclaring.test_a_start_undoes_no_edit),
    Catch(planted.PauseMadeUpFor, suite.TestEditing.test_a_paused_schedule_makes_nothing),
]


@pytest.mark.parametrize("catch", CATCHES, ids=name_of)
def test_a_planted_bug_fails_its_test(catch: Catch) -> None:
    """Each bug makes the test fail that names the rule which it breaks (I9, I19)."""
    with pytest.raises((AssertionError, ActorqError)):
        run(catch.bug, catch)


@pytest.mark.parametrize("catch", CATCHES, ids=name_of)
def test_the_same_test_passes_without_the_bug(catch: Catch) -> None:
    """It is the bug that makes the test fail, and nothing else (I9, I19)."""
    run(MemoryBackend, catch)
