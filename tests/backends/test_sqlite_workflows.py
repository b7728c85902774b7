"""Jobs that wait for others in the SQLite store: its statements, its rows, and two processes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, cast

import msgspec

from actorq.backends.sqlite import SqliteStore, records
from actorq.clock import wall_clock
from actorq.core.commands import Ack, Fail
from actorq.core.job import FORMAT, DependentJob, NewJob
from actorq.core.policy import Policy
from actorq.core.results import Enqueued, Settled
from actorq.core.retry import Failure
from actorq.core.transitions import Status
from actorq.testing.conformance.audit import audit
from actorq.testing.conformance.crew import Crew
from tests.backends import sqlite_bench
from tests.backends.sqlite_bench import batch, claim, raw

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from actorq.backends.sqlite.backend import SqliteBackend
    from actorq.core.job import Job
    from actorq.testing.conformance.crew import Desk

REJECT: Final = Failure("broken", retryable=False)
PARENTS: Final = 40
LINE: Final = 3_000
ROUNDS: Final = 3


# Fixtures, which pytest finds by these names.
path, store, backend = sqlite_bench.path, sqlite_bench.store, sqlite_bench.backend


def child(number: int, parents: Sequence[NewJob], queue_name: str = "later") -> DependentJob:
    """Describe the job of a number that depends on ``parents``."""
    (plain,) = batch(number, 1, "p")
    wishes = {name: getattr(plain, name) for name in plain.__struct_fields__}
    wishes["queue_name"] = queue_name
    return DependentJob(**wishes, depends_on=tuple(parent.id for parent in parents))


def put(backend: SqliteBackend, items: Sequence[NewJob]) -> None:
    assert all(isinstance(answer, Enqueued) for answer in backend.enqueue(items))


def read(backend: SqliteBackend, new: NewJob) -> Job:
    (job,) = backend.get_job([new.id])
    assert job is not None
    return job


def row(backend: SqliteBackend, new: NewJob, names: str) -> tuple[object, ...]:
    sql = f"SELECT {names} FROM jobs WHERE id = ?"  # noqa: S608 - names of columns in this file
    return cast("tuple[object, ...]", raw(backend).execute(sql, (new.id,)).fetchone())


def selects(backend: SqliteBackend, call: Callable[[], object]) -> int:
    """Count the statements of a call that read jobs."""
    seen: list[str] = []
    raw(backend).set_trace_callback(seen.append)
    call()
    raw(backend).set_trace_callback(None)
    return sum(sql.startswith("SELECT") and "FROM jobs" in sql for sql in seen)


def share(desk: Desk, item: tuple[str, list[NewJob]]) -> int:
    """Enqueue the jobs, or acknowledge them, one by one; return for how many it counted."""
    what, jobs = item
    if what == "ack":
        return sum(isinstance(desk.backend.ack([Ack(job.id)])[0], Settled) for job in jobs)
    return sum(isinstance(desk.backend.enqueue([job])[0], Enqueued) for job in jobs)


class TestStatements:
    def test_without_children_nothing_more_is_asked(self, backend: SqliteBackend) -> None:
        """Jobs that know of no others cost not one statement and not one byte more (rule 3)."""
        put(backend, batch(0))
        backend.dequeue([claim(20)])
        acks = [Ack(new.id) for new in batch(0)]
        assert selects(backend, lambda: backend.ack(acks)) == 1
        state, body = cast("tuple[bytes, bytes]", row(backend, batch(0)[0], "state, state"))
        assert records.HAS_WORKFLOW not in state + body

    def test_the_children_of_a_batch_are_read_at_once(self, backend: SqliteBackend) -> None:
        """However many jobs of a batch end, their children are loaded by one statement (rule 3)."""
        parents = batch(0)
        put(backend, [*parents, *(child(100 + n, [each]) for n, each in enumerate(parents))])
        backend.dequeue([claim(20)])
        acks = [Ack(new.id) for new in parents]
        assert selects(backend, lambda: backend.ack(acks)) == 2
        assert backend.get_queue_length(["later"])[0].pending == len(parents)

    def test_a_long_line_ends_in_one_step(self, backend: SqliteBackend) -> None:
        """A line of thousands is cancelled with its head, whatever a stack may hold (§2)."""
        line: list[NewJob] = batch(0, 1)
        line += [child(n, [batch(n - 1, 1)[0]]) for n in range(1, LINE)]
        put(backend, line)
        backend.cancel([line[0].id])
        (stats,) = backend.list_queues(["later"])
        assert stats.counts[Status.CANCELLED] == LINE - 1
        assert len(backend.stirred()) == LINE - 1

    def test_a_family_purged_as_a_whole(self, backend: SqliteBackend) -> None:
        """Jobs that are purged together with their parents are counted once (I13)."""
        first, last = batch(0, 2)
        far = child(9, [first], "far")
        family = [child(2, [first], "q"), child(3, [batch(2, 1)[0]], "q"), child(4, [last], "q")]
        put(backend, [first, last, *family, far])
        assert backend.purge("q", frozenset({Status.PENDING, Status.DELAYED}), 3) == 3
        assert backend.purge("q", frozenset({Status.PENDING, Status.DELAYED}), 9) == 2
        assert [job.id for job in backend.stirred()] == [far.id]
        assert read(backend, far).status is Status.CANCELLED
        audit(backend)


class TestRows:
    def test_a_later_record_that_is_told(self, backend: SqliteBackend) -> None:
        """What a later server wrote into a job stays when a parent or a child is noted in it (§1)."""
        parent, waiting = batch(0, 1)[0], child(1, batch(0, 1))
        put(backend, [parent, waiting])
        for new in (parent, waiting):
            (state,) = cast("tuple[bytes]", row(backend, new, "state"))
            later = {**msgspec.msgpack.decode(state), "group_key": "g"}
            values = (FORMAT + 1, msgspec.msgpack.encode(later), new.id)
            raw(backend).execute("UPDATE jobs SET format = ?, state = ? WHERE id = ?", values)
        put(backend, [child(2, [parent, waiting])])
        backend.dequeue([claim(1)])
        backend.ack([Ack(parent.id)])
        assert read(backend, waiting).status is Status.PENDING
        for new in (parent, waiting):
            record_format, told = row(backend, new, "format, state")
            assert record_format == FORMAT + 1
            assert msgspec.msgpack.decode(cast("bytes", told))["group_key"] == "g"

    def test_an_earlier_record_that_gets_a_child(self, backend: SqliteBackend) -> None:
        """A record in which something new is noted says so: an earlier server leaves it alone then (§1)."""
        (parent,) = batch(0, 1)
        put(backend, [parent])
        raw(backend).execute("UPDATE jobs SET format = 1")
        put(backend, [child(1, [parent])])
        assert row(backend, parent, "format") == (FORMAT,)

    def test_a_payload_is_not_written_again(self, backend: SqliteBackend) -> None:
        """Neither a child noted nor a parent's end touches a large payload."""
        (parent,) = batch(0, 1)
        waiting = msgspec.structs.replace(child(1, [parent]), payload="x" * 100_000)
        put(backend, [parent])
        before = raw(backend).total_changes
        put(backend, [waiting])
        # The new job, its large body, its queue with the figures, the parent, the figures of its queue.
        assert raw(backend).total_changes - before == 6
        backend.dequeue([claim(1)])
        before = raw(backend).total_changes
        backend.fail([Fail(parent.id, None, REJECT)])
        # The parent, the child, the figures of two queues.
        assert raw(backend).total_changes - before == 4
        assert read(backend, waiting).payload == waiting.payload


class TestTwoProcesses:
    def test_children_come_while_their_parents_end(self, path: Path) -> None:
        """Whatever one process ends while another one enqueues, no child is left waiting (I1, I17)."""
        recipe = partial(SqliteStore, str(path), Policy(), wall_clock)
        store = recipe()
        store.open()
        backend = store.connect()
        crew = Crew()
        try:
            for number in range(0, ROUNDS * 1_000, 1_000):
                parents = batch(number, PARENTS)
                put(backend, parents)
                backend.dequeue([claim(PARENTS)])
                pairs = zip(parents, parents[1:] + parents[:1], strict=True)
                children = [child(number + 500 + n, pair) for n, pair in enumerate(pairs)]
                shares: list[tuple[str, list[NewJob]]] = [
                    ("ack", parents),
                    ("enqueue", [*children]),
                ]
                assert crew.race(recipe, share, shares) == [PARENTS, PARENTS]
        finally:
            crew.dismiss()
        (stats,) = backend.list_queues(["later"])
        assert stats.counts[Status.PENDING] == ROUNDS * PARENTS
        audit(backend)
        backend.close()
