"""Jobs that wait for others in PostgreSQL: one transaction, one order of locks, nothing for those without."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import psycopg
import pytest
from psycopg import sql

from actorq.backends.postgres import PostgresStore
from actorq.backends.postgres.backend import PostgresBackend
from actorq.backends.postgres.connection import Connection
from actorq.backends.postgres.shared import Shared
from actorq.clock import mint_token
from actorq.core.commands import Ack, Claim, Extend, Fail
from actorq.core.job import FORMAT, OnDuplicate
from actorq.core.policy import Policy
from actorq.core.queue import QueueEdit
from actorq.core.transitions import Status
from actorq.core.workflow import OnParentFailure
from actorq.errors import BackendUnavailable, InvalidInput
from actorq.testing.conformance.answers import created, refusal, settled, token_of
from actorq.testing.conformance.audit import audit
from actorq.testing.conformance.bench import QUEUE, Bench
from actorq.testing.conformance.families import (
    LATER,
    NOBODY,
    REJECT,
    after,
    depending,
    known,
    put_after,
)
from tests.servers.postgres import PostgresHarness, shared_dsn

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from actorq.backends.postgres.connection import Result, Statement
    from actorq.core.job import NewJob

PATIENCE_S: Final = 30.0

SENT: Final = {
    "enqueue": [3, 4],
    "dequeue": [4, 3],
    "extend": [3, 2],
    "ack": [3, 3],
    "fail": [3, 3],
    "cancel": [4, 3],
    "purge": [3, 2, 2],
}
"""The statements in each round trip of a batch without families: its beginning and its commit are two."""


@pytest.fixture
def bench() -> Iterator[Bench]:
    """Give a bench, with balanced books at the end."""
    harness = PostgresHarness(shared_dsn())
    bench = Bench(harness, Policy())
    yield bench
    audit(bench.backend)
    bench.close()
    harness.close()


class Recorder(Connection):
    """A connection that keeps what was sent: the statements of each round trip."""

    def __init__(self, dsn: str) -> None:
        super().__init__(dsn)
        self.trips: list[int] = []

    def exchange(self, statements: Sequence[Statement]) -> list[Result]:
        """Count them, and send them."""
        self.trips.append(len(statements))
        return super().exchange(statements)

    def take(self) -> list[int]:
        """Return the number of statements in each round trip since the last time."""
        taken, self.trips = self.trips, []
        return taken


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    """Give a connection that counts."""
    recorder = Recorder(shared_dsn())
    yield recorder
    recorder.close()


def namespace_of(bench: Bench) -> str:
    """Return the schema of a bench's store."""
    assert isinstance(bench.harness, PostgresHarness)
    return bench.harness.namespace(bench.store)


def rows(bench: Bench, query: str) -> list[tuple[object, ...]]:
    """Run a query of this file on the bench's schema, which ``{}`` stands for."""
    schema = sql.Identifier(namespace_of(bench)).as_string()
    with psycopg.connect(shared_dsn(), autocommit=True) as connection:
        return connection.execute(query.replace("{}", schema).encode()).fetchall()


@contextmanager
def holding(bench: Bench, words: str) -> Generator[None]:
    """Hold the locks that a statement of this file takes, in a transaction that changes nothing."""
    schema = sql.Identifier(namespace_of(bench)).as_string()
    with psycopg.connect(shared_dsn()) as connection:
        connection.execute(words.replace("{}", schema).encode())
        yield
        connection.rollback()


class TestOneTransaction:
    """The end of a job and what its children are told of it."""

    def test_they_are_told_in_the_step_that_ends_it(self, bench: Bench) -> None:
        """Parent and children are written by one and the same transaction (§2)."""
        parent = bench.put()
        child = put_after(bench, [parent])
        settled(bench.ack(bench.take(parent).id))
        assert bench.get(child).status is Status.PENDING
        written = "SELECT xmin::text FROM {}.jobs UNION SELECT xmin::text FROM {}.ended"
        assert len(rows(bench, written)) == 1

    def test_without_its_commit_nobody_is_told(self, bench: Bench) -> None:
        """An end that is rolled back after it was written leaves parent and children as they were (§2)."""
        parent = bench.put()
        children = [put_after(bench, [parent], policy) for policy in OnParentFailure]
        taken = bench.take(parent)
        dsn = f"{shared_dsn()}&options=-c%20lock_timeout%3D50ms"
        hasty = PostgresStore(dsn, namespace_of(bench), bench.policy).connect()
        # Figures are written last.
        with holding(bench, "LOCK TABLE {}.moves IN EXCLUSIVE MODE"):
            with pytest.raises(BackendUnavailable):
                hasty.ack([Ack(taken.id, token_of(taken))])
            with pytest.raises(BackendUnavailable):
                hasty.fail([Fail(taken.id, token_of(taken), REJECT)])
            assert hasty.stirred() == ()
        hasty.close()
        assert bench.get(parent) == taken
        assert [bench.get(child) for child in children] == children

    def test_a_child_of_a_smaller_id(self, bench: Bench) -> None:
        """Whoever finds a child locked by another, out of order, waits for it and tells it once (rule 1)."""
        early = bench.new(queue_name=LATER)
        parent = bench.put()
        child = created(
            bench.backend.enqueue([depending(early, (parent.id,), OnParentFailure.CANCEL)])[0]
        )
        with ThreadPoolExecutor(1) as pool:
            with holding(bench, f"SELECT FROM {{}}.jobs WHERE id = '{child.id}' FOR UPDATE"):
                cancelling = pool.submit(bench.connect().cancel, [parent.id])
                waiting = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                while not rows(bench, waiting):
                    assert not cancelling.done()
            cancelling.result(PATIENCE_S)
        told = bench.get(child)
        assert (told.status, told.version) == (Status.CANCELLED, child.version + 1)

    def test_a_long_line(self, bench: Bench, recorder: Recorder) -> None:
        """A line of thousands that ends with its first is one transaction of few statements (§2)."""
        line: list[NewJob] = [bench.new()]
        for _ in range(2_000):
            line.append(after(bench, [line[-1]]))
        for answer in bench.backend.enqueue(line):
            created(answer)
        backend = recording(bench, recorder)
        backend.cancel([line[0].id])
        assert len(recorder.take()) <= 5
        assert bench.stats(LATER).counts[Status.CANCELLED] == 2_000
        assert len(backend.stirred()) == 2_000


class TestNews:
    """Who hears of it."""

    def test_another_server_hears_of_a_child(self, bench: Bench) -> None:
        """A queue in which a child became ready is told to the other servers (rule 8)."""
        parent = bench.put()
        put_after(bench, [parent])
        taken = bench.take(parent)
        other = bench.harness.reopen(bench.store)
        listener = other.listen()
        assert listener is not None
        settled(bench.ack(taken.id, token_of(taken)))
        assert listener.wait(5.0) == frozenset({LATER})
        listener.close()

    def test_a_parent_that_was_passed_over(self, bench: Bench) -> None:
        """A pending parent is locked while its child is written, so its queue is told of again (rule 8)."""
        parent = bench.put()
        other = bench.harness.reopen(bench.store)
        listener = other.listen()
        assert listener is not None
        put_after(bench, [parent])
        assert listener.wait(5.0) == frozenset({QUEUE})
        assert [job.id for job in bench.backend.stirred()] == [parent.id]
        listener.close()


class TestRecords:
    """What the rows say."""

    def test_a_record_of_an_older_format(self, bench: Bench) -> None:
        """A record that comes to know of others has this format, or an older server would drop it (§1)."""
        parent = bench.put()
        rows(bench, "UPDATE {}.jobs SET format = 1 RETURNING id")
        child = put_after(bench, [parent])
        assert set(rows(bench, "SELECT format FROM {}.jobs")) == {(FORMAT,)}
        settled(bench.ack(bench.take(parent).id))
        assert bench.get(child).status is Status.PENDING

    def test_born_cancelled_with_a_key(self, bench: Bench) -> None:
        """Jobs that are cancelled as they are made hold their key against none of the batch (§6)."""
        parent = bench.bury()
        wishes = [
            after(bench, [parent], dedupe_key="k"),
            after(bench, [parent], dedupe_key="k"),
            after(bench, [parent], OnParentFailure.RUN, dedupe_key="k"),
            after(bench, [parent], dedupe_key="k"),
        ]
        *made, last = bench.backend.enqueue(wishes)
        stored = [bench.get(created(answer)) for answer in made]
        assert [job.status for job in stored] == [*[Status.CANCELLED] * 2, Status.PENDING]
        assert getattr(last, "job", None) == stored[-1]
        assert bench.stats(LATER).accepted == 3

    def test_a_refused_job_makes_no_queue(self, bench: Bench) -> None:
        """A queue is made by its first job, and a job that is refused is none (§8)."""
        parent = bench.put()
        fine, wrong = after(bench, [parent]), bench.new(queue_name="nowhere")
        first, second = bench.backend.enqueue(
            [fine, depending(wrong, (NOBODY,), OnParentFailure.RUN)]
        )
        created(first)
        refusal(second, InvalidInput)
        assert [stats.name for stats in bench.backend.list_queues()] == sorted([LATER, QUEUE])
        assert bench.put(queue_name="nowhere").status is Status.PENDING

    @pytest.mark.parametrize("on_duplicate", OnDuplicate)
    def test_a_key_beside_a_child(self, bench: Bench, on_duplicate: OnDuplicate) -> None:
        """A job that stands for a parent is locked as a parent is, and may be replaced at once (§6)."""
        holder = bench.put(dedupe_key="k", delay=60.0)
        member = bench.new(dedupe_key="k", on_duplicate=on_duplicate, payload="new")
        first, second = bench.backend.enqueue([member, after(bench, [holder])])
        child = created(second)
        assert known(bench.get(holder)).dependents == (child.id,)
        assert bench.get(holder).payload == ("new" if on_duplicate is OnDuplicate.REPLACE else "{}")
        if on_duplicate is OnDuplicate.RETURN:
            assert getattr(first, "job", None) == holder


class TestNothingMore:
    """What jobs without families cost."""

    def test_no_more_statements_than_ever(self, bench: Bench, recorder: Recorder) -> None:
        """Batches without families send what they would if there were none: so many in each trip."""
        bench.set(QueueEdit(queue_name=QUEUE))
        backend = recording(bench, recorder)
        wishes = [bench.new() for _ in range(7)]
        backend.enqueue(wishes)
        sent = {"enqueue": recorder.take()}
        claim = Claim(queue_name=QUEUE, worker_id="w", tokens=tuple(mint_token() for _ in range(5)))
        jobs = backend.dequeue([claim])[0].jobs
        sent["dequeue"] = recorder.take()
        backend.extend([Extend(job.id, token_of(job)) for job in jobs])
        sent["extend"] = recorder.take()
        backend.ack([Ack(job.id, token_of(job)) for job in jobs[:3]])
        sent["ack"] = recorder.take()
        backend.fail([Fail(job.id, token_of(job), REJECT) for job in jobs[3:]])
        sent["fail"] = recorder.take()
        backend.cancel([wishes[5].id])
        sent["cancel"] = recorder.take()
        backend.purge(QUEUE, frozenset({Status.PENDING}), 10)
        sent["purge"] = recorder.take()
        assert sent == SENT


def recording(bench: Bench, recorder: Recorder) -> PostgresBackend:
    """Connect as another server, over the connection that counts."""
    backend = PostgresBackend(recorder, Shared(namespace_of(bench), bench.policy))
    # It learns of the queues.
    backend.list_queues()
    recorder.take()
    return backend
