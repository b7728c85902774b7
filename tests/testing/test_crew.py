"""The crew of processes that races a store."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from actorq.backends.memory import MemoryStore
from actorq.core.policy import Policy
from actorq.testing.clock import START_US, ManualClock
from actorq.testing.conformance import tasks
from actorq.testing.conformance.crew import Crew

if TYPE_CHECKING:
    from collections.abc import Iterator

RECIPE = partial(MemoryStore, Policy(), ManualClock())


@pytest.fixture
def crew() -> Iterator[Crew]:
    crew = Crew()
    yield crew
    crew.dismiss()


def test_a_race_answers_in_order(crew: Crew) -> None:
    """Each process does its own task on its own store, and a crew can race again."""
    for _ in range(2):
        assert crew.race(RECIPE, tasks.look, [None, None]) == [START_US, START_US]
        assert crew.race(RECIPE, tasks.claim_all, [1, 2]) == [[], []]


def test_a_failing_task_fails_the_test(crew: Crew) -> None:
    """What goes wrong in a process is told with its traceback, and is no answer."""
    with pytest.raises(AssertionError, match=r"(?s)Traceback.*in make_ready.*NotFound|Traceback"):
        crew.race(RECIPE, tasks.hear_news, [None])
