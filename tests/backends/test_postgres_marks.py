"""Marks: a claim starts where the pending jobs begin, and passes over none of them (I12, C7)."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, cast

import psycopg
import pytest
from psycopg import sql

from actorq.backends.postgres import PostgresStore
from actorq.backends.postgres.marks import MOST_PRIORITIES, MOST_WOKEN, First, Marks, Woken
from actorq.core.commands import Ack, Edit, Extend, Release
from actorq.core.policy import Policy
from actorq.core.retry import Failure
from actorq.testing.conformance.answers import ids, lease_of
from actorq.testing.conformance.audit import audit
from actorq.testing.conformance.bench import QUEUE, Bench
from tests.servers.postgres import PostgresHarness, shared_dsn

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from actorq.backends.backend import Backend
    from actorq.core.job import Job

DEAD: Final = 3_000
"""Jobs that are done while an old transaction keeps what they were from being vacuumed."""

LOW: Final = "00000000-0000-7000-8000-000000000000"
HIGH: Final = "ffffffff-0000-7000-8000-000000000000"


@pytest.fixture
def bench() -> Iterator[Bench]:
    """Give a bench, with balanced books at the end."""
    harness = PostgresHarness(shared_dsn())
    bench = Bench(harness, Policy())
    yield bench
    audit(bench.backend)
    bench.close()
    harness.close()


@pytest.fixture
def other(bench: Bench) -> Iterator[Backend]:
    """Connect as another server would: with marks of its own."""
    backend = harness_of(bench).recipe(bench.store)().connect()
    yield backend
    backend.close()


def harness_of(bench: Bench) -> PostgresHarness:
    assert isinstance(bench.harness, PostgresHarness)
    return bench.harness


def table(bench: Bench, name: str = "jobs") -> sql.Identifier:
    """Return the name of a table of the bench's store."""
    return sql.Identifier(harness_of(bench).namespace(bench.store), name)


def run(query: sql.SQL | sql.Composed) -> list[tuple[object, ...]]:
    """Run a statement by itself."""
    with psycopg.connect(shared_dsn(), autocommit=True) as connection:
        cursor = connection.execute(query)
        return cursor.fetchall() if cursor.description is not None else []


def settle_marks(bench: Bench) -> None:
    """Claim and acknowledge until the marks say that nothing is pending."""
    while taken := bench.claim(500).jobs:
        bench.backend.ack([Ack(job.id, lease_of(job).token) for job in taken])
    assert bench.claim().jobs == ()


@contextmanager
def open_transaction(*, writing: bool) -> Generator[None]:
    """Keep a transaction open that has seen the database as it is now."""
    with psycopg.connect(shared_dsn()) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        connection.execute("SELECT pg_current_xact_id()" if writing else "SELECT 1")
        yield
        connection.rollback()


class TestFound:
    """Whatever becomes pending below a mark is found (I12)."""

    @pytest.mark.parametrize("how", ["release", "fail", "expire", "redrive"])
    def test_what_another_server_puts_back(self, bench: Bench, other: Backend, how: str) -> None:
        """A job that another server makes ready again is claimed here, in its old place (I12)."""
        job = bench.put()
        token = lease_of(bench.take(job, visibility_timeout=1.0)).token
        bench.put_many(3)
        settle_marks(bench)
        last = bench.put()
        if how == "release":
            other.release([Release(job.id, token)])
        elif how == "fail":
            bench.fail(job.id, token, Failure(retry_in=0.0))
            other.promote_delayed(10)
        elif how == "expire":
            bench.advance(1.1)
            other.requeue_expired(10)
        else:
            bench.fail(job.id, token, Failure(retryable=False))
            other.redrive([job.id])
        assert ids(bench.claim(5).jobs) == [job.id, last.id]

    def test_what_was_minted_long_ago(self, bench: Bench, other: Backend) -> None:
        """A job whose id is old by the time it is written has the place of its id (§7)."""
        early = bench.new()
        bench.put_many(3)
        settle_marks(bench)
        last = bench.put()
        other.enqueue([early])
        assert ids(bench.claim(5).jobs) == [early.id, last.id]

    @pytest.mark.parametrize("writing", [True, False])
    def test_what_was_committed_late(self, bench: Bench, *, writing: bool) -> None:
        """A job whose transaction was open while others passed it is found when it is committed (§7)."""
        bench.put_many(3)
        settle_marks(bench)
        with psycopg.connect(shared_dsn()) as slow, open_transaction(writing=writing):
            query = sql.SQL("SELECT job_id::text FROM {}({}, 'late')")
            cursor = slow.execute(query.format(table(bench, "enqueue"), QUEUE))
            ((early,),) = cast("list[tuple[str]]", cursor.fetchall())
            bench.put_many(3)
            settle_marks(bench)
            last = bench.put()
            slow.commit()
        assert ids(bench.claim(5).jobs) == [early, last.id]

    def test_what_another_claim_had_in_its_hands(self, bench: Bench) -> None:
        """A job that was locked by a claim which then failed is not passed over for ever (I17)."""
        first, second, third = bench.put_many(3)
        with psycopg.connect(shared_dsn()) as connection:
            query = sql.SQL("SELECT FROM {} WHERE id = {} FOR UPDATE")
            connection.execute(query.format(table(bench), first.id))
            bench.take(second)
            connection.rollback()
        assert ids(bench.claim(5).jobs) == [first.id, third.id]

    def test_a_priority_that_was_never_seen(self, bench: Bench, other: Backend) -> None:
        """A new priority, above, between and below those that are known, is found (§7)."""
        bench.put(priority=5)
        bench.put(priority=-5)
        settle_marks(bench)
        wishes = [bench.new(priority=priority) for priority in (-9, -5, 0, 5, 9)]
        other.enqueue(wishes)
        assert ids(bench.claim(9).jobs) == [new.id for new in reversed(wishes)]

    def test_an_edit_by_another_server(self, bench: Bench, other: Backend) -> None:
        """A pending job whose priority another server changes has its new place (§9)."""
        jobs = bench.put_many(3)
        bench.take(jobs[0])
        bench.take(jobs[1])
        bench.put(priority=3)
        bench.take()
        last = bench.put(priority=3)
        other.update_job([Edit(id=jobs[2].id, priority=3)])
        assert ids(bench.claim(5).jobs) == [jobs[2].id, last.id]

    def test_more_priorities_than_are_kept_track_of(self, bench: Bench) -> None:
        """A queue of very many priorities is claimed in its order, too (§7)."""
        wishes = [bench.new(priority=number % 150) for number in range(300)]
        bench.backend.enqueue(wishes)
        order = [new.id for new in sorted(wishes, key=lambda new: (-new.priority, new.id))]
        taken: list[Job] = []
        while jobs := bench.claim(37).jobs:
            taken += jobs
        assert ids(taken) == order
        assert len({new.priority for new in wishes}) > MOST_PRIORITIES

    def test_more_newcomers_than_one_look_takes_in(self, bench: Bench, other: Backend) -> None:
        """After a flood of new jobs the order is as ever, old ids included (§7)."""
        early = bench.new()
        bench.put_many(3)
        settle_marks(bench)
        flood = [bench.new() for _ in range(MOST_WOKEN + 100)]
        other.enqueue([*flood, early])
        taken = bench.claim(200).jobs
        assert ids(taken) == [early.id, *(new.id for new in flood[:199])]
        assert ids(bench.claim(1).jobs) == [flood[199].id]


class TestDeadRows:
    """An old transaction keeps dead rows alive (C7)."""

    @pytest.mark.parametrize("writing", [False, True])
    def test_nothing_looks_at_the_dead(self, bench: Bench, *, writing: bool) -> None:
        """However many jobs were done since, a life reads a handful of rows and entries (C7).

        Not even when the statistics say that the table is empty, for they do not count the dead.
        """
        with open_transaction(writing=writing):
            for _ in range(DEAD // 500):
                bench.put_many(500)
                settle_marks(bench)
            run(sql.SQL("VACUUM (ANALYZE) {}").format(table(bench)))
            bench.backend.close()
            bench.backend = bench.connect()
            bench.finish()
            settle_marks(bench)
            before = self._read(bench)
            for _ in range(20):
                taken = bench.take(bench.put(dedupe_key="k"))
                bench.backend.extend([Extend(taken.id)])
                bench.release(taken.id)
                bench.ack(bench.take(taken).id)
                assert bench.length() == 0
            after = self._read(bench)
        assert 0 < after - before < DEAD

    def _read(self, bench: Bench) -> int:
        """Return what was read of the table of jobs, and of its indexes, by connections now closed."""
        bench.backend.close()
        bench.backend = bench.connect()
        # What a session has counted is there when it is gone.
        run(sql.SQL("SELECT pg_sleep(0.05)"))
        query = sql.SQL(
            "SELECT (SELECT seq_tup_read FROM pg_stat_user_tables WHERE relid = {0}::regclass)"
            " + (SELECT sum(idx_tup_read)::bigint FROM pg_stat_user_indexes WHERE relid = {0}::regclass)"
        )
        ((read,),) = run(query.format(sql.Literal(table(bench).as_string())))
        return cast("int", read)


class TestMarks:
    """The marks themselves."""

    def test_nothing_is_known_at_first(self) -> None:
        """Without a first look nothing is known, and a claim looks at the whole queue."""
        marks = Marks()
        assert marks.snapshot is None
        marks.note([Woken("1:1:", False, None, None, None)])
        reading = marks.read(7)
        assert reading.marks is None
        marks.settle(reading, [First(7, 0, HIGH)])
        assert marks.read(7).marks == ((0, HIGH),)

    def test_a_newcomer_lowers_its_mark(self) -> None:
        """The first newcomer of a priority is where its mark is then, if it is below (I12)."""
        marks = self._known({0: HIGH, 5: LOW})
        marks.note([Woken("2:2:", True, 7, 0, LOW), Woken("2:2:", True, 7, 9, HIGH)])
        assert marks.read(7).marks == ((9, HIGH), (5, LOW), (0, LOW))

    def test_no_mark_is_raised_over_a_newcomer(self) -> None:
        """A claim that read its marks before a newcomer was heard of raises none of them (I12)."""
        marks = self._known({0: LOW})
        reading = marks.read(7)
        marks.note([Woken("2:2:", True, 7, 0, HIGH)])
        marks.settle(reading, [First(7, 0, None)])
        assert marks.read(7).marks == ((0, LOW),)
        marks.settle(marks.read(7), [First(7, 0, HIGH)])
        assert marks.read(7).marks == ((0, HIGH),)

    def test_news_of_other_queues_does_not_matter(self) -> None:
        """What happens in one queue does not keep the marks of another from being raised."""
        marks = self._known({0: LOW})
        reading = marks.read(7)
        marks.note([Woken("2:2:", True, 8, 0, LOW)])
        marks.settle(reading, [First(7, 0, None)])
        assert marks.read(7).marks == ()

    def test_a_look_that_took_in_too_much(self) -> None:
        """After a look that was cut short all is found anew, and no older claim raises a mark (I12)."""
        marks = self._known({0: LOW})
        reading = marks.read(7)
        marks.note([Woken("2:2:", False, None, None, None)])
        marks.settle(reading, [First(7, 0, HIGH)])
        assert marks.read(7).marks is None

    def _known(self, first: dict[int, str]) -> Marks:
        marks = Marks()
        marks.note([Woken("1:1:", False, None, None, None)])
        marks.settle(marks.read(7), [First(7, priority, id_) for priority, id_ in first.items()])
        return marks


def test_a_store_that_is_opened_again_starts_afresh(bench: Bench) -> None:
    """What a process had learnt does not outlive the schema that it learnt it of (``open``)."""
    for name in ("first", "second"):
        bench.put(queue_name=name)
        bench.claim(queue=name)
    bench.backend.close()
    namespace = sql.Identifier(harness_of(bench).namespace(bench.store))
    run(sql.SQL("DROP SCHEMA {} CASCADE").format(namespace))
    bench.store.open()
    bench.backend = bench.connect()
    jobs = [bench.put(queue_name=name) for name in ("second", "first")]
    assert [bench.take(job).id for job in jobs] == ids(jobs)
    assert isinstance(bench.store, PostgresStore)
