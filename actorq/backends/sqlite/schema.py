"""The schema: whose file it is, which version it has, and how it gets to ours.

Migrations are files named by their number. They run in one transaction under the lock for writing, so
that any number of programs may start on one file at once: the first does it, the others find it done.
"""

from __future__ import annotations

import sqlite3
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final, cast

from actorq.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

APPLICATION_ID: Final = 0x61637471
"""The mark in the header of our files: "actq" in ASCII."""


@cache
def migrations() -> tuple[str, ...]:
    """Return the migrations, in order: the first leads from an empty file to version 1."""
    folder = files("actorq.backends.sqlite").joinpath("migrations")
    found = sorted((file for file in folder.iterdir() if file.name.endswith(".sql")), key=str)
    return tuple(file.read_text(encoding="utf-8") for file in found)


def current_version() -> int:
    """Return the version of the schema that this program knows."""
    return len(migrations())


def script(after: int = 0) -> str:
    """Return the migrations that follow a version as one script, for those who run them themselves."""
    return "\n".join(("BEGIN IMMEDIATE;\n", *migrations()[after:], *_marks(), "COMMIT;\n"))


def is_marked(header: bytes) -> bool:
    """Tell by the header of a file that it is ours; a fresh one may not be marked there yet."""
    return int.from_bytes(header[68:72], "big") == APPLICATION_ID


def check_owner(sqlite: sqlite3.Connection, path: Path) -> None:
    """Raise ``ConfigurationError`` unless the database is ours, or nobody's yet."""
    if _number(sqlite, "PRAGMA application_id") == APPLICATION_ID:
        return
    if _number(sqlite, "SELECT count(*) FROM sqlite_schema") > 0:
        raise ConfigurationError(
            f"{path} is the database of another program: it was left as it is. "
            "Name a file of its own for actorq."
        )


def check_version(sqlite: sqlite3.Connection, path: Path) -> int:
    """Return the version of the schema; raise ``ConfigurationError`` if it is a later one than ours."""
    version = _number(sqlite, "PRAGMA user_version")
    if version > current_version():
        raise ConfigurationError(
            f"{path} has the schema version {version}; this actorq knows versions up to "
            f"{current_version()}. Use a later actorq."
        )
    return version


def migrate(sqlite: sqlite3.Connection, path: Path) -> None:
    """Bring the database to the current version. Safe to race with others."""
    if check_version(sqlite, path) == current_version():
        return
    sqlite.execute("BEGIN IMMEDIATE")
    try:
        check_owner(sqlite, path)
        version = check_version(sqlite, path)
        for script in migrations()[version:]:
            for sql in _statements(script):
                sqlite.execute(sql)
        for sql in _marks():
            sqlite.execute(sql)
        sqlite.execute("COMMIT")
    except BaseException:
        if sqlite.in_transaction:
            sqlite.execute("ROLLBACK")
        raise


def _number(sqlite: sqlite3.Connection, sql: str) -> int:
    (number,) = cast("tuple[int]", sqlite.execute(sql).fetchone())
    return number


def _marks() -> tuple[str, str]:
    """Return what tells whose file it is, and at which version."""
    return (
        f"PRAGMA application_id = {APPLICATION_ID};",
        f"PRAGMA user_version = {current_version()};",
    )


def _statements(script: str) -> list[str]:
    # executescript would commit first, and with it give up the lock.
    found: list[str] = []
    text = ""
    for line in script.splitlines(keepends=True):
        text += line
        if sqlite3.complete_statement(text):
            found.append(text)
            text = ""
    return found
