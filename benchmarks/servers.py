"""Private servers of PostgreSQL and Redis: one of each for a run, started when it is first needed."""

from __future__ import annotations

import atexit
from contextlib import contextmanager
from functools import cache
from itertools import count
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from actorq.backends.redis.address import ServerAddress
from actorq.backends.redis.link import Link
from tests.servers.postgres import PostgresServer
from tests.servers.redis import RedisServer

if TYPE_CHECKING:
    from collections.abc import Generator

_DATABASES: Final = 16
"""How many numbered databases a Redis server has, unless it is told otherwise."""

_PATIENCE_S: Final = 30.0

_numbers = count(1)
_free = list(range(_DATABASES))


@contextmanager
def new_postgres() -> Generator[str]:
    """Give the DSN of an empty database for the block, on a server that waits for its disk."""
    server = _postgres()
    name = f"bench_{next(_numbers)}"
    with psycopg.connect(server.dsn, autocommit=True) as operator:
        operator.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield urlunsplit(urlsplit(server.dsn)._replace(path=f"/{name}"))
        finally:
            operator.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def new_redis() -> Generator[str]:
    """Give the URL of an empty database for the block, on a server that keeps an append-only file."""
    server = _redis()
    number = _free.pop()
    url = f"{server.url}/{number}"
    try:
        yield url
    finally:
        _ask_redis(url, b"FLUSHDB")
        _free.append(number)


def postgres_commands() -> int:
    """Return how many transactions the server has done, in all its databases."""
    query = "SELECT sum(xact_commit + xact_rollback)::bigint FROM pg_stat_database"
    with psycopg.connect(_postgres().dsn, autocommit=True) as operator:
        # Every process tells of what it did within a second of doing it.
        ((number,),) = operator.execute(query).fetchall()
    return int(number)


def redis_commands() -> int:
    """Return how many commands the server has carried out, this one included."""
    said = cast("bytes", _ask_redis(_redis().url, b"INFO", b"stats"))
    return int(said.partition(b"total_commands_processed:")[2].split()[0])


def _ask_redis(url: str, *command: bytes) -> object:
    link = Link(ServerAddress(url, _PATIENCE_S))
    try:
        return link.call(*command)
    finally:
        link.close()


@cache
def _postgres() -> PostgresServer:
    server = PostgresServer("fsync=on")
    atexit.register(server.close)
    return server


@cache
def _redis() -> RedisServer:
    server = RedisServer()
    atexit.register(server.close)
    return server
