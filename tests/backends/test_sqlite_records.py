"""The rows of the SQLite store: large bodies, unknown fields, indexes, and a clock that steps back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, cast

import msgspec
import pytest

from actorq.backends.sqlite import SqliteStore
from actorq.backends.sqlite.records import Body, State
from actorq.backends.sqlite.rows import LARGE_BODY
from actorq.backends.sqlite.statements import statement
from actorq.core.commands import Ack, Claim, Edit, Extend, Fail, ListJobs, Report
from actorq.core.job import FORMAT, Job, NewJob, OnDuplicate
from actorq.core.policy import Policy, Retention
from actorq.core.queue import QueueEdit
from actorq.core.results import Enqueued, Settled
from actorq.core.retry import Failure
from actorq.core.transitions import Status
from actorq.testing.clock import ManualClock
from actorq.testing.conformance.audit import audit

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

    from actorq.backends.sqlite.backend import SqliteBackend

IDS: Final = [f"019b76da-a800-7000-8000-{number:012d}" for number in range(200)]
LATER: Final = FORMAT + 1
POLICY: Final = Policy(retention=Retention(completed=10.0))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def backend(tmp_path: Path, clock: ManualClock) -> Iterator[SqliteBackend]:
    store = SqliteStore(str(tmp_path / "jobs.db"), POLICY, clock)
    store.open()
    backend = store.connect()
    yield backend
    audit(backend)
    backend.close()


def raw(backend: SqliteBackend) -> sqlite3.Connection:
    """Return the connection behind a backend: these tests look at what is in the file."""
    return backend._connection._sqlite  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - no verb shows the file


def put(backend: SqliteBackend, number: int = 0, payload: str = "p", **wish: object) -> Job:
    new = NewJob(id=IDS[number], queue_name="q", payload=payload)
    (answer,) = backend.enqueue([msgspec.structs.replace(new, **wish)])
    assert isinstance(answer, Enqueued)
    return answer.job


def take(backend: SqliteBackend, token: str = "t") -> Job:  # noqa: S107 - a lease's token
    claim = Claim(queue_name="q", worker_id="w", tokens=(token,), visibility_timeout=30.0)
    (claimed,) = backend.dequeue([claim])
    (job,) = claimed.jobs
    return job


def read(backend: SqliteBackend, number: int = 0) -> Job:
    (job,) = backend.get_job([IDS[number]])
    assert job is not None
    return job


def columns(backend: SqliteBackend, names: str) -> tuple[object, ...]:
    row = raw(backend).execute(f"SELECT {names} FROM jobs WHERE id = ?", (IDS[0],)).fetchone()  # noqa: S608 - names of columns in this file
    return cast("tuple[object, ...]", row)


def large_bodies(backend: SqliteBackend) -> int:
    (count,) = cast("tuple[int]", raw(backend).execute("SELECT count(*) FROM bodies").fetchone())
    return count


class TestBodies:
    def test_a_record_is_all_of_a_job(self) -> None:
        """No field of the job is in neither half of its record, or in both (I15)."""
        halves = (*Body.__struct_fields__, *State.__struct_fields__)
        assert sorted(halves) == sorted(Job.__struct_fields__)

    def test_a_large_body_is_not_copied_with_the_state(self, backend: SqliteBackend) -> None:
        """A body beyond the bound lies apart and is left there by every step of a life."""
        job = put(backend, payload="x" * 100_000)
        assert (columns(backend, "body"), large_bodies(backend)) == ((None,), 1)
        taken = take(backend)
        assert taken.payload == job.payload
        (settled,) = backend.ack([Ack(job.id, "t")])
        assert isinstance(settled, Settled)
        assert settled.job.payload == read(backend).payload == job.payload

    @pytest.mark.parametrize("size", [LARGE_BODY - 400, LARGE_BODY, 3 * LARGE_BODY])
    def test_a_body_moves_when_its_size_does(self, backend: SqliteBackend, size: int) -> None:
        """An edit may make a body large or small: it is in one place, and complete (I15)."""
        put(backend, payload="x" * 3 * LARGE_BODY)
        for length in (1, size, 2 * LARGE_BODY, size):
            backend.update_job([Edit(id=IDS[0], payload="é" * length)])
            assert read(backend).payload == "é" * length
            inline = columns(backend, "body IS NOT NULL") == (1,)
            assert inline == (large_bodies(backend) == 0)

    def test_what_is_removed_leaves_nothing(
        self, backend: SqliteBackend, clock: ManualClock
    ) -> None:
        """Deleting, purging and pruning take large bodies along."""
        for number in range(3):
            put(backend, number, payload="x" * 5_000)
            take(backend)
            backend.ack([Ack(IDS[number])])
        backend.delete([IDS[0]])
        assert backend.purge("q", frozenset({Status.COMPLETED}), 1) == 1
        clock.advance(11.0)
        assert backend.prune(10) == (1, None)
        assert large_bodies(backend) == 0


class TestUnknownFields:
    """The record of a later server (§1)."""

    @pytest.fixture
    def later(self, backend: SqliteBackend) -> Job:
        """Write a job as a later server would: more fields in both halves, and a later format."""
        job = put(backend, dedupe_key="k")
        state, body = cast("tuple[bytes, bytes]", columns(backend, "state, body"))
        more = {"concurrency_key": {"a": [1, None]}, "group_key": "g"}
        values = (
            LATER,
            msgspec.msgpack.encode({**msgspec.msgpack.decode(state), **more}),
            msgspec.msgpack.encode({**msgspec.msgpack.decode(body), "group_key": "a"}),
        )
        raw(backend).execute("UPDATE jobs SET format = ?, state = ?, body = ?", values)
        return job

    def test_it_can_be_read(self, backend: SqliteBackend, later: Job) -> None:
        """What is unknown does not stand in the way of what is known (§1)."""
        assert read(backend) == later
        assert backend.list_jobs(ListJobs()).jobs == (later,)

    def test_every_step_leaves_it_alone(self, backend: SqliteBackend, later: Job) -> None:
        """A whole life under an older server changes nothing that it does not know (§1)."""
        again = NewJob(id=IDS[1], queue_name="q", payload="new", dedupe_key="k",
                       on_duplicate=OnDuplicate.REPLACE)  # fmt: skip
        backend.enqueue([again])
        backend.update_job([Edit(id=later.id, priority=3)])
        take(backend)
        backend.report([Report(later.id, "t", "1")])
        backend.extend([Extend(later.id, "t")])
        backend.fail([Fail(later.id, "t", Failure("broken", retryable=False))])
        backend.redrive([later.id])
        take(backend)
        backend.ack([Ack(later.id, "t", "2")])
        job = read(backend)
        assert (job.payload, job.priority, job.result) == ("new", 3, "2")
        record_format, state, body = columns(backend, "format, state, body")
        assert record_format == LATER
        kept = msgspec.msgpack.decode(cast("bytes", state))
        assert kept["concurrency_key"] == {"a": [1, None]}
        assert kept["group_key"] == "g"
        assert msgspec.msgpack.decode(cast("bytes", body))["group_key"] == "a"

    def test_settings_of_a_later_server(self, backend: SqliteBackend) -> None:
        """The same holds for the settings of a queue."""
        backend.update_queue([QueueEdit(queue_name="q", max_depth=3)])
        (settings,) = raw(backend).execute("SELECT settings FROM queues").fetchone()
        more = msgspec.msgpack.encode({**msgspec.msgpack.decode(settings), "rate": 5})
        raw(backend).execute("UPDATE queues SET settings = ?", (more,))
        (stats,) = backend.update_queue([QueueEdit(queue_name="q", paused=True)])
        assert (stats.settings.paused, stats.settings.max_depth) == (True, 3)
        (settings,) = raw(backend).execute("SELECT settings FROM queues").fetchone()
        assert msgspec.msgpack.decode(settings)["rate"] == 5


class TestClock:
    """The clock steps back (faults D2)."""

    def test_a_running_job_can_still_be_settled(
        self, backend: SqliteBackend, clock: ManualClock
    ) -> None:
        """Leases taken before the step are kept, renewed and settled after it (§3)."""
        put(backend)
        put(backend, 1)
        take(backend, "a")
        clock.advance(-3_600.0)
        taken = take(backend, "b")
        (renewed,) = backend.extend([Extend(IDS[0], "a")])
        assert isinstance(renewed, Job)
        assert renewed.lease is not None
        assert renewed.lease.expires_at == clock() + 30_000_000
        answers = backend.ack([Ack(IDS[0], "a"), Ack(taken.id, "b")])
        assert [type(answer) for answer in answers] == [Settled, Settled]

    def test_nothing_is_early(self, backend: SqliteBackend, clock: ManualClock) -> None:
        """After a step back a job is as far from its due time as the clock says (I9)."""
        put(backend, delay=1.0)
        clock.advance(-10.0)
        sweep = backend.promote_delayed(10)
        assert (sweep.jobs, sweep.next_in) == ((), 11.0)
        clock.advance(11.0)
        assert [job.id for job in backend.promote_delayed(10).jobs] == [IDS[0]]

    def test_listing_by_time_finds_what_was_made_around_the_step(
        self, backend: SqliteBackend, clock: ManualClock
    ) -> None:
        """Times need not rise with the ids: the span of time alone decides (§8)."""
        jobs: list[Job] = []
        for number, step in enumerate((0.0, -86_400.0, 2 * 86_400.0)):
            clock.advance(step)
            jobs.append(put(backend, number))
        for job in jobs:
            query = ListJobs(created_from=job.created_at, created_to=job.created_at + 1)
            assert backend.list_jobs(query).jobs == (job,)


class TestIndexes:
    """What is asked for often is read from an index in its order, at any depth (§8)."""

    @pytest.mark.parametrize(
        ("file", "name", "index"),
        [
            ("jobs", "claimable", "jobs_pending"),
            ("jobs", "by_id", "sqlite_autoindex_jobs_1"),
            ("jobs", "holders", "jobs_dedupe"),
            ("jobs", "leased_under", "jobs_running"),
            ("sweeps", "due", "jobs_delayed"),
            ("sweeps", "lapsed", "jobs_lapsing"),
            ("sweeps", "run_out", "jobs_running"),
            ("retention", "ended_before", "jobs_ended"),
            ("retention", "ended_first", "jobs_ended"),
            ("retention", "of_status", "jobs_listing"),
            ("listing", "of_queue", "jobs_listing"),
            ("listing", "everywhere", "sqlite_autoindex_jobs_1"),
            ("queues", "oldest_pending", "jobs_listing"),
        ],
    )
    def test_a_statement_uses_its_index(
        self, backend: SqliteBackend, file: str, name: str, index: str
    ) -> None:
        """The plan names the index, and sorts nothing by itself."""
        sql = statement(file, name)
        values = ["[]"] * sql.count("?")
        plan = raw(backend).execute(f"EXPLAIN QUERY PLAN {sql}", values).fetchall()
        steps = [cast("str", step[3]) for step in plan]
        assert any(index in step for step in steps), steps
        assert not any("TEMP B-TREE" in step or step == "SCAN jobs" for step in steps), steps

    def test_a_listing_over_many_queues_reads_the_newest_only(self, backend: SqliteBackend) -> None:
        """A page over all queues is right, whichever queue each of its jobs is in (§9)."""
        names = [f"q{number % 70}" for number in range(len(IDS))]
        wishes = [
            NewJob(id=job_id, queue_name=name, payload=json.dumps(name))
            for job_id, name in zip(IDS, names, strict=True)
        ]
        backend.enqueue(wishes)
        query = ListJobs(statuses=frozenset({Status.PENDING, Status.DEAD}), limit=60)
        page = backend.list_jobs(query)
        assert [job.id for job in page.jobs] == IDS[:-61:-1]
        assert page.next_before == IDS[-60]
