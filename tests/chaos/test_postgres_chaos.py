"""Half a minute of chaos on PostgreSQL: real processes, all faults, and the oracle's word (I1-I17)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.chaos.short_run import MOST_S, endure

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.timeout(MOST_S)
def test_every_promise_is_kept(tmp_path: Path) -> None:
    """Whatever dies, stops or is cut off, nothing is lost, and nothing runs twice without a reason (§10)."""
    endure("postgres", tmp_path)
