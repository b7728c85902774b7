"""Shrinking: a failure becomes a few choices, and stays the same failure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from actorq.core.results import Settled
from actorq.errors import NotFound
from actorq.testing.simulation import PROFILES, Parts, simulate
from actorq.testing.simulation.cases import load
from actorq.testing.simulation.shrink import minimal, shrunk
from actorq.testing.simulation.store import Engine

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from actorq.core.commands import Ack
    from actorq.errors import ActorqError


class Forgetful(Engine):
    """A store with a bug: it says that a job is done, and writes nothing down."""

    def ack(self, items: Sequence[Ack]) -> list[Settled | ActorqError]:
        """Answer as if the jobs were completed."""
        found = self.get_job([item.id for item in items])
        return [
            NotFound(item.id) if job is None else Settled(job)
            for item, job in zip(items, found, strict=True)
        ]


@pytest.mark.parametrize("bad", [{7}, {2, 3}, {0, 19}, {1, 5, 11, 16}])
def test_what_is_not_needed_goes(bad: set[int]) -> None:
    """What is left fails, and would not without any single part of it."""
    runs = 0

    def fails(items: Sequence[int]) -> bool:
        nonlocal runs
        runs += 1
        return bad <= set(items)

    assert set(minimal(range(20), fails)) == bad
    assert runs < 120


def test_what_fails_with_nothing_at_all_needs_nothing() -> None:
    """A failure that needs no choice is shrunk to none."""
    assert minimal(range(20), lambda _: True) == []


def test_a_failure_is_shrunk_kept_and_run_again(tmp_path: Path) -> None:
    """From some thousand choices to a handful, in a file that leads to the same broken promise."""
    parts = Parts(engine=Forgetful)
    report = simulate(PROFILES["calm"], 0, parts=parts)
    case = shrunk(report, parts, runs=120)
    assert len(report.record) > 500
    assert len(case.choices) < 20
    again = load(case.save(tmp_path)).run(parts)
    assert report.violations[0].invariant in {each.invariant for each in again.violations}
    assert not load(tmp_path / "calm-0.json").run().violations
