"""The listener: notices that somebody wrote to the file (rule 8: news is a hint)."""

from __future__ import annotations

import sqlite3
from threading import Event
from time import monotonic
from typing import TYPE_CHECKING, Final, cast

from actorq.backends.sqlite.connection import connect
from actorq.backends.sqlite.failures import unavailable

if TYPE_CHECKING:
    from pathlib import Path

POLL_S: Final = 0.05
"""Seconds between two looks: the delay of news at most, and the shortest time between two."""

_VERSION: Final = "PRAGMA data_version"


class SqliteListener:
    """Watches the number that SQLite counts up when another connection has committed.

    Those of this process count, too: nobody can tell them apart. So there is news at every look as long
    as this process itself writes, and never more often.
    """

    def __init__(self, path: Path) -> None:
        """Connect, and note how things stand."""
        self._path = path
        self._interrupted = Event()
        try:
            self._sqlite = connect(path)
        except sqlite3.Error as error:
            raise unavailable(path, error) from error
        self._seen = self._version()

    def wait(self, timeout: float) -> frozenset[str] | None:
        """Wait up to ``timeout`` seconds for a change: None says that there was one."""
        deadline = monotonic() + timeout
        while not self._interrupted.wait(min(POLL_S, max(0.0, deadline - monotonic()))):
            version = self._version()
            if version != self._seen:
                self._seen = version
                return None
            if monotonic() >= deadline:
                return frozenset()
        self._interrupted.clear()
        return frozenset()

    def interrupt(self) -> None:
        """Make a ``wait`` in another thread return soon."""
        self._interrupted.set()

    def close(self) -> None:
        """Let the connection go; safe to call twice."""
        self._sqlite.close()

    def _version(self) -> int:
        try:
            (version,) = cast("tuple[int]", self._sqlite.execute(_VERSION).fetchone())
        except sqlite3.Error as error:
            raise unavailable(self._path, error) from error
        return version
