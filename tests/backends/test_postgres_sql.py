"""Enqueue by the function of the schema, inside a transaction of the caller's own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, cast

import psycopg
import pytest
from msgspec.structs import replace
from psycopg import sql

from actorq.core.instants import LATEST_US, to_us
from actorq.core.job import Backoff, Delivery, Job, create
from actorq.core.policy import Policy
from actorq.core.queue import QueueEdit
from actorq.core.transitions import Status
from actorq.core.workflow import OnParentFailure
from actorq.testing.conformance.answers import created, ids, settled
from actorq.testing.conformance.audit import audit
from actorq.testing.conformance.bench import QUEUE, Bench
from actorq.testing.conformance.families import depending, known
from tests.servers.postgres import PostgresHarness, shared_dsn

if TYPE_CHECKING:
    from collections.abc import Iterator

    Connection = psycopg.Connection[tuple[object, ...]]

KEY: Final = "kéy 😀"


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
def caller() -> Iterator[Connection]:
    """Connect as a program would that has tables of its own beside the queue."""
    with psycopg.connect(shared_dsn()) as connection:
        yield connection


def enqueue(bench: Bench, caller: Connection, **wish: object) -> tuple[str, str]:
    """Call the function as a program would, with arguments by name; returns the job's id and outcome."""
    harness = bench.harness
    assert isinstance(harness, PostgresHarness)
    arguments = {"queue_name": QUEUE, "payload": "{}", **wish}
    named = [sql.SQL("{} => {}").format(sql.Identifier(k), v) for k, v in arguments.items()]
    name = sql.Identifier(harness.namespace(bench.store), "enqueue")
    query = sql.SQL("SELECT job_id::text, outcome FROM {}({})").format(
        name, sql.SQL(", ").join(named)
    )
    ((job_id, outcome),) = cast("list[tuple[str, str]]", caller.execute(query).fetchall())
    return job_id, outcome


def put(bench: Bench, caller: Connection, **wish: object) -> Job:
    """Enqueue and commit one job, which must be created."""
    job_id, outcome = enqueue(bench, caller, **wish)
    caller.commit()
    assert outcome == "created"
    return bench.get(job_id)


class TestTransactions:
    """The job is part of the caller's transaction (I1)."""

    def test_a_commit_makes_the_job(self, bench: Bench, caller: Connection) -> None:
        """Before the commit nobody sees the job; with it the job is there, with all that was said (§1)."""
        job_id, _ = enqueue(bench, caller, payload="p\té😀")
        assert (bench.find(job_id), bench.claim().jobs, bench.length()) == (None, (), 0)
        caller.commit()
        assert bench.get(job_id).payload == "p\té😀"
        assert ids(bench.claim().jobs) == [job_id]

    @pytest.mark.parametrize("how", ["rollback", "savepoint", "hang-up"])
    def test_without_a_commit_there_is_no_job(
        self, bench: Bench, caller: Connection, how: str
    ) -> None:
        """A transaction that is not committed leaves no job, no key, and no figure (I10, I13)."""
        caller.execute("SAVEPOINT before")
        enqueue(bench, caller, dedupe_key=KEY)
        if how == "savepoint":
            caller.execute("ROLLBACK TO before")
            caller.commit()
        elif how == "rollback":
            caller.rollback()
        else:
            caller.close()
        assert bench.claim().jobs == ()
        bench.put(dedupe_key=KEY)
        assert bench.stats().accepted == 1

    def test_a_waiting_process_hears_of_the_commit(self, bench: Bench, caller: Connection) -> None:
        """News of the job comes with the commit, and not without (rule 8)."""
        listener = bench.store.listen()
        assert listener is not None
        enqueue(bench, caller)
        assert listener.wait(0.1) == frozenset()
        caller.commit()
        assert listener.wait(5.0) == frozenset({QUEUE})
        enqueue(bench, caller, delay=60.0)
        caller.commit()
        assert listener.wait(0.1) == frozenset()
        listener.close()

    def test_a_transaction_that_sees_the_past(self, bench: Bench, caller: Connection) -> None:
        """Where a key was taken since its snapshot, a serializable caller is asked to begin again (I10)."""
        caller.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        caller.execute("SELECT 1")
        bench.put(dedupe_key=KEY)
        with pytest.raises(psycopg.errors.SerializationFailure):
            enqueue(bench, caller, dedupe_key=KEY)
        caller.rollback()
        assert enqueue(bench, caller, dedupe_key=KEY)[1] == "duplicate"
        caller.commit()


class TestRecord:
    """What is said is what is stored (§1)."""

    def test_every_field(self, bench: Bench, caller: Connection) -> None:
        """The record is what core makes of the same request at any other door (§1)."""
        job = put(
            bench, caller, payload='{"x": 1}', priority=-5, max_retries=7, delivery="at_most_once",
            delay=2.5, metadata=json.dumps({"user": "ü", "n": "1"}), task="mail.send", timeout=12.125,
            backoff='{"base": 0.1, "factor": 3, "max": 77.25}', dedupe_key=KEY, dedupe_window=33.5,
            expires_at="2100-01-01T00:00:00Z",
        )  # fmt: skip
        new = bench.new(
            id=job.id, payload='{"x": 1}', priority=-5, max_retries=7, delay=2.5, task="mail.send",
            delivery=Delivery.AT_MOST_ONCE, metadata={"user": "ü", "n": "1"}, timeout=12.125,
            backoff=Backoff(0.1, 3.0, 77.25), dedupe_key=KEY, dedupe_window=33.5,
            expires_at=4_102_444_800 * 1_000_000,
        )  # fmt: skip
        assert job == create(new, job.created_at)

    def test_the_defaults(self, bench: Bench, caller: Connection) -> None:
        """A job of which nothing more is said has the defaults of the contract (§1)."""
        job = put(bench, caller)
        assert job == create(bench.new(id=job.id), job.created_at)

    def test_ids_sort_by_time(self, bench: Bench, caller: Connection) -> None:
        """The function mints ids that sort among the others by their time, to the microsecond (§7)."""
        jobs = [put(bench, caller) if n % 2 else bench.put() for n in range(10)]
        assert all(job.id[14] == "7" and job.id[19] in "89ab" for job in jobs)
        minted = ids([job for n, job in enumerate(jobs) if n % 2])
        assert minted == sorted(minted)
        assert len(bench.claim(10).jobs) == 10

    def test_an_id_of_the_callers_own(self, bench: Bench, caller: Connection) -> None:
        """With an id a repeated call is one job, alive or ended (I1); listings by time find it."""
        job_id = "00000000-0000-7000-8000-00000000000a"
        job = put(bench, caller, id=job_id)
        assert enqueue(bench, caller, id=job_id) == (job_id, "created")
        settled(bench.ack(bench.take(job).id))
        assert enqueue(bench, caller, id=job_id) == (job_id, "created")
        caller.commit()
        assert bench.stats().accepted == 1
        assert bench.get(job).status is Status.COMPLETED


class TestKeys:
    """Dedupe keys (§6)."""

    @pytest.mark.parametrize("status", [Status.PENDING, Status.DELAYED, Status.RUNNING])
    def test_a_holder_is_the_answer(self, bench: Bench, caller: Connection, status: Status) -> None:
        """A live job that holds the key is the answer, unchanged (§6)."""
        holder = bench.put(dedupe_key=KEY, delay=60.0 if status is Status.DELAYED else None)
        if status is Status.RUNNING:
            holder = bench.take(holder)
        assert enqueue(bench, caller, dedupe_key=KEY, payload="other") == (holder.id, "duplicate")
        caller.commit()
        assert bench.get(holder) == holder

    def test_reject(self, bench: Bench, caller: Connection) -> None:
        """With ``reject`` the caller's statement fails, naming the holder (§6)."""
        holder = bench.put(dedupe_key=KEY)
        with pytest.raises(psycopg.Error, match=holder.id) as error:
            enqueue(bench, caller, dedupe_key=KEY, on_duplicate="reject")
        assert error.value.sqlstate == "AQ409"

    @pytest.mark.parametrize("delay", [None, 60.0])
    def test_replace(self, bench: Bench, caller: Connection, delay: float | None) -> None:
        """With ``replace`` a waiting holder takes payload, priority and due time, and no more (§6)."""
        holder = bench.put(dedupe_key=KEY, task="t", delay=None if delay else 60.0)
        wish = {"payload": "new", "priority": 8, "delay": delay, "on_duplicate": "replace"}
        assert enqueue(bench, caller, dedupe_key=KEY, **wish) == (holder.id, "replaced")
        caller.commit()
        job = bench.get(holder)
        assert (job.payload, job.priority, job.task, job.version) == ("new", 8, "t", 2)
        assert job.status is (Status.DELAYED if delay else Status.PENDING)
        assert job.available_at - job.updated_at == to_us(delay or 0.0)

    def test_replace_of_one_that_waits(self, bench: Bench, caller: Connection) -> None:
        """With ``replace`` a job goes on waiting for its parents, and is due then at the earliest (§2)."""
        parent = bench.put(queue_name="parents")
        wish = depending(bench.new(dedupe_key=KEY), (parent.id,), OnParentFailure.CANCEL)
        holder = created(bench.backend.enqueue([wish])[0])
        enqueue(bench, caller, dedupe_key=KEY, payload="new", delay=60.0, on_duplicate="replace")
        caller.commit()
        job = bench.get(holder)
        due = job.updated_at + to_us(60.0)
        assert (job.payload, job.status, job.available_at) == ("new", Status.DELAYED, LATEST_US)
        assert known(job) == replace(known(holder), not_before=due)
        settled(bench.ack(bench.take(parent).id))
        assert bench.get(holder).available_at == due

    def test_a_window_that_outlives_its_job(self, bench: Bench, caller: Connection) -> None:
        """Within the window the ended job answers, and after it the key is free (§6)."""
        job = bench.finish(dedupe_key=KEY, dedupe_window=1.0)
        assert enqueue(bench, caller, dedupe_key=KEY) == (job.id, "duplicate")
        caller.commit()
        bench.advance(1.1)
        assert put(bench, caller, dedupe_key=KEY).id != job.id

    def test_a_key_that_an_open_transaction_holds(self, bench: Bench, caller: Connection) -> None:
        """Whoever wants the key waits for the transaction that takes it, and finds its job (I10)."""
        job_id, _ = enqueue(bench, caller, dedupe_key=KEY)
        with psycopg.connect(shared_dsn()) as second:
            second.execute("SET lock_timeout = '50ms'")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                enqueue(bench, second, dedupe_key=KEY)
            second.rollback()
            caller.commit()
            assert enqueue(bench, second, dedupe_key=KEY) == (job_id, "duplicate")


class TestRefusals:
    """What the contract does not allow (§1, §8)."""

    @pytest.mark.parametrize(
        ("wish", "place"),
        [
            ({"queue_name": "a b"}, "queue_name"),
            ({"queue_name": "a\n"}, "queue_name"),
            ({"queue_name": None}, "queue_name"),
            ({"queue_name": "x" * 129}, "queue_name"),
            ({"payload": None}, "payload"),
            ({"payload": "é" * 524_289}, "payload"),
            ({"priority": None}, "priority"),
            ({"max_retries": -1}, "max_retries"),
            ({"max_retries": 1_001}, "max_retries"),
            ({"delivery": "twice"}, "delivery"),
            ({"delay": -1.0}, "delay"),
            ({"delay": float("nan")}, "delay"),
            ({"delay": 1.0, "available_at": "2100-01-01"}, "delay"),
            ({"available_at": "infinity"}, "available_at"),
            ({"expires_at": "1969-12-31"}, "expires_at"),
            ({"metadata": "[]"}, "metadata"),
            ({"metadata": None}, "metadata"),
            ({"metadata": '{"a": 1}'}, "metadata"),
            ({"metadata": '{"": "x"}'}, "metadata"),
            ({"metadata": json.dumps({"a": "é" * 2_049})}, "metadata"),
            ({"metadata": json.dumps({str(n): "" for n in range(65)})}, "metadata"),
            ({"task": ""}, "task"),
            ({"task": "x" * 201}, "task"),
            ({"timeout": 0.0}, "timeout"),
            ({"backoff": '{"base": -1}'}, "backoff"),
            ({"backoff": '{"factor": 0.5}'}, "backoff"),
            ({"backoff": '{"base": "1"}'}, "backoff"),
            ({"backoff": '{"step": 1}'}, "backoff"),
            ({"dedupe_key": ""}, "dedupe_key"),
            ({"dedupe_key": "x" * 256}, "dedupe_key"),
            ({"dedupe_window": 1.0}, "dedupe_window"),
            ({"dedupe_key": "k", "dedupe_window": None}, "dedupe_window"),
            ({"on_duplicate": "ignore"}, "on_duplicate"),
        ],
        ids=lambda value: str(value)[:40],
    )
    def test_what_breaks_a_bound(
        self, bench: Bench, caller: Connection, wish: dict[str, object], place: str
    ) -> None:
        """What no other door takes is refused here, naming the argument, and nothing is written (I15)."""
        with pytest.raises(psycopg.errors.InvalidParameterValue, match=place):
            enqueue(bench, caller, **wish)
        caller.rollback()
        assert bench.backend.list_queues() == []

    def test_a_full_queue(self, bench: Bench, caller: Connection) -> None:
        """A queue that holds as many as it may takes no more; what is known needs no room (§8)."""
        bench.set(QueueEdit(queue_name=QUEUE, max_depth=2))
        first = put(bench, caller, dedupe_key=KEY)
        put(bench, caller, delay=60.0)
        with pytest.raises(psycopg.Error, match="full") as error:
            enqueue(bench, caller)
        assert error.value.sqlstate == "AQ429"
        caller.rollback()
        assert enqueue(bench, caller, dedupe_key=KEY) == (first.id, "duplicate")
        bench.take(first)
        put(bench, caller)
        assert bench.stats().accepted == 3
