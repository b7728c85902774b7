"""The conformance suite has teeth for workflows, too: each planted bug fails a test by name."""

from __future__ import annotations

import pytest

from actorq.backends.memory.connection import MemoryBackend
from actorq.errors import ActorqError
from actorq.testing.conformance import suite
from tests.testing import planted_workflows as planted
from tests.testing.test_conformance_catches import Catch, name_of, run

CATCHES = [
    Catch(planted.CancelTellsNobody, suite.TestParentEnds.test_a_cancelled_child_frees_its_key),
    Catch(planted.RepeatsAreCounted, suite.TestParentEnds.test_the_last_one_lets_it_go),
    Catch(
        planted.LookThenWait,
        suite.TestRacingParents.test_a_job_enqueued_while_its_parent_ends,
    ),
    Catch(planted.AnyEndWillDo, suite.TestParentEnds.test_figures),
    Catch(planted.OneIsEnough, suite.TestParentEnds.test_the_last_one_lets_it_go),
]


@pytest.mark.parametrize("catch", CATCHES, ids=name_of)
def test_a_planted_bug_fails_its_test(catch: Catch) -> None:
    """Each bug makes the test fail that names the rule which it breaks (I1, I3)."""
    with pytest.raises((AssertionError, ActorqError)):
        run(catch.bug, catch)


@pytest.mark.parametrize("catch", CATCHES, ids=name_of)
def test_the_same_test_passes_without_the_bug(catch: Catch) -> None:
    """It is the bug that makes the test fail, and nothing else (I1, I3)."""
    run(MemoryBackend, catch)
