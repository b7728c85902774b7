"""What is special about the memory store: undoing, a clock that is turned back, maps of metadata."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Final

import pytest
from msgspec.structs import replace

from actorq.backends.memory import MemoryStore
from actorq.backends.memory.connection import MemoryBackend
from actorq.backends.memory.data import Data
from actorq.backends.memory.listing import SCAN
from actorq.core import keys
from actorq.core.commands import Claim, Edit, Fail, ListJobs, Release
from actorq.core.ids import IdMint
from actorq.core.job import NewJob
from actorq.core.policy import Policy, Retention
from actorq.core.queue import QueueEdit
from actorq.core.results import Enqueued, Settled
from actorq.core.retry import Failure
from actorq.core.transitions import Status
from actorq.testing.clock import ManualClock
from actorq.testing.conformance.audit import audit

if TYPE_CHECKING:
    from collections.abc import Callable

    from actorq.backends.backend import Backend

ENDLESS: Final = float("inf")
"""A duration that no instant can hold: what core lets nobody say makes a verb raise half way."""

HOUR_S: Final = 3_600.0


def new(job_id: str, **fields: object) -> NewJob:
    """Describe a job of the queue ``q``."""
    return replace(NewJob(id=job_id, queue_name="q", payload=""), **fields)


def claim(*tokens: str, seconds: float | None = None) -> Claim:
    """Make a claim on the queue ``q``."""
    return Claim(queue_name="q", worker_id="w", tokens=tokens, visibility_timeout=seconds)


POISON: Final[dict[str, Callable[[Backend], object]]] = {
    "enqueue": lambda backend: backend.enqueue(
        [
            replace(new("x"), idempotency=keys.idempotency(new("x"), "", "key")),
            new("y", queue_name="other", dedupe_key="k"),
            new("z", delay=ENDLESS),
        ]
    ),
    "dequeue": lambda backend: backend.dequeue([claim("t5", "t6"), claim("t7", seconds=ENDLESS)]),
    "fail": lambda backend: backend.fail(
        [Fail("a"), Fail("b", None, Failure("no", retry_in=ENDLESS))]
    ),
    "release": lambda backend: backend.release([Release("a"), Release("b", None, ENDLESS)]),
    "update_job": lambda backend: backend.update_job(
        [Edit(id="d", priority=9), Edit(id="e", delay=ENDLESS)]
    ),
}
"""Batches of each verb of which the last item cannot be done."""


@pytest.mark.parametrize("verb", POISON)
def test_a_batch_that_raises_leaves_nothing_behind(verb: str) -> None:
    """An exception in the middle of a batch takes its beginning back too (architecture, rule 1)."""
    backend = MemoryStore(Policy(), ManualClock()).connect()
    backend.enqueue([new(name, dedupe_key=name) for name in "abcdefg"])
    backend.dequeue([claim("t1", "t2", "t3")])
    before = (backend.list_jobs(ListJobs()), backend.list_queues())

    with pytest.raises(OverflowError):
        POISON[verb](backend)

    assert (backend.list_jobs(ListJobs()), backend.list_queues()) == before
    audit(backend)
    request = replace(new("v"), idempotency=keys.idempotency(new("v"), "", "key"))
    answers = backend.enqueue([request, new("w", queue_name="other", dedupe_key="k")])
    assert [isinstance(a, Enqueued) and a.job.id for a in answers] == ["v", "w"]
    (claimed,) = backend.dequeue([claim(*"123456789")])
    assert [job.id for job in claimed.jobs] == ["d", "e", "f", "g", "v"]
    assert sorted(job.id for job in backend.find_claims(["t1", "t2", "t3"])) == ["a", "b", "c"]


def test_an_edit_of_settings_that_raises_leaves_nothing_behind() -> None:
    """Settings are taken back with the rest of their batch, and no queue is made (rule 1)."""
    clock = ManualClock()
    backend = MemoryStore(Policy(retention=Retention(cancelled=1.0)), clock).connect()
    backend.enqueue([new("a")])
    backend.cancel(["a"])
    longer = QueueEdit(queue_name="q", retention=Retention(cancelled=HOUR_S))
    endless = QueueEdit(queue_name="other", retention=Retention(dead=ENDLESS))

    with pytest.raises(OverflowError):
        backend.update_queue([longer, endless])

    assert [stats.name for stats in backend.list_queues()] == ["q"]
    clock.advance(1.0)
    assert backend.prune(10) == (1, None)


def test_a_clock_turned_back_leaves_the_records_in_order() -> None:
    """A record's times never run backwards, and what is due still goes by the clock (§3)."""
    clock = ManualClock()
    backend = MemoryStore(Policy(), clock).connect()
    backend.enqueue([new("a"), new("b", delay=5.0), new("c")])
    backend.dequeue([claim("t1")])
    created = clock()

    clock.advance(-HOUR_S)

    (settled,) = backend.fail([Fail("a", "t1", Failure("x", retry_in=2.0))])
    assert isinstance(settled, Settled)
    assert (settled.job.updated_at, settled.job.attempt) == (created, 1)
    (cancelled,) = backend.cancel(["c"])
    assert getattr(cancelled, "completed_at", None) == created
    audit(backend)
    clock.advance(2.0)
    assert [job.id for job in backend.promote_delayed(10).jobs] == ["a"]
    (claimed,) = backend.dequeue([claim("t2", seconds=1.0)])
    assert [(job.id, job.attempt) for job in claimed.jobs] == [("a", 2)]
    clock.advance(1.0)
    assert [job.id for job in backend.requeue_expired(10).jobs] == ["a"]
    assert backend.promote_delayed(10).jobs == ()
    clock.advance(HOUR_S + 2.0)
    assert [job.id for job in backend.promote_delayed(10).jobs] == ["b"]
    audit(backend)


def test_a_clock_turned_back_into_a_window_keeps_its_job() -> None:
    """A job is not pruned while its dedupe window holds its key, whichever way the clock goes (§6)."""
    clock = ManualClock()
    policy = Policy(retention=Retention(cancelled=0.0, max_cancelled=0))
    backend = MemoryStore(policy, clock).connect()
    backend.enqueue([new("a"), new("b", dedupe_key="k", dedupe_window=10.0)])
    backend.cancel(["a", "b"])
    clock.advance(10.0)
    assert backend.prune(1) == (1, 0.0)
    clock.advance(-5.0)
    assert backend.prune(10) == (0, 5.0)
    assert [job.id for job in backend.list_jobs(ListJobs()).jobs] == ["b"]
    clock.advance(5.0)
    assert backend.prune(10) == (1, None)


def test_idempotency_records_are_forgotten() -> None:
    """A record that is over goes with the next rounds of pruning, within their limit (§6, I18)."""
    clock = ManualClock()
    backend = MemoryStore(Policy(idempotency_ttl=60.0), clock).connect()
    wishes = [replace(new(i), idempotency=keys.idempotency(new(i), "", i)) for i in "abc"]
    backend.enqueue(wishes[:2])
    clock.advance(1.0)
    backend.enqueue(wishes[2:])
    assert backend.prune(10) == (0, 59.0)
    clock.advance(59.0)
    assert [backend.prune(1) for _ in range(2)] == [(1, 0.0), (1, 1.0)]
    clock.advance(1.0)
    assert backend.prune(10) == (1, None)


def test_a_removal_that_raises_is_taken_back() -> None:
    """A step that removes jobs and breaks off leaves them, and the count of the pruned (I13)."""
    data = Data(Policy(), ManualClock())
    backend = MemoryBackend(data)
    backend.enqueue([new("a"), new("b", dedupe_key="k")])
    before = (backend.list_jobs(ListJobs()), backend.list_queues())

    def remove_and_raise() -> None:
        with data:
            for job in list(data.jobs.values()):
                data.remove(job)
            raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        remove_and_raise()

    assert (backend.list_jobs(ListJobs()), backend.list_queues()) == before
    audit(backend)


def test_nobody_holds_a_map_of_the_store() -> None:
    """What a caller does to a map it gave or got changes nothing in the store (I15, I16)."""
    backend = MemoryStore(Policy(), ManualClock()).connect()
    given = {"n": "1"}
    (enqueued,) = backend.enqueue([new("a", metadata=given)])
    assert isinstance(enqueued, Enqueued)
    given["n"] = enqueued.job.metadata["n"] = "2"

    def spoil() -> None:
        (claimed,) = backend.dequeue([claim("t1")])
        (released,) = backend.release([Release("a", "t1")])
        (repeated,) = backend.release([Release("a", "t1")])
        assert isinstance(released, Settled)
        assert isinstance(repeated, Settled)
        (read,) = backend.get_job(["a"])
        assert read is not None
        for job in (*claimed.jobs, released.job, repeated.job, read):
            assert job.metadata == {"n": "1"}
            job.metadata["n"] = "2"
        for job in backend.list_jobs(ListJobs()).jobs:
            assert job.metadata.pop("n") == "1"

    spoil()
    spoil()


def test_kinds_of_which_there_are_too_many_take_turns() -> None:
    """A queue with a long backlog of ended jobs does not keep retention from the others (§8)."""
    policy = Policy(retention=Retention(max_cancelled=0))
    backend = MemoryStore(policy, ManualClock()).connect()
    backend.enqueue([new(f"a{n:03d}", queue_name="a") for n in range(100)])
    backend.enqueue([new("b", queue_name="b")])
    backend.cancel([f"a{n:03d}" for n in range(100)])
    backend.cancel(["b"])

    assert backend.prune(4) == (4, 0.0)

    left = {stats.name: stats.counts[Status.CANCELLED] for stats in backend.list_queues()}
    assert left == {"a": 97, "b": 0}


def test_a_claim_does_not_bury_for_ever() -> None:
    """However many jobs have lapsed, one claim is bounded, and rounds find the good one (I17)."""
    clock = ManualClock()
    backend = MemoryStore(Policy(), clock).connect()
    soon = clock() + 1
    backend.enqueue([new(f"a{n:04d}", priority=1, expires_at=soon) for n in range(1_200)])
    backend.enqueue([new("b")])
    clock.advance(1.0)

    rounds = [backend.dequeue([claim(f"t{n}")])[0].jobs for n in range(3)]

    assert [[job.id for job in jobs] for jobs in rounds] == [[], [], ["b"]]
    assert backend.list_queues()[0].counts[Status.DEAD] == 1_200


def test_a_claim_that_found_the_last_job_was_not_limited() -> None:
    """A claim says that ``max_running`` held something back only when something is there (§8)."""
    backend = MemoryStore(Policy(), ManualClock()).connect()
    backend.update_queue([QueueEdit(queue_name="q", max_running=1)])
    backend.enqueue([new("a")])
    assert not backend.dequeue([claim("t1", "t2")])[0].limited
    assert not backend.dequeue([claim("t3")])[0].limited
    backend.enqueue([new("b")])
    assert backend.dequeue([claim("t4")])[0].limited


def test_a_span_of_time_is_found_among_many() -> None:
    """A listing by time goes by the index: its pages are full, and it ends where the span does (§8)."""
    clock = ManualClock()
    backend = MemoryStore(Policy(), clock).connect()
    mint = IdMint(clock, Random(0).getrandbits)
    starts: list[int] = []
    for _ in range(3):
        clock.advance(1.0)
        starts.append(clock())
        backend.enqueue([new(mint.mint()) for _ in range(SCAN + 10)])

    span = ListJobs(created_from=starts[1], created_to=starts[2], limit=SCAN)
    first = backend.list_jobs(span)
    second = backend.list_jobs(replace(span, before=first.next_before))

    assert (len(first.jobs), len(second.jobs), second.next_before) == (SCAN, 10, None)
