"""How PostgreSQL is spoken to: arrays in its own format, its refusals, and migrations as a script."""

from __future__ import annotations

import os
import signal
from threading import Timer
from typing import TYPE_CHECKING

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import sql

from actorq.backends.postgres import arrays
from actorq.backends.postgres.connection import Connection, Statement, complete
from actorq.backends.postgres.faults import ServerError
from actorq.backends.postgres.schema import current_version, script
from actorq.core.policy import Policy
from actorq.errors import BackendUnavailable
from actorq.testing.conformance.bench import Bench
from tests.servers.postgres import PostgresHarness, shared_dsn

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


class TestRefusals:
    """What a refusal of the server means to a caller."""

    @pytest.fixture
    def bench(self) -> Iterator[Bench]:
        """Give a bench whose table of jobs will take nothing more, for a reason of the test's choice."""
        harness = PostgresHarness(shared_dsn())
        bench = Bench(harness, Policy())
        yield bench
        bench.close()
        harness.close()

    @pytest.mark.parametrize(
        "code", ["40001", "40P01", "AQ001", "23505", "53100", "57014", "25006"]
    )
    def test_what_passes(self, bench: Bench, code: str) -> None:
        """What may go well later is unavailability, at last also that others are always in the way (I8)."""
        self._refuse_jobs(bench, code)
        with pytest.raises(BackendUnavailable):
            bench.backend.enqueue([bench.new()])
        assert bench.length() == 0

    @pytest.mark.parametrize("code", ["P0001", "22003", "42P01"])
    def test_what_is_a_bug(self, bench: Bench, code: str) -> None:
        """What no waiting cures and no caller has done is shown as it is, and the connection goes on."""
        self._refuse_jobs(bench, code)
        with pytest.raises(ServerError) as error:
            bench.backend.enqueue([bench.new()])
        assert error.value.code == code
        assert bench.length() == 0

    def test_whatever_interrupts_ends_the_connection(self) -> None:
        """A connection on which an answer was not waited for is closed, or it would answer the next (I16)."""
        connection = Connection(complete(shared_dsn()))
        before = signal.signal(signal.SIGUSR1, signal.default_int_handler)
        interrupt = Timer(0.1, os.kill, (os.getpid(), signal.SIGUSR1))
        interrupt.start()
        with pytest.raises(KeyboardInterrupt):
            connection.exchange([Statement(b"SELECT pg_sleep(20)")])
        interrupt.join()
        signal.signal(signal.SIGUSR1, before)
        assert connection.closed
        with pytest.raises(BackendUnavailable):
            connection.exchange([Statement(b"SELECT 2")])

    def _refuse_jobs(self, bench: Bench, code: str) -> None:
        harness = bench.harness
        assert isinstance(harness, PostgresHarness)
        namespace = harness.namespace(bench.store)
        name = sql.Identifier(namespace, "refuse")
        body = sql.Literal(f"BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{code}'; END")
        function = sql.SQL("CREATE FUNCTION {}() RETURNS trigger LANGUAGE plpgsql AS {}")
        trigger = sql.SQL("CREATE TRIGGER refuse BEFORE INSERT ON {} EXECUTE FUNCTION {}()")
        with psycopg.connect(shared_dsn(), autocommit=True) as connection:
            connection.execute(function.format(name, body))
            connection.execute(trigger.format(sql.Identifier(namespace, "jobs"), name))
