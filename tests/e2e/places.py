"""Where the servers of a test keep their jobs: a place of its own in each store that can be shared."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, cast

import psycopg
import pytest
from psycopg import sql

from actorq.backends.redis.address import ServerAddress
from actorq.backends.redis.link import Link
from tests.servers.postgres import shared_dsn
from tests.servers.redis_harness import server_url

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from pathlib import Path

SHARED: Final = [
    pytest.param("sqlite", marks=pytest.mark.store("sqlite")),
    pytest.param("postgres", marks=pytest.mark.store("postgres")),
    pytest.param("redis", marks=pytest.mark.store("redis")),
]
"""The stores that several servers can share, as cases of a parameter."""

SERVED: Final = SHARED[1:]
"""Those of them that are servers of their own."""


@contextmanager
def place_in(store: str, folder: Path) -> Generator[Mapping[str, str]]:
    """Give the settings of a place in ``store`` that nobody has used, and leave nothing of it behind."""
    namespace = f"e2e-{secrets.token_hex(6)}"
    match store:
        case "postgres":
            yield on_postgres(shared_dsn(), namespace)
            with psycopg.connect(shared_dsn(), autocommit=True) as connection:
                drop = sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE")
                connection.execute(drop.format(sql.Identifier(namespace)))
        case "redis":
            yield on_redis(server_url(), namespace)
            link = Link(ServerAddress(server_url(), 5.0))
            keys = cast("list[bytes]", link.call(b"KEYS", f"*{namespace}*".encode()))
            for key in keys:
                link.call(b"UNLINK", key)
            link.close()
        case _:
            yield {"SQLITE_PATH": str(folder / f"{namespace}.db"), "LOG_LEVEL": "warning"}


def on_postgres(dsn: str, namespace: str = "actorq") -> Mapping[str, str]:
    """Return the settings of a place in PostgreSQL."""
    return {
        "BACKEND": "postgres",
        "POSTGRES_DSN": dsn,
        "NAMESPACE": namespace,
        "LOG_LEVEL": "warning",
    }


def on_redis(url: str, namespace: str = "actorq") -> Mapping[str, str]:
    """Return the settings of a place in Redis."""
    return {"BACKEND": "redis", "REDIS_URL": url, "NAMESPACE": namespace, "LOG_LEVEL": "warning"}
