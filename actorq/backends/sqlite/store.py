"""The store: the file, opened once, and the connections to it.

One file holds everything, in write-ahead mode: readers never wait, writers one for another. Beside it
SQLite keeps ``-wal`` and ``-shm`` as long as anybody has it open; the three belong together. A commit is
on the disk before it is answered (``synchronous=FULL``).

Space: pages that pruning frees are used again by new jobs, and the file does not shrink by itself. It is
as large as the most that it ever held. Shrinking as it goes would cost every change, and the space would
be needed again at the next peak; ``VACUUM``, with the servers stopped, gives it back. The write-ahead log
is moved into the file every 4 MB; what a long reader kept from being moved is caught up by pruning.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Final

from actorq.backends.sqlite import schema
from actorq.backends.sqlite.backend import SqliteBackend
from actorq.backends.sqlite.connection import connect
from actorq.backends.sqlite.failures import unusable
from actorq.backends.sqlite.gate import Gate
from actorq.backends.sqlite.listener import SqliteListener
from actorq.backends.sqlite.place import check_place, wal_bytes
from actorq.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from actorq.core.policy import Policy
    from actorq.core.results import Check

OLDEST_SQLITE: Final = (3, 37, 0)
"""The first SQLite that knows all that the schema and the statements use."""


class SqliteStore:
    """One file; the ``Store`` of ``actorq.backends.backend``."""

    inline = False
    max_writers: int | None = 1
    id_tail = None

    def __init__(self, path: str, policy: Policy, clock: Callable[[], int]) -> None:
        """Name the file; it is opened, or made, by ``open``."""
        self._named = path
        # A program may change its folder later; the file stays the one that was meant.
        self._path = Path.cwd() / path
        self._policy = policy
        self._clock = clock
        self._gate = Gate()

    def open(self) -> Check:
        """Check that the file is ours or free, and bring its schema up to date."""
        if sqlite3.sqlite_version_info < OLDEST_SQLITE:
            least = ".".join(map(str, OLDEST_SQLITE))
            raise ConfigurationError(
                f"this Python has SQLite {sqlite3.sqlite_version}; at least {least} is needed"
            )
        if not self._named or self._named == ":memory:" or "\0" in self._named:
            raise ConfigurationError(
                f"{self._named!r} does not name a file; for a queue in memory use memory://"
            )
        try:
            self._prepare()
        except sqlite3.Error as error:
            raise unusable(self._path, error) from error
        backend = self.connect()
        try:
            return backend.check()
        finally:
            backend.close()

    def _prepare(self) -> None:
        header = check_place(self._path)
        if header and not schema.is_marked(header):
            self._inspect()
        connection = connect(self._path, create=True)
        try:
            schema.check_version(connection, self._path)
            connection.execute("PRAGMA journal_mode = WAL")
            schema.migrate(connection, self._path)
        finally:
            connection.close()

    def _inspect(self) -> None:
        """Look at the file without being able to change it, be it somebody else's."""
        # Without a log to be read along, nothing is made beside the file either.
        immutable = "" if wal_bytes(self._path) else "&immutable=1"
        uri = f"{self._path.as_uri()}?mode=ro{immutable}"
        connection = sqlite3.connect(uri, uri=True, isolation_level=None)
        try:
            # Mark and contents must be of one moment: somebody else may be making our file just now.
            connection.execute("BEGIN")
            schema.check_owner(connection, self._path)
        finally:
            connection.close()

    def connect(self) -> SqliteBackend:
        """Open one more connection."""
        return SqliteBackend(self._path, self._gate, self._policy, self._clock)

    def listen(self) -> SqliteListener:
        """Open a connection for news."""
        return SqliteListener(self._path)

    def close(self) -> None:
        """Nothing is held here beyond the connections."""
