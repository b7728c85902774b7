"""The conformance suite on the PostgreSQL store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from actorq.testing.conformance.model import TestModel as AnyModel

# The suite is made for this: its classes and fixtures become this module's.
from actorq.testing.conformance.processes import *  # noqa: F403
from actorq.testing.conformance.suite import *  # noqa: F403
from tests.servers.postgres import PostgresHarness, shared_dsn

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def harness() -> Iterator[PostgresHarness]:
    harness = PostgresHarness(shared_dsn())
    yield harness
    harness.close()


@pytest.mark.timeout(400)
class TestModel(AnyModel):
    """The model test, with more time: each of its days has a schema, and every step its transactions."""
