"""What the tests of whole servers share: places in stores, and pairs of servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.doors import Pair
from tests.e2e.places import SHARED, place_in
from tests.e2e.server_process import ACTORQ, Server

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

RUN_S = 300.0
"""Seconds that the servers of a whole run of these tests may take."""


@pytest.fixture(scope="session", params=SHARED)
def store(request: pytest.FixtureRequest) -> str:
    """Go through the stores that several servers can share."""
    return str(request.param)


@pytest.fixture
def place(store: str, tmp_path: Path) -> Iterator[Mapping[str, str]]:
    """Give the settings of a place that nobody has used."""
    with place_in(store, tmp_path) as settings:
        yield settings


@pytest.fixture(scope="session")
def pair(store: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Run two servers on one place for all tests that only need queues of their own."""
    folder = tmp_path_factory.mktemp("pair")
    with (
        place_in(store, folder) as settings,
        Server(folder, *ACTORQ, settings=settings, patience=RUN_S) as first,
        Server(folder, *ACTORQ, settings=settings, patience=RUN_S) as second,
    ):
        yield Pair.of([first.url(), second.url()])
