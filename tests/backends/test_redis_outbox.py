"""Schedules over many shards of Redis: what lies between a tick and its job, and is cut short there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from actorq.backends.redis import schedules
from actorq.backends.redis.sharded import ShardedBackend
from actorq.core.instants import SECOND_US
from actorq.core.policy import Policy
from actorq.core.queue import QueueEdit
from actorq.core.schedule import CatchUp
from actorq.core.ticks import Timing
from actorq.testing.conformance.answers import settled
from actorq.testing.conformance.audit import audit
from actorq.testing.conformance.bench import QUEUE, Bench
from actorq.testing.conformance.timetable import (
    JOB,
    NAME,
    delete,
    find,
    fire,
    get,
    made,
    next_of,
    pause,
    put,
    ticks_of,
)
from tests.servers.redis_groups import ManyShards

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from actorq.backends.redis.access import Access


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Give a bench over many shards, with balanced books at the end."""
    harness = ManyShards(tmp_path)
    bench = Bench(harness, Policy())
    yield bench
    audit(bench.backend)
    bench.close()
    harness.close()


def shard(bench: Bench) -> Access:
    """Return the way to the usual schedule's shard."""
    backend = bench.backend
    assert isinstance(backend, ShardedBackend)
    return backend._spread.of_queue(NAME)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - no verb stops half way


def begin(bench: Bench) -> list[int]:
    """Do the first half of a round, as a server that dies then; return the ticks that are noted."""
    fired = schedules.fire(shard(bench), 100, is_whole=False)
    assert fired.jobs == ()
    return [job.tick for job in schedules.noted(shard(bench), NAME) if job.tick is not None]


def deliver(bench: Bench) -> None:
    """Do half of the second half: make the jobs, and die before they are crossed out."""
    bench.backend.enqueue(list(schedules.noted(shard(bench), NAME)))


def test_what_was_noted_is_delivered_by_the_next(bench: Bench) -> None:
    """A server dies after a tick was noted: the next round makes its job, once, and it counts (I19)."""
    schedule = put(bench)
    bench.advance(1.0)
    assert begin(bench) == [schedule.next_tick]
    assert made(bench) == []
    assert get(bench).fired == 0
    (job,) = fire(bench)
    assert job.tick == schedule.next_tick
    assert (get(bench).fired, get(bench).last_job_id) == (1, job.id)
    assert fire(bench) == []


@pytest.mark.parametrize("fate", ["waits", "is done", "is gone"])
def test_what_was_delivered_is_not_delivered_again(bench: Bench, fate: str) -> None:
    """A server dies after the job was made: the next round knows, whatever became of the job (I19)."""
    put(bench)
    bench.advance(1.0)
    begin(bench)
    deliver(bench)
    (job,) = made(bench)
    if fate != "waits":
        settled(bench.ack(bench.take(job).id))
    if fate == "is gone":
        bench.backend.delete([job.id])
    assert fire(bench) == []
    assert len(made(bench)) == (fate != "is gone")
    assert (get(bench).fired, get(bench).last_job_id) == (1, job.id)
    bench.advance(1.0)
    assert len(fire(bench)) == 1


def test_nothing_fires_past_an_outbox(bench: Bench) -> None:
    """Ticks come in their order: a schedule whose last ones wait for room makes no more (I19)."""
    bench.set(QueueEdit(queue_name=QUEUE, max_depth=1))
    schedule = put(bench, catch_up=CatchUp.ALL, timing=Timing(every=1.0))
    bench.advance(3.2)
    (first,) = fire(bench)
    assert len(schedules.noted(shard(bench), NAME)) == 2
    bench.advance(2.0)
    assert fire(bench) == []
    for expected in (2, 3, 4):
        bench.ack(bench.take(made(bench)[-1]).id)
        bench.advance(1.1)
        seen = ticks_of(fire(bench))
        assert seen == [next_of(schedule) + (expected - 1) * SECOND_US]
    assert first.tick == schedule.next_tick


def test_edits_leave_the_outbox_alone(bench: Bench) -> None:
    """What has ticked is delivered as it was then, whatever the schedule says by now (I19)."""
    put(bench)
    bench.advance(1.0)
    begin(bench)
    put(bench, job=replace(JOB, queue_name="other", payload="new"))
    pause(bench)
    (job,) = fire(bench)
    assert (job.queue_name, job.payload) == (QUEUE, "{}")
    assert (get(bench).fired, get(bench).paused) == (1, True)


def test_a_removal_takes_the_outbox_along(bench: Bench) -> None:
    """A schedule that is removed makes nothing any more, not even what was noted (§8)."""
    put(bench)
    bench.advance(1.0)
    begin(bench)
    delete(bench)
    assert fire(bench) == []
    assert (find(bench), made(bench)) == (None, [])
