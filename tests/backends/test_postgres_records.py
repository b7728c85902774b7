"""The rows of the PostgreSQL store: unknown fields, renewals that touch no index, large bodies, arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

import psycopg
import pytest
from psycopg import sql

from actorq.backends.postgres.schema import current_version
from actorq.core.commands import Ack, Edit, Extend, Fail, Report
from actorq.core.job import FORMAT, OnDuplicate
from actorq.core.policy import Policy
from actorq.core.queue import QueueEdit
from actorq.core.retry import Failure
from actorq.core.transitions import Status
from actorq.testing.conformance.answers import answered, ids, lease_of, public, settled, token_of
from actorq.testing.conformance.audit import audit
from actorq.testing.conformance.bench import QUEUE, Bench
from tests.servers.postgres import PostgresHarness, shared_dsn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from actorq.core.job import Job

LATER: Final = FORMAT + 1
MIB: Final = 1_048_576

STEPS: Final[dict[str, Callable[[Bench, Job], object]]] = {
    "fail": lambda bench, job: bench.fail(job.id, token_of(job), Failure("x", retry_in=60.0)),
    "release": lambda bench, job: bench.release(job.id, token_of(job)),
    "ack": lambda bench, job: bench.ack(job.id, token_of(job), "1"),
    "reject": lambda bench, job: bench.fail(job.id, None, Failure("x", retryable=False)),
    "extend": lambda bench, job: bench.backend.extend([Extend(job.id)]),
    "report": lambda bench, job: bench.backend.report([Report(job.id, None, "1")]),
    "cancel": lambda bench, job: bench.cancel(job),
}


@pytest.fixture
def bench() -> Iterator[Bench]:
    """Give a bench, with balanced books at the end."""
    harness = PostgresHarness(shared_dsn())
    bench = Bench(harness, Policy())
    yield bench
    audit(bench.backend)
    bench.close()
    harness.close()


def run(bench: Bench, query: str, *values: object) -> list[tuple[object, ...]]:
    """Run SQL on the bench's schema, which ``{}`` stands for."""
    harness = bench.harness
    assert isinstance(harness, PostgresHarness)
    schema = sql.Identifier(harness.namespace(bench.store)).as_string()
    with psycopg.connect(shared_dsn(), autocommit=True) as connection:
        # The statements are written in this file.
        cursor = connection.execute(query.replace("{}", schema).encode(), values)
        return cursor.fetchall() if cursor.description is not None else []


class TestLaterFormats:
    """An older and a newer server share a store during a deploy (§1)."""

    @pytest.mark.parametrize("step", STEPS)
    def test_fields_of_a_later_format_are_kept(self, bench: Bench, step: str) -> None:
        """Whatever an older server does to a record leaves alone what it does not know (§1)."""
        job = bench.put(metadata={"a": "b"})
        query = "UPDATE {}.jobs SET format = %s, rest = %s, version = version + 1"
        run(bench, query, LATER, '{"metadata":{"a":"b"},"group_key":{"x":[1,"\\u00e9"]}}')
        STEPS[step](bench, bench.take(job))
        ((record_format, group),) = run(
            bench,
            "SELECT format, rest -> 'group_key' FROM {}.jobs"
            " UNION ALL SELECT format, rest -> 'group_key' FROM {}.ended",
        )
        assert (record_format, group) == (LATER, {"x": [1, "é"]})
        assert bench.get(job).metadata == {"a": "b"}

    def test_a_redrive_keeps_them(self, bench: Bench) -> None:
        """Back from the dead a record has its unknown fields, too (§1, I14)."""
        job = bench.bury()
        run(bench, "UPDATE {}.ended SET format = %s, rest = %s", LATER, '{"group_key": "a"}')
        bench.redrive(job)
        assert run(bench, "SELECT format, rest ->> 'group_key' FROM {}.jobs") == [(LATER, "a")]

    def test_settings_of_a_later_version_are_kept(self, bench: Bench) -> None:
        """A queue's settings that this version does not know stay as they are (§8)."""
        bench.set(QueueEdit(queue_name=QUEUE, max_running=1))
        run(bench, """UPDATE {}.queues SET settings = '{"max_running": 1, "rate": [5, "s"]}'""")
        bench.set(QueueEdit(queue_name=QUEUE, max_running=None, paused=True))
        assert run(bench, "SELECT settings -> 'rate' FROM {}.queues") == [([5, "s"],)]
        assert bench.stats().settings.paused

    def test_a_schema_of_a_later_server(self, bench: Bench) -> None:
        """A server goes on with a schema that a later one has taken further (faults A11)."""
        run(bench, "INSERT INTO {}.migrations (version) VALUES (%s)", current_version() + 1)
        run(bench, "ALTER TABLE {}.jobs ADD COLUMN concurrency_key text")
        job = bench.put()
        bench.reopen()
        assert bench.take(job).attempt == 1


class TestPlans:
    """What the planner is told."""

    def test_what_forbids_a_plan_forbids_to_compile_it(self, bench: Bench) -> None:
        """A forbidden plan looks so dear that PostgreSQL would compile it at every call, for 100 ms."""
        found = run(
            bench,
            "SELECT proname, proconfig FROM pg_proc WHERE pronamespace = '{}'::regnamespace"
            " AND 'enable_seqscan=off' = ANY (proconfig)",
        )
        assert found
        assert all("jit=off" in cast("list[str]", settings) for _, settings in found), found


class TestRenewals:
    """Renewing a lease touches no index (``extend``)."""

    def test_a_renewal_is_a_heap_only_update(self, bench: Bench) -> None:
        """Renewals and reports write a row, and hardly ever an entry of an index (``extend``)."""
        jobs = bench.put_many(20)
        bench.claim(20, visibility_timeout=60.0)
        bench.backend.close()
        before = self._updates(bench)
        backend = bench.store.connect()
        for _ in range(5):
            for answer in backend.extend([Extend(job.id, None, 90.0) for job in jobs]):
                assert lease_of(answered(answer)).visibility_timeout == 90.0
            backend.report([Report(job.id, None, '"half"') for job in jobs])
        backend.close()
        bench.backend = bench.connect()
        all_updates, hot_updates = self._updates(bench)
        assert all_updates - before[0] == 200
        # Not all of them: where a page is full, the new row goes to another.
        assert hot_updates - before[1] >= 180

    def test_the_reaper_looks_again_at_a_renewed_lease(self, bench: Bench) -> None:
        """A lease that was renewed again and again is ended when it has run out, and not before (§4)."""
        taken = bench.take(bench.put(), visibility_timeout=1.0)
        for _ in range(3):
            bench.backend.extend([Extend(taken.id, None, 2.0)])
            bench.advance(1.1)
            sweep = bench.reap()
            assert sweep.jobs == ()
            assert sweep.next_in is not None
            assert 0.0 < sweep.next_in <= 0.9
        bench.advance(1.0)
        assert ids(bench.reap().jobs) == [taken.id]

    def test_a_renewal_that_shortens(self, bench: Bench) -> None:
        """A lease that is renewed for less than it had left ends by the renewal (§4)."""
        taken = bench.take(bench.put(), visibility_timeout=60.0)
        bench.backend.extend([Extend(taken.id, None, 1.0)])
        bench.advance(1.1)
        assert ids(bench.reap().jobs) == [taken.id]

    def _updates(self, bench: Bench) -> tuple[int, int]:
        # What a session has counted is there when it is gone.
        run(bench, "SELECT pg_sleep(0.05)")
        query = (
            "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables"
            " WHERE relid = '{}.jobs'::regclass"
        )
        ((updates, hot),) = cast("list[tuple[int, int]]", run(bench, query))
        return updates, hot


class TestHeldRecords:
    """A settlement by the process that gave the job out does not read first."""

    def test_what_changed_meanwhile_counts(self, bench: Bench) -> None:
        """What another server did to the job since is in the answer, and in the record (I2)."""
        other = bench.harness.reopen(bench.store).connect()
        first, second = bench.put_many(2)
        for job in (first, second):
            bench.take(job)
        other.cancel([first.id])
        other.report([Report(second.id, None, "7")])
        acks = bench.backend.ack([Ack(first.id, None), Ack(second.id, None, "1")])
        after = [bench.get(job) for job in (first, second)]
        assert [public(settled(answer).job) for answer in acks] == after
        assert [job.status for job in after] == [Status.COMPLETED] * 2
        assert (after[0].cancel_requested, after[1].progress, after[1].result) == (True, "7", "1")
        other.close()

    def test_readers_cannot_write_to_it(self, bench: Bench) -> None:
        """What a caller does to the metadata that it was given is its own affair (I16)."""
        bench.put(metadata={"a": "b"})
        taken = bench.take()
        taken.metadata["a"] = "changed"
        bench.backend.extend([Extend(taken.id)])[0]
        failed = bench.backend.fail([Fail(taken.id, None, Failure("x"))])[0]
        assert getattr(failed, "job", taken).metadata == {"a": "b"}
        assert bench.get(taken).metadata == {"a": "b"}


class TestLargeBodies:
    """Payloads of a mebibyte."""

    def test_many_in_one_batch(self, bench: Bench) -> None:
        """A batch larger than one parameter may be is written all the same, and edited (I15)."""
        wishes = [bench.new(payload=f"{n}" * MIB) for n in range(10)] * 4
        wishes = [bench.new(payload=new.payload) for new in wishes]
        bench.backend.enqueue(wishes)
        edits = [Edit(id=new.id, payload=new.payload[::-1] + "é") for new in wishes]
        edited = [answered(job) for job in bench.backend.update_job(edits)]
        assert [job.payload for job in edited] == [edit.payload for edit in edits]
        assert bench.get(edited[-1]).payload == edits[-1].payload

    @pytest.mark.parametrize("size", [1_500, 1_501, 9_000])
    def test_no_body_is_left_over(self, bench: Bench, size: int) -> None:
        """Wherever a job goes its payload goes with it, and with the job it is gone (I2, I15)."""
        large, small = "x" * size, "y"
        jobs = [bench.put(payload=large, dedupe_key=str(n), priority=-n) for n in range(7)]
        done, dead, edited, replaced, cancelled, deleted, kept = jobs
        settled(bench.ack(bench.take(done).id))
        bench.fail(bench.take(dead).id, None, Failure("x", retryable=False))
        bench.backend.update_job([Edit(id=edited.id, payload=small)])
        wish = bench.new(dedupe_key="3", payload=large[::-1], on_duplicate=OnDuplicate.REPLACE)
        bench.enqueue(wish)
        for job in (cancelled, deleted):
            bench.cancel(job)
        bench.backend.delete([deleted.id])
        assert bench.get(dead).payload == bench.redrive(dead).payload == large
        assert (bench.get(edited).payload, bench.get(replaced).payload) == (small, large[::-1])
        assert [bench.get(job).payload for job in (done, cancelled, kept)] == [large] * 3
        apart = 5 if size > 1_500 else 0
        assert run(bench, "SELECT count(*) FROM {}.bodies") == [(apart,)]
        bench.backend.update_job([Edit(id=edited.id, payload=large)])
        bench.advance(100 * 86_400.0)
        assert bench.backend.prune(10)[0] == 2
        assert bench.backend.purge(QUEUE, frozenset(Status) - {Status.RUNNING}, 10) == 4
        assert run(bench, "SELECT count(*) FROM {}.bodies") == [(0,)]

    def test_a_replacement_within_the_batch(self, bench: Bench) -> None:
        """Of a job that one item makes and the next replaces the last state is written (rule 1)."""
        first = bench.new(dedupe_key="k", payload="old")
        second = bench.new(
            dedupe_key="k", payload="new", delay=60.0, on_duplicate=OnDuplicate.REPLACE
        )
        bench.backend.enqueue([first, second])
        job = bench.get(first.id)
        assert (job.payload, job.status, job.version) == ("new", Status.DELAYED, 2)
        assert bench.stats().counts[Status.DELAYED] == 1
