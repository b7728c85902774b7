"""What the conformance suite needs of the stores that come with actorq and need no server."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from actorq.backends.memory import MemoryStore
from actorq.backends.sqlite import SqliteStore
from actorq.testing.clock import ManualClock, SharedClock

if TYPE_CHECKING:
    from pathlib import Path

    from actorq.backends.backend import Store
    from actorq.core.policy import Policy


class MemoryHarness:
    """Memory stores under a clock that is moved by hand."""

    shared_by_processes = False

    def __init__(self) -> None:
        self.now = ManualClock()

    def make(self, policy: Policy) -> Store:
        return MemoryStore(policy, self.now)

    def reopen(self, store: Store) -> Store:
        return store

    def advance(self, seconds: float) -> None:
        self.now.advance(seconds)


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
