"""The conformance suite on the SQLite store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from backends.harnesses import SqliteHarness

# The suite is made for this: its classes and fixtures become this module's.
from actorq.testing.conformance.processes import *  # noqa: F403
from actorq.testing.conformance.suite import *  # noqa: F403

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def harness(tmp_path: Path) -> SqliteHarness:
    return SqliteHarness(tmp_path)
