"""Cases: failures that were found once and mended must not come back."""

from __future__ import annotations

from pathlib import Path

import pytest

from actorq.testing.simulation.cases import load

CASES = sorted((Path(__file__).parent / "cases").glob("*.json"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_failure_that_was_mended_stays_mended(path: Path) -> None:
    """What once broke a promise, as the few choices that led to it, breaks none."""
    assert [str(violation) for violation in load(path).run().violations] == []


def test_there_are_cases() -> None:
    """They are kept beside this file."""
    assert CASES
