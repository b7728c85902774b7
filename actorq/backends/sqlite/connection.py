"""A connection to the file: how it is set up, and its transactions."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager, suppress
from time import monotonic, sleep
from typing import TYPE_CHECKING, Final, cast

from actorq.backends.sqlite.failures import is_busy, is_condition, unavailable
from actorq.backends.sqlite.place import file_system_warning, identity, wal_bytes
from actorq.backends.sqlite.statements import statement
from actorq.errors import BackendUnavailable

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

    from actorq.backends.sqlite.gate import Gate

BUSY_S: Final = 5.0
"""Seconds that a call waits for others who write before it says that the store is unavailable."""

BUSY_POLL_S: Final = 0.001
"""Seconds between two tries to get the lock from another process.

SQLite's own waiting grows to a tenth of a second, and a process that writes without a pause got past
one that waited like that for more than a second; with this it takes some tens of milliseconds.
"""

CHECKPOINT_PAGES: Final = 1_000
"""Pages after which a commit moves the write-ahead log into the file: 4 MB."""

WAL_LIMIT_BYTES: Final = 64 * 1024 * 1024
"""To what size a write-ahead log that grew beyond it is cut when it starts anew."""

CACHE_KIB: Final = 8_192
"""Memory for pages, per connection, at most."""

STATEMENTS: Final = 256
"""Prepared statements kept per connection."""

_SETUP: Final = (
    # A commit is on the disk before it is answered: on every connection, since it is not in the file.
    "PRAGMA synchronous = FULL",
    # The same on macOS, where fsync alone leaves the drive's cache as it is.
    "PRAGMA fullfsync = ON",
    "PRAGMA checkpoint_fullfsync = ON",
    f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}",
    f"PRAGMA journal_size_limit = {WAL_LIMIT_BYTES}",
    f"PRAGMA cache_size = -{CACHE_KIB}",
    "PRAGMA temp_store = MEMORY",
    # Debian's build overwrites what is deleted, at twice the cost. Nobody was promised that.
    "PRAGMA secure_delete = OFF",
)
_PROBE: Final = statement("listing", "probe")
_WRITE: Final = ("BEGIN IMMEDIATE",)
# The first look takes the view that the transaction keeps; a mere BEGIN takes none.
_READ: Final = ("BEGIN", statement("listing", "drift"))


def connect(path: Path, *, create: bool = False, busy_s: float = BUSY_S) -> sqlite3.Connection:
    """Open the file, or make it, and set the connection up. SQLite's errors come as they are.

    ``busy_s`` is how many seconds SQLite itself waits for a lock, once the connection stands.
    """
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode={'rwc' if create else 'rw'}",
        uri=True,
        timeout=BUSY_S,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=STATEMENTS,
    )
    try:
        for pragma in _SETUP:
            connection.execute(pragma)
        connection.execute(f"PRAGMA busy_timeout = {round(busy_s * 1_000)}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


class Connection:
    """One connection and its transactions. One caller at a time, in whatever thread."""

    def __init__(self, path: Path, gate: Gate) -> None:
        """Connect; ``gate`` is where the writers of this process queue up."""
        self._path = path
        self._gate = gate
        try:
            self._sqlite = connect(path, busy_s=0.0)
        except sqlite3.Error as error:
            raise unavailable(path, error) from error
        self._identity = identity(path)

    @contextmanager
    def writing(self, end: str = "COMMIT") -> Generator[sqlite3.Connection]:
        """Hold the one right to write, in a transaction that is committed at the end, or undone."""
        if not self._gate.acquire(BUSY_S):
            raise BackendUnavailable(f"the database {self._path}: too many wait to write to it")
        try:
            if identity(self._path) != self._identity:
                # What is written now would be gone with the file that nobody can find any more.
                raise BackendUnavailable(f"the database {self._path} was moved or deleted")
            with self._transaction(_WRITE, end) as sqlite:
                yield sqlite
        finally:
            self._gate.release()

    def probe(self) -> None:
        """Take the right to write, write, and undo it."""
        with self.writing("ROLLBACK") as sqlite:
            sqlite.execute(_PROBE)

    @contextmanager
    def reading(self) -> Generator[sqlite3.Connection]:
        """Hold one state of the database in view."""
        with self._transaction(_READ, "COMMIT") as sqlite:
            yield sqlite

    def warnings(self) -> tuple[str, ...]:
        """Return what an operator should know of the file and its place."""
        with self.reading() as sqlite:
            (mode,) = cast("tuple[str]", sqlite.execute("PRAGMA journal_mode").fetchone())
        found = [f"{self._path} is in journal mode {mode}, not wal"] if mode != "wal" else []
        if (place := file_system_warning(self._path)) is not None:
            found.append(place)
        if (size := wal_bytes(self._path)) > WAL_LIMIT_BYTES:
            found.append(
                f"{self._path}-wal has {size >> 20} MB: some program has been reading for long"
            )
        return tuple(found)

    def catch_up(self) -> None:
        """Move the write-ahead log into the file if a long reader had kept it from being moved."""
        if wal_bytes(self._path) <= WAL_LIMIT_BYTES:
            return
        try:
            # Whoever reads still is not waited for: the next round comes soon.
            self._sqlite.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as error:
            raise unavailable(self._path, error) from error

    def close(self) -> None:
        """Let the connection go; safe to call twice."""
        self._sqlite.close()

    @contextmanager
    def _transaction(self, begin: Sequence[str], end: str) -> Generator[sqlite3.Connection]:
        sqlite = self._sqlite
        try:
            self._begin(begin)
            yield sqlite
            sqlite.execute(end)
        except BaseException as error:
            self._undo()
            if isinstance(error, sqlite3.Error) and is_condition(error):
                raise unavailable(self._path, error) from error
            raise

    def _begin(self, begin: Sequence[str]) -> None:
        patience = 0.0
        while True:
            try:
                for sql in begin:
                    self._sqlite.execute(sql)
            except sqlite3.OperationalError as error:
                patience = patience or monotonic() + BUSY_S
                if not is_busy(error) or monotonic() > patience:
                    raise
                self._undo()
                sleep(BUSY_POLL_S)
            else:
                return

    def _undo(self) -> None:
        # SQLite ends a transaction by itself after some errors. If it cannot be ended, the first error
        # says why, and whoever gets it lets this connection go.
        if self._sqlite.in_transaction:
            with suppress(sqlite3.Error):
                self._sqlite.execute("ROLLBACK")
