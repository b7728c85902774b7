"""Failures: what SQLite's errors mean, in words for an operator."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Final

from actorq.errors import ActorqError, BackendUnavailable, ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

_PASSING: Final = {
    sqlite3.SQLITE_BUSY: "another program has been writing to it for too long",
    sqlite3.SQLITE_LOCKED: "it is locked",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_IOERR: "the disk does not work",
    sqlite3.SQLITE_NOMEM: "there is no memory left",
    sqlite3.SQLITE_PROTOCOL: "its locks do not work: is it on a network file system?",
    sqlite3.SQLITE_TOOBIG: "a value is too big",
}
"""What waiting may cure."""

_LASTING: Final = {
    sqlite3.SQLITE_NOTADB: "it is not an SQLite database",
    sqlite3.SQLITE_CORRUPT: "it is damaged: restore it from a backup",
    sqlite3.SQLITE_READONLY: "it cannot be written: look at the permissions of file and folder",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened: look at the permissions of file and folder",
    sqlite3.SQLITE_PERM: "a permission is missing",
    sqlite3.SQLITE_AUTH: "a permission is missing",
}
"""What an operator must cure."""


def is_busy(error: sqlite3.Error) -> bool:
    """Tell whether somebody else has the lock just now."""
    return _code(error) == sqlite3.SQLITE_BUSY


def is_condition(error: sqlite3.Error) -> bool:
    """Tell whether ``error`` is about the condition of the database, and not a bug of ours."""
    return _code(error) in {*_PASSING, *_LASTING}


def unavailable(path: Path, error: sqlite3.Error) -> BackendUnavailable:
    """Say why the database does not work now."""
    return BackendUnavailable(_sentence(path, error))


def unusable(path: Path, error: sqlite3.Error) -> ActorqError:
    """Say why the database cannot be opened, and whether waiting may help."""
    if _code(error) in _LASTING:
        return ConfigurationError(_sentence(path, error))
    return unavailable(path, error)


def _sentence(path: Path, error: sqlite3.Error) -> str:
    meanings = _PASSING | _LASTING
    return f"the database {path}: {meanings.get(_code(error), 'it does not work')} ({error})"


def _code(error: sqlite3.Error) -> int:
    """Return the kind of the error, without SQLite's details; -1 if it is Python's own."""
    code: int = getattr(error, "sqlite_errorcode", -1)
    return code & 0xFF if code >= 0 else code
