"""The conformance suite on the PostgreSQL store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

# The suite is made for this: its classes and fixtures become this module's.
from actorq.testing.conformance.processes import *  # noqa: F403 - made for it
from actorq.testing.conformance.suite import *  # noqa: F403 - made for it
from tests.servers.postgres import PostgresHarness, shared_dsn

if TYPE_CHECKING:
    from collections.abc import Iterator


# The model test's days have a schema each, and every step of them its transactions.
pytestmark = pytest.mark.timeout(400)


@pytest.fixture
def harness() -> Iterator[PostgresHarness]:
    harness = PostgresHarness(shared_dsn())
    yield harness
    harness.close()
