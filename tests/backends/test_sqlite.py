"""The conformance suite on the SQLite store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from actorq.testing.conformance.processes import *  # noqa: F403 - it is made for this
from actorq.testing.conformance.suite import *  # noqa: F403 - it is made for this
from tests.backends.harnesses import SqliteHarness

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def harness(tmp_path: Path) -> SqliteHarness:
    return SqliteHarness(tmp_path)
