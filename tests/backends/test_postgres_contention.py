"""Others on the same PostgreSQL server: locks, limits, and what an operator may set (faults C)."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import psycopg
import pytest
from psycopg import sql

from actorq.backends.postgres import PostgresStore
from actorq.core.commands import Ack, Edit, Extend
from actorq.core.place import Place
from actorq.core.policy import Policy
from actorq.core.results import Settled
from actorq.core.transitions import Status
from actorq.errors import BackendUnavailable, ConfigurationError
from actorq.stores import make_store
from actorq.testing.conformance.answers import ids, token_of
from actorq.testing.conformance.audit import audit
from actorq.testing.conformance.bench import QUEUE, Bench
from actorq.testing.conformance.threads import race
from tests.servers.postgres import PostgresHarness, PostgresServer, shared_dsn

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from actorq.backends.backend import Backend

THREADS: Final = 8
ROUNDS: Final = 10


@pytest.fixture
def harness() -> Iterator[PostgresHarness]:
    """Give a harness on the shared server."""
    harness = PostgresHarness(shared_dsn())
    yield harness
    harness.close()


@pytest.fixture
def bench(harness: PostgresHarness) -> Iterator[Bench]:
    """Give a bench, with balanced books at the end."""
    bench = Bench(harness, Policy())
    yield bench
    audit(bench.backend)
    bench.close()


@pytest.fixture(scope="module")
def small_server() -> Iterator[PostgresServer]:
    """Run a server with few connections, on which the operator has set a lot."""
    server = PostgresServer("max_connections=10", "superuser_reserved_connections=2")
    server.execute("CREATE ROLE guest LOGIN")
    server.execute("GRANT ALL ON DATABASE postgres TO guest")
    yield server
    server.close()


def guest(server: PostgresServer) -> str:
    """Return the DSN of a user who is not the master of the server."""
    return server.dsn.replace("actorq@", "guest@")


@contextmanager
def locked(bench: Bench, table: str) -> Generator[None]:
    """Hold a lock on a table against everybody who writes."""
    namespace = namespace_of(bench)
    with psycopg.connect(shared_dsn()) as connection:
        name = sql.Identifier(namespace, table)
        connection.execute(sql.SQL("LOCK TABLE {} IN EXCLUSIVE MODE").format(name))
        yield
        connection.rollback()


def namespace_of(bench: Bench) -> str:
    """Return the schema of a bench's store."""
    harness = bench.harness
    assert isinstance(harness, PostgresHarness)
    return harness.namespace(bench.store)


class TestOpposedBatches:
    """Batches on the same rows, in opposite order, from eight threads (C5)."""

    def test_acks_against_cancels_against_renewals(self, bench: Bench) -> None:
        """No deadlock reaches a caller, and every job ends in exactly one way (C5, I2, I3)."""
        for _ in range(ROUNDS):
            bench.put_many(40)
            taken = bench.claim(40).jobs
            calls = [(job.id, token_of(job)) for job in taken]

            def act(backend: Backend, n: int, calls: list[tuple[str, str]] = calls) -> list[object]:
                own = calls if n % 2 else calls[::-1]
                match n % 4:
                    case 0 | 1:
                        return list(backend.ack([Ack(job_id, token) for job_id, token in own]))
                    case 2:
                        return list(backend.cancel([job_id for job_id, _ in own]))
                    case _:
                        return list(
                            backend.extend([Extend(job_id, token) for job_id, token in own])
                        )

            answers = race(bench, THREADS, act)
            assert all(len(batch) == 40 for batch in answers)
            counted = [a for batch in answers for a in batch if isinstance(a, Settled)]
            assert sum(not answer.repeated for answer in counted) == 40
        assert bench.stats().counts[Status.COMPLETED] == 40 * ROUNDS

    def test_edits_against_claims_and_purges(self, bench: Bench) -> None:
        """Edits in both directions, claims and purges of one queue get through, all of them (C5)."""
        everything: list[str] = []
        for _ in range(ROUNDS):
            jobs = ids(bench.put_many(40))
            everything += jobs

            def act(backend: Backend, n: int, jobs: list[str] = jobs) -> None:
                own = jobs if n % 2 else jobs[::-1]
                if n < 4:
                    answers = backend.update_job([Edit(id=i, priority=n) for i in own])
                    assert not any(isinstance(a, BackendUnavailable) for a in answers)
                elif n < 6:
                    backend.cancel(own)
                else:
                    backend.purge(QUEUE, frozenset({Status.PENDING, Status.CANCELLED}), 15)

            race(bench, THREADS, act)
        bench.backend.cancel(everything)
        assert bench.length() == 0


class TestPatience:
    """Somebody else holds a lock for long (C6)."""

    def test_a_role_that_may_not_wait(self, bench: Bench, harness: PostgresHarness) -> None:
        """A lock that is held too long is a passing trouble: nothing changed, no attempt is spent (C6)."""
        taken = bench.take(bench.put())
        with bench_of_hasty_role(bench, harness) as backend, locked(bench, "jobs"):
            for call in (
                lambda: backend.ack([Ack(taken.id, token_of(taken))]),
                lambda: backend.enqueue([bench.new()]),
                lambda: backend.extend([Extend(taken.id, token_of(taken))]),
            ):
                with pytest.raises(BackendUnavailable, match="lock was held"):
                    call()
        assert bench.get(taken) == taken
        assert bench.stats().accepted == 1
        assert isinstance(bench.ack(taken.id, token_of(taken)), Settled)


@contextmanager
def bench_of_hasty_role(bench: Bench, harness: PostgresHarness) -> Generator[Backend]:
    """Connect as a role that waits for no lock longer than a moment."""
    dsn = f"{harness.dsn}&options=-c%20lock_timeout%3D50ms%20-c%20statement_timeout%3D200ms"
    backend = PostgresStore(dsn, namespace_of(bench), bench.policy).connect()
    yield backend
    backend.close()


class TestLimits:
    """What the server or its operator does not allow."""

    def test_no_connection_is_left(self, small_server: PostgresServer) -> None:
        """Too many connections are a passing trouble, at opening as well (C9)."""
        held = [psycopg.connect(guest(small_server)) for _ in range(8)]
        store = PostgresStore(guest(small_server), "crowded", Policy())
        for call in (store.connect, store.open):
            with pytest.raises(BackendUnavailable, match="connection"):
                call()
        for connection in held:
            connection.close()
        store.open()

    def test_a_standby_takes_no_writes(self, small_server: PostgresServer) -> None:
        """Where nothing can be written a check says so, and a write is unavailable, not a bug (I20)."""
        dsn = guest(small_server)
        PostgresStore(dsn, "standby", Policy()).open()
        read_only = PostgresStore(
            f"{dsn}&options=-c%20default_transaction_read_only%3Don", "standby", Policy()
        )
        backend = read_only.connect()
        with pytest.raises(BackendUnavailable, match="no writes"):
            backend.check()
        assert backend.get_job(["none"]) == [None]
        backend.close()

    @pytest.mark.parametrize(
        ("old", "new"),
        [("/postgres?", "/nowhere?"), ("actorq@", "nobody@"), ("postgres://", "nonsense ")],
    )
    def test_what_waiting_does_not_cure(
        self, small_server: PostgresServer, old: str, new: str
    ) -> None:
        """A wrong database, user or address is a mistake of configuration, said at once (``open``)."""
        with pytest.raises(ConfigurationError):
            PostgresStore(small_server.dsn.replace(old, new), "x", Policy()).open()

    def test_a_user_who_may_not_make_a_schema(self, small_server: PostgresServer) -> None:
        """A user without the right to make the schema is told so (``open``)."""
        small_server.execute("CREATE DATABASE locked")
        dsn = guest(small_server).replace("/postgres?", "/locked?")
        with pytest.raises(ConfigurationError, match="permission denied"):
            PostgresStore(dsn, "x", Policy()).open()

    def test_an_encoding_that_loses_text(self, small_server: PostgresServer) -> None:
        """A database whose encoding does not take every text is refused (I15)."""
        small_server.execute(
            "CREATE DATABASE ascii ENCODING 'SQL_ASCII' TEMPLATE template0 LOCALE 'C'"
        )
        dsn = small_server.dsn.replace("/postgres?", "/ascii?")
        with pytest.raises(ConfigurationError, match="UTF8"):
            PostgresStore(dsn, "x", Policy()).open()

    @pytest.mark.parametrize("name", ["", "x" * 64, "é" * 32, "pg_own", "a\0b", "a'b", '"', "$$"])
    def test_a_namespace_that_names_no_schema(self, name: str) -> None:
        """A namespace must be able to name a schema (§8)."""
        with pytest.raises(ConfigurationError, match="name"):
            PostgresStore("postgres://localhost/x", name, Policy())

    def test_durability_that_was_switched_off(self, small_server: PostgresServer) -> None:
        """Opening warns of settings under which an answer is no promise (C2)."""
        store = PostgresStore(
            f"{small_server.dsn}&options=-c%20synchronous_commit%3Doff", "hasty", Policy()
        )
        warnings = store.open().warnings
        assert any("synchronous_commit" in warning for warning in warnings)
        assert any("fsync" in warning for warning in warnings)

    def test_durability_that_is_demanded(self, small_server: PostgresServer) -> None:
        """With durability strict, a server that may lose what it confirmed is refused (C2)."""
        place = Place(url=small_server.dsn, namespace="hasty", durability="strict")
        with pytest.raises(ConfigurationError, match="fsync"):
            make_store(place).open()

    def test_the_last_number_of_a_queue(self, bench: Bench) -> None:
        """Queues are numbered up to the last number of their column; jobs have no sequence at all (C13)."""
        with psycopg.connect(shared_dsn(), autocommit=True) as connection:
            name = sql.Identifier(namespace_of(bench), "queues")
            connection.execute(
                sql.SQL("ALTER TABLE {} ALTER COLUMN id RESTART WITH 2147483646").format(name)
            )
        jobs = [bench.put(queue_name=queue) for queue in ("last but one", "last")]
        assert [bench.take(job).id for job in jobs] == ids(jobs)

    def test_a_payload_larger_than_a_notification(self, bench: Bench) -> None:
        """A notification carries the name of the queue and nothing else (C11)."""
        listener = bench.store.listen()
        assert listener is not None
        other = PostgresStore(shared_dsn(), namespace_of(bench), bench.policy).connect()
        other.enqueue([bench.new(payload="x" * 9_000)])
        assert listener.wait(5.0) == frozenset({QUEUE})
        other.close()
        listener.close()


class TestListening:
    """The connection for news (C3)."""

    def test_a_listener_that_is_cut_off(self, bench: Bench) -> None:
        """A dead connection for news is noticed at once, and a new one hears again (C3)."""
        listener = bench.store.listen()
        assert listener is not None
        assert listener.wait(0.0) == frozenset()
        with psycopg.connect(shared_dsn(), autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE query LIKE 'LISTEN %' AND state = 'idle'"
            )
        with pytest.raises(BackendUnavailable):
            listener.wait(5.0)
        listener.close()
        again = bench.store.listen()
        assert again is not None
        other = PostgresStore(shared_dsn(), namespace_of(bench), bench.policy).connect()
        other.enqueue([bench.new()])
        assert again.wait(5.0) == frozenset({QUEUE})
        other.close()
        again.close()

    def test_many_commits_are_few_words(self, bench: Bench) -> None:
        """A process that listens speaks up at most once in a window, however often it commits (C12)."""
        listener = bench.store.listen()
        assert listener is not None
        with psycopg.connect(shared_dsn(), autocommit=True) as ear:
            channel = sql.Identifier(namespace_of(bench))
            ear.execute(sql.SQL("LISTEN {}").format(channel))
            heard, enqueued = 0, 0
            for _ in range(3):
                listener.wait(0.0)
                for _ in range(20):
                    bench.put()
                    enqueued += 1
                    listener.wait(0.0)
                heard += sum(1 for _ in ear.notifies(timeout=0.1))
        listener.wait(0.1)
        listener.close()
        assert 0 < heard <= enqueued / 2
