"""A connection to the file: how it is set up, its transactions, and what its errors mean."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, cast

from actorq.backends.sqlite.place import file_system_warning, wal_bytes
from actorq.backends.sqlite.statements import statement
from actorq.errors import BackendUnavailable

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from actorq.backends.sqlite.gate import Gate

BUSY_S: Final = 5.0
"""Seconds that a call waits for others who write before it says that the store is unavailable."""

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

_MEANINGS: Final = {
    sqlite3.SQLITE_BUSY: "it has been locked by another program for too long",
    sqlite3.SQLITE_LOCKED: "it is locked",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_IOERR: "the disk does not work",
    sqlite3.SQLITE_READONLY: "it cannot be written",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened",
    sqlite3.SQLITE_NOMEM: "there is no memory left",
    sqlite3.SQLITE_CORRUPT: "it is damaged: restore it from a backup",
    sqlite3.SQLITE_NOTADB: "it is not an SQLite database any more",
    sqlite3.SQLITE_PROTOCOL: "its locks do not work: is it on a network file system?",
    sqlite3.SQLITE_PERM: "the permission is missing",
    sqlite3.SQLITE_AUTH: "the permission is missing",
    sqlite3.SQLITE_TOOBIG: "a value is too big",
}


def primary_code(error: sqlite3.Error) -> int:
    """Return what kind of error SQLite reported, without the details; -1: not SQLite's own."""
    code: int = getattr(error, "sqlite_errorcode", -1)
    return code & 0xFF if code >= 0 else code


def unavailable(path: Path, error: sqlite3.Error) -> BackendUnavailable:
    """Say in words why the database does not work."""
    meaning = _MEANINGS.get(primary_code(error), "it does not work")
    return BackendUnavailable(f"the database {path}: {meaning} ({error})")


def is_passing(error: sqlite3.Error) -> bool:
    """Tell whether ``error`` is about the database's condition, and not a bug of ours."""
    return primary_code(error) in _MEANINGS


def connect(path: Path) -> sqlite3.Connection:
    """Open the file and set the connection up. SQLite's errors come as they are."""
    connection = sqlite3.connect(
        path,
        timeout=BUSY_S,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=STATEMENTS,
    )
    try:
        for pragma in _SETUP:
            connection.execute(pragma)
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
            self._sqlite = connect(path)
        except sqlite3.Error as error:
            raise unavailable(path, error) from error

    @contextmanager
    def writing(self) -> Generator[sqlite3.Connection]:
        """Hold the one right to write, in a transaction that is committed at the end, or undone."""
        if not self._gate.acquire(BUSY_S):
            raise self._crowded()
        try:
            with self._transaction("BEGIN IMMEDIATE", "COMMIT") as sqlite:
                yield sqlite
        finally:
            self._gate.release()

    def probe(self) -> None:
        """Take the right to write, write, and undo it."""
        if not self._gate.acquire(BUSY_S):
            raise self._crowded()
        try:
            with self._transaction("BEGIN IMMEDIATE", "ROLLBACK") as sqlite:
                sqlite.execute(_PROBE)
        finally:
            self._gate.release()

    @contextmanager
    def reading(self) -> Generator[sqlite3.Connection]:
        """Hold one state of the database in view."""
        with self._transaction("BEGIN", "COMMIT") as sqlite:
            yield sqlite

    @contextmanager
    def _transaction(self, begin: str, end: str) -> Generator[sqlite3.Connection]:
        sqlite = self._sqlite
        try:
            sqlite.execute(begin)
            yield sqlite
            sqlite.execute(end)
        except BaseException as error:
            self._undo()
            if isinstance(error, sqlite3.Error) and is_passing(error):
                raise unavailable(self._path, error) from error
            raise

    def _crowded(self) -> BackendUnavailable:
        return BackendUnavailable(f"the database {self._path}: too many wait to write to it")

    def _undo(self) -> None:
        # SQLite ends a transaction by itself after some errors.
        if self._sqlite.in_transaction:
            self._sqlite.execute("ROLLBACK")

    def warnings(self) -> tuple[str, ...]:
        """Return what an operator should know of the file and its place."""
        found: list[str] = []
        try:
            (mode,) = cast("tuple[str]", self._sqlite.execute("PRAGMA journal_mode").fetchone())
        except sqlite3.Error as error:
            raise unavailable(self._path, error) from error
        if mode != "wal":
            found.append(f"{self._path} is in journal mode {mode}, not wal: it will be slow")
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
            self._sqlite.execute("PRAGMA busy_timeout = 0")
            self._sqlite.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._sqlite.execute(f"PRAGMA busy_timeout = {round(BUSY_S * 1_000)}")
        except sqlite3.Error as error:
            raise unavailable(self._path, error) from error

    def close(self) -> None:
        """Let the connection go; safe to call twice."""
        self._sqlite.close()
