"""The conformance suite on the SQLite store."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from actorq.backends.sqlite import SqliteStore
from actorq.testing.clock import SharedClock

# The suite is made for this: its classes and fixtures become this module's.
from actorq.testing.conformance.processes import *  # noqa: F403
from actorq.testing.conformance.suite import *  # noqa: F403

if TYPE_CHECKING:
    from pathlib import Path

    from actorq.backends.backend import Store
    from actorq.core.policy import Policy


class SqliteHarness:
    """SQLite stores, each a file of one folder; their clock is in the folder too, for all processes."""

    shared_by_processes = True

    def __init__(self, folder: Path) -> None:
        self.now = SharedClock(folder / "clock")
        self._folder = folder
        self._recipes: list[tuple[Store, partial[SqliteStore]]] = []

    def make(self, policy: Policy) -> Store:
        path = self._folder / f"{len(self._recipes)}.db"
        return self._made(partial(SqliteStore, str(path), policy, self.now))

    def reopen(self, store: Store) -> Store:
        return self._made(self.recipe(store))

    def recipe(self, store: Store) -> partial[SqliteStore]:
        return next(recipe for made, recipe in self._recipes if made is store)

    def _made(self, recipe: partial[SqliteStore]) -> Store:
        store = recipe()
        self._recipes.append((store, recipe))
        return store

    def advance(self, seconds: float) -> None:
        self.now.advance(seconds)


@pytest.fixture
def harness(tmp_path: Path) -> SqliteHarness:
    return SqliteHarness(tmp_path)
