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
"""Seconds between two looks while there is news, which comes in bursts: the shortest time between two."""

IDLE_POLL_S: Final = 0.1
"""Seconds between two looks when there was no news for ``LIVELY_S``. Each costs about 0.1 ms of CPU."""

LIVELY_S: Final = 2.0
"""Seconds after news in which more is expected."""

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
        self._heard_at = monotonic()

    def wait(self, timeout: float) -> frozenset[str] | None:
        """Wait up to ``timeout`` seconds for a change: None says that there was one."""
        now = monotonic()
        deadline = now + timeout
        while not self._interrupted.wait(min(self._pause(now), max(0.0, deadline - now))):
            version, now = self._version(), monotonic()
            if version != self._seen:
                self._seen, self._heard_at = version, now
                return None
            if now >= deadline:
                return frozenset()
        self._interrupted.clear()
        return frozenset()

    def interrupt(self) -> None:
        """Make a ``wait`` in another thread return soon."""
        self._interrupted.set()

    def close(self) -> None:
        """Let the connection go; safe to call twice."""
        self._sqlite.close()

    def _pause(self, now: float) -> float:
        return POLL_S if now - self._heard_at < LIVELY_S else IDLE_POLL_S

    def _version(self) -> int:
        try:
            (version,) = cast("tuple[int]", self._sqlite.execute(_VERSION).fetchone())
        except sqlite3.Error as error:
            raise unavailable(self._path, error) from error
        return version
