"""The schema: which version it has, and how it gets to ours.

Migrations are files named by their number. They run in one transaction under one advisory lock, so that
any number of servers may start at once on an empty database: the first does it, the others find it done.
A server whose schema has been taken further by a later one goes on with it: a migration only adds.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from actorq.backends.postgres import arrays
from actorq.backends.postgres.connection import Statement
from actorq.backends.postgres.statements import fill
from actorq.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from actorq.backends.postgres.connection import Connection

LONGEST_NAME: Final = 63
"""Bytes of a PostgreSQL identifier, at most."""

_FORBIDDEN: Final = frozenset("\0'\"\\${}")

PATIENCE_S: Final = 10
"""Seconds that opening waits for another server that is migrating, before it says that it has to."""

# By a query of the catalogue: CREATE ... IF NOT EXISTS looks into a cache which does not know what another
# server has committed while this one waited for the lock.
_TABLES: Final = """
    SELECT ARRAY(SELECT relname::text FROM pg_class WHERE relnamespace = pg_namespace.oid)
    FROM pg_namespace
    WHERE nspname = $1
"""
_VERSION: Final = "SELECT coalesce(max(version), 0) FROM {schema}.migrations"
_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtextextended('actorq migrate {channel}', 0))"
_CREATE_SCHEMA: Final = "CREATE SCHEMA {schema}"
_CREATE_TABLE: Final = """
    CREATE TABLE {schema}.migrations (
        version integer PRIMARY KEY,
        applied_at timestamptz NOT NULL DEFAULT now()
    )
"""
_APPLIED: Final = "INSERT INTO {schema}.migrations (version) VALUES ($1)"


@cache
def migrations() -> tuple[str, ...]:
    """Return the migrations, in order: the first leads from an empty schema to version 1."""
    folder = files("actorq.backends.postgres").joinpath("migrations")
    found = sorted((file for file in folder.iterdir() if file.name.endswith(".sql")), key=str)
    return tuple(file.read_text(encoding="utf-8") for file in found)


def current_version() -> int:
    """Return the version of the schema that this program knows."""
    return len(migrations())


def script(namespace: str, after: int = 0) -> str:
    """Return the migrations that follow a version as one script, for those who run them themselves."""
    first = [_LOCK] if after else [_LOCK, _CREATE_SCHEMA, _CREATE_TABLE]
    parts = ["BEGIN;\n", *(f"{fill(sql, namespace)};\n" for sql in first)]
    for version, sql in enumerate(migrations()[after:], start=after + 1):
        applied = fill(_APPLIED, namespace).replace("$1", str(version))
        parts += [fill(sql, namespace), f"{applied};\n"]
    return "\n".join([*parts, "COMMIT;\n"])


def migrate(connection: Connection, namespace: str) -> None:
    """Bring the schema to the current version. Safe to race with others."""
    if _version(connection, namespace) >= current_version():
        return
    connection.exchange(
        [
            Statement(b"BEGIN"),
            Statement(f"SET LOCAL statement_timeout = '{PATIENCE_S}s'".encode()),
            _statement(_LOCK, namespace),
        ]
    )
    try:
        version = _prepare(connection, namespace)
        for number, sql in enumerate(migrations()[version:], start=version + 1):
            connection.exchange([_statement(part, namespace) for part in split(sql)])
            connection.exchange([_statement(_APPLIED, namespace, arrays.int4(number))])
        connection.exchange([Statement(b"COMMIT")])
    except BaseException:
        if not connection.closed:
            connection.exchange([Statement(b"ROLLBACK")])
        raise


def check_namespace(namespace: str) -> None:
    """Raise ``ConfigurationError`` unless ``namespace`` can be the name of a schema and a channel."""
    if not 1 <= len(namespace.encode()) <= LONGEST_NAME or set(namespace) & _FORBIDDEN:
        raise ConfigurationError(
            f"the namespace {namespace!r} cannot name a schema: it must have 1 to {LONGEST_NAME} bytes, "
            "and no quotes, backslashes, dollar signs or braces"
        )
    if namespace.startswith("pg_") or namespace == "information_schema":
        raise ConfigurationError(f"PostgreSQL keeps the name {namespace!r} for itself")


def split(script: str) -> list[str]:
    """Split a migration into its statements; a semicolon within ``$$`` or a comment ends none."""
    found: list[str] = []
    text = ""
    for line in script.splitlines(keepends=True):
        text += line
        ends = line.rstrip().endswith(";") and not line.startswith("--")
        if ends and text.count("$$") % 2 == 0:
            found.append(text)
            text = ""
    return found


def _prepare(connection: Connection, namespace: str) -> int:
    """Make the schema and its first table as far as they are not there, and return the version."""
    tables = _tables(connection, namespace)
    if tables is None:
        # Somebody may have made it for us, who lets us fill it and no more.
        connection.exchange([_statement(_CREATE_SCHEMA, namespace)])
    if tables is None or "migrations" not in tables:
        connection.exchange([_statement(_CREATE_TABLE, namespace)])
    return _version(connection, namespace)


def _version(connection: Connection, namespace: str) -> int:
    if "migrations" not in (_tables(connection, namespace) or ()):
        return 0
    (version,) = connection.exchange([_statement(_VERSION, namespace)])
    return version.row(_number)


def _tables(connection: Connection, namespace: str) -> list[str] | None:
    """Return the names of what is in the schema, None if there is no such schema."""
    (result,) = connection.exchange([Statement(_TABLES.encode(), (namespace.encode(),))])
    found = result.rows(_names)
    return found[0] if found else None


def _statement(sql: str, namespace: str, *values: bytes) -> Statement:
    return Statement(fill(sql, namespace).encode(), values)


def _number(row: Sequence[Any]) -> int:
    value: int = row[0]
    return value


def _names(row: Sequence[Any]) -> list[str]:
    names: list[str] = row[0]
    return names
