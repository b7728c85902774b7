"""A shop whose orders and jobs are written in one transaction, by every driver that it may use."""

from __future__ import annotations

import importlib
import secrets
from typing import TYPE_CHECKING, Any, Final, cast

import anyio
import psycopg
import pytest
import sqlalchemy
from psycopg import sql
from psycopg.rows import dict_row
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

import actorq
from actorq.core.place import Place
from actorq.core.policy import Policy
from actorq.stores import make_store
from actorq.testing.conformance.audit import audit
from actorq.transactional import Accepted, enqueue, enqueue_async
from tests.servers.postgres import shared_dsn

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from actorq.backends.backend import Backend

QUEUE: Final = "orders"
_ORDER: Final = "INSERT INTO {}.orders VALUES ('a')"


class Shop:
    """A program with a table of its own, beside the queue's schema in one database."""

    def __init__(self) -> None:
        self.dsn = shared_dsn()
        self.namespace = f"shop-{secrets.token_hex(6)}"
        self.order: Any = _ORDER.replace("{}", f'"{self.namespace}"')
        store = make_store(Place(url=self.dsn, namespace=self.namespace), Policy())
        store.open()
        self.backend: Backend = store.connect()
        self.run("CREATE TABLE {}.orders (name text)")

    def run(self, query: str) -> list[tuple[object, ...]]:
        """Run a statement that names the schema, in a transaction of its own."""
        statement = sql.SQL(cast("Any", query)).format(sql.Identifier(self.namespace))
        with psycopg.connect(self.dsn) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def orders(self) -> int:
        """Return how many orders were committed."""
        return len(self.run("SELECT name FROM {}.orders"))

    def jobs(self) -> int:
        """Return how many jobs wait."""
        return self.backend.get_queue_length([QUEUE])[0].pending

    def job(self, accepted: Accepted) -> actorq.Job:
        """Return a job as the store has it."""
        (job,) = self.backend.get_job([accepted.job_id])
        assert job is not None
        return job

    def close(self) -> None:
        """See that the books balance, and leave nothing behind."""
        audit(self.backend)
        self.backend.close()
        self.run("DROP SCHEMA {} CASCADE")


def url_of(shop: Shop, driver: str) -> str:
    """Return the shop's database as SQLAlchemy names it."""
    bare = shop.dsn.replace("?sslmode=disable", "")
    return bare.replace("postgres://", f"postgresql+{driver}://")


# ── the drivers: each orders and enqueues in one transaction, then commits it or not ────────────


def with_psycopg(shop: Shop, *, commit: bool) -> Accepted:
    """Use a connection of psycopg whose rows are dictionaries."""
    with psycopg.connect(shop.dsn) as connection:
        connection.row_factory = cast("Any", dict_row)
        connection.execute(shop.order)
        accepted = enqueue(connection, QUEUE, "a", namespace=shop.namespace)
        if not commit:
            connection.rollback()
    return accepted


def with_psycopg_cursor(shop: Shop, *, commit: bool) -> Accepted:
    """Use a cursor of psycopg, in a block of its own transaction."""
    with (
        psycopg.connect(shop.dsn) as connection,
        connection.transaction(force_rollback=not commit),
        connection.cursor() as cursor,
    ):
        cursor.execute(shop.order)
        return enqueue(cursor, QUEUE, "a", namespace=shop.namespace)


def with_sqlalchemy(shop: Shop, *, commit: bool) -> Accepted:
    """Use a connection of SQLAlchemy."""
    engine = sqlalchemy.create_engine(url_of(shop, "psycopg"), poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text(shop.order))
        accepted = enqueue(connection, QUEUE, "a", namespace=shop.namespace)
        if commit:
            connection.commit()
    return accepted


def with_sqlalchemy_session(shop: Shop, *, commit: bool) -> Accepted:
    """Use a session of SQLAlchemy."""
    engine = sqlalchemy.create_engine(url_of(shop, "psycopg"), poolclass=NullPool)
    with Session(engine) as session:
        session.execute(sqlalchemy.text(shop.order))
        accepted = enqueue(session, QUEUE, "a", namespace=shop.namespace)
        if commit:
            session.commit()
    return accepted


async def with_psycopg_async(shop: Shop, *, commit: bool) -> Accepted:
    """Use an asynchronous connection of psycopg."""
    async with await psycopg.AsyncConnection.connect(shop.dsn) as connection:
        await connection.execute(shop.order)
        accepted = await enqueue_async(connection, QUEUE, "a", namespace=shop.namespace)
        if not commit:
            await connection.rollback()
    return accepted


async def with_asyncpg(shop: Shop, *, commit: bool) -> Accepted:
    """Use a connection of asyncpg."""
    # asyncpg has no types.
    connection: Any = await cast("Any", importlib.import_module("asyncpg")).connect(shop.dsn)
    try:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(shop.order)
        accepted = await enqueue_async(connection, QUEUE, "a", namespace=shop.namespace)
        await (transaction.commit() if commit else transaction.rollback())
    finally:
        await connection.close()
    return accepted


async def with_sqlalchemy_async(shop: Shop, *, commit: bool) -> Accepted:
    """Use a session of SQLAlchemy over asyncpg."""
    engine = create_async_engine(url_of(shop, "asyncpg"), poolclass=NullPool)
    async with AsyncSession(engine) as session:
        await session.execute(sqlalchemy.text(shop.order))
        accepted = await enqueue_async(session, QUEUE, "a", namespace=shop.namespace)
        if commit:
            await session.commit()
    return accepted


def on_a_loop(sell: Callable[..., Awaitable[Accepted]]) -> Callable[..., Accepted]:
    """Run a sale on an event loop; these drivers know asyncio only."""

    def run(shop: Shop, *, commit: bool) -> Accepted:
        async def main() -> Accepted:
            return await sell(shop, commit=commit)

        return anyio.run(main)

    return run


DRIVERS: Final = [
    pytest.param(with_psycopg, id="psycopg"),
    pytest.param(with_psycopg_cursor, id="psycopg-cursor"),
    pytest.param(with_sqlalchemy, id="sqlalchemy"),
    pytest.param(with_sqlalchemy_session, id="sqlalchemy-session"),
    pytest.param(on_a_loop(with_psycopg_async), id="psycopg-async"),
    pytest.param(on_a_loop(with_asyncpg), id="asyncpg"),
    pytest.param(on_a_loop(with_sqlalchemy_async), id="sqlalchemy-async"),
]
"""Each orders and enqueues in one transaction of its own, and commits it or not."""
