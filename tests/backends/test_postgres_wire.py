"""How PostgreSQL is spoken to: arrays in its own format, and migrations as a script."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import sql

from actorq.backends.postgres import arrays
from actorq.backends.postgres.connection import Connection, Statement, complete
from actorq.backends.postgres.schema import current_version, script
from tests.servers.postgres import shared_dsn

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def connection() -> Iterator[Connection]:
    """Connect without a store."""
    connection = Connection(complete(shared_dsn()))
    yield connection
    connection.close()


class TestArrays:
    """Batches travel as arrays in PostgreSQL's binary format."""

    @given(
        small=st.lists(st.integers(-(2**31), 2**31 - 1)),
        large=st.lists(st.none() | st.integers(-(2**63), 2**63 - 1)),
        floats=st.lists(st.none() | st.floats(allow_nan=False)),
        texts=st.lists(st.none() | st.text(st.characters(exclude_characters="\0", codec="utf-8"))),
        blobs=st.lists(st.none() | st.binary()),
        uuids=st.lists(st.uuids().map(str)),
    )
    def test_they_arrive_as_they_were_sent(
        self,
        small: list[int],
        large: list[int | None],
        floats: list[float | None],
        texts: list[str | None],
        blobs: list[bytes | None],
        uuids: list[str],
        connection: Connection,
    ) -> None:
        """Every value of every kind, NULLs and empty lists included, is what the server reads (I15)."""
        query = (
            b"SELECT $1::integer[], $2::bigint[], $3::float8[], $4::text[], $5::bytea[],"
            b" $6::uuid[]::text[]"
        )
        (result,) = connection.exchange(
            [
                Statement(
                    query,
                    (
                        arrays.int4s(small),
                        arrays.int8s(large),
                        arrays.float8s(floats),
                        arrays.texts(texts),
                        arrays.byteas(blobs),
                        arrays.uuids(uuids),
                    ),
                )
            ]
        )
        assert result.row(list) == [small, large, floats, texts, blobs, uuids]


def test_the_migrations_as_a_script() -> None:
    """The script of all migrations makes a schema that a server finds complete (``actorq migrate``)."""
    name = "Odd näme; --"
    with psycopg.connect(shared_dsn(), autocommit=True) as connection:
        # In two goes, as one would who has run the first migrations with an earlier version.
        first, rest = script(name), script(name, 1)
        connection.execute(first[: first.index("-- The steps that are taken most")].encode())
        connection.execute("COMMIT")
        connection.execute(rest.encode())
        query = sql.SQL("SELECT max(version) FROM {}").format(sql.Identifier(name, "migrations"))
        assert connection.execute(query).fetchall() == [(current_version(),)]
        connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(name)))
