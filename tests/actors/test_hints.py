"""Hints: who is told of which writes (rule 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from actorq.actors import messages as m
from actorq.actors.hints import Hints, read_news
from actorq.core import dependence, lifecycle
from actorq.core.job import DependentJob, Job, NewJob, create
from actorq.core.policy import Policy
from actorq.core.queue import QueueStats
from actorq.core.results import Claimed, Enqueued, Page, Settled, Sweep
from actorq.core.retry import Failure
from actorq.core.transitions import Status
from actorq.errors import NotFound
from actorq.testing.clock import START_US
from tests.actors.lanes import World

if TYPE_CHECKING:
    from collections.abc import Sequence

PENDING = create(NewJob(id="p", queue_name="q", payload=""), START_US)
DELAYED = create(NewJob(id="d", queue_name="q", payload="", delay=5.0), START_US)
RUNNING = lifecycle.claim(PENDING, "t", "w", 30.0, START_US)
ENDED = lifecycle.ack(RUNNING, None, START_US)
RETRIED = lifecycle.fail(RUNNING, Failure(retry_in=7.0), START_US)
EXPIRED = lifecycle.expire(RUNNING, Policy(), START_US)
STATS = QueueStats(name="q", counts=dict.fromkeys(Status, 0))

READY = m.JobsReady(frozenset({"q"}))
ROOM = m.RoomMade(frozenset({"q"}))


async def told(*results: object, stirred: Sequence[Job] = ()) -> list[object]:
    """Return all hints that ``results`` and ``stirred`` gave, in the order of their receivers."""
    world = World()
    boxes = (world.dispatcher, world.scheduler, world.reaper, world.watcher)
    hints = Hints(
        dispatcher=world.dispatcher,
        scheduler=world.scheduler,
        reaper=world.reaper,
        watcher=world.watcher,
    )
    hints.tell(read_news(results, stirred))
    found: list[object] = []
    for box in boxes:
        box.close()
        found += await box.take(99)
    return found


def changed(*jobs: Job) -> m.JobsChanged:
    """Make the hint that these were written."""
    return m.JobsChanged(tuple(job.id for job in jobs))


@pytest.mark.parametrize(
    ("result", "hints"),
    [
        (Enqueued(PENDING), [READY, changed(PENDING)]),
        (Enqueued(DELAYED), [m.DueWithin(5.0), changed(DELAYED)]),
        (Claimed((RUNNING,)), [m.DueWithin(30.0), changed(RUNNING)]),
        (Settled(ENDED), [ROOM, changed(ENDED)]),
        (Settled(RETRIED), [ROOM, m.DueWithin(7.0), changed(RETRIED)]),
        (Settled(EXPIRED), [READY, changed(EXPIRED)]),
        (Sweep((EXPIRED,)), [READY, changed(EXPIRED)]),
        (Sweep(()), []),
        (RUNNING, [m.DueWithin(30.0), changed(RUNNING)]),
        (STATS, [READY]),
        (Claimed(paused=True), []),
        (NotFound("x"), []),
        (Page((PENDING,)), []),
        (7, []),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_each_result_tells_whom_it_concerns(result: object, hints: list[object]) -> None:
    """Ready jobs, room, due times, ends of leases and changes each have their receiver."""
    assert await told(result) == hints


async def test_a_batch_gives_one_hint_to_each() -> None:
    """However many results, each receiver gets one message, with the earliest time (rule 8)."""
    sooner = create(NewJob(id="s", queue_name="other", payload="", delay=2.0), START_US)
    results = [Enqueued(PENDING), Settled(ENDED), Enqueued(DELAYED), Enqueued(sooner)]
    assert await told(*results) == [
        READY,
        m.DueWithin(2.0),
        changed(PENDING, ENDED, DELAYED, sooner),
    ]


def child(delay: float | None = None) -> Job:
    """Make a job of the queue ``then`` that waits for ``PENDING``."""
    new = DependentJob(id="c", queue_name="then", payload="", delay=delay, depends_on=(PENDING.id,))
    return dependence.create_child(new, [PENDING], START_US)


def told_of(waiting: Job, status: Status) -> Job:
    """Let a job hear that ``PENDING`` ended so."""
    after = dependence.parent_ended(waiting, PENDING.id, status, START_US)
    assert after is not None
    return after


async def test_a_job_that_waits_for_others_is_not_due() -> None:
    """Nobody is woken for a job without a due time; who watches it hears that it was made (rule 8)."""
    assert await told(Enqueued(child())) == [changed(child())]


async def test_children_are_news_as_results_are() -> None:
    """A child that may start, or is due at its own time, is told like any job, and so is its end (rule 8)."""
    freed = told_of(child(), Status.COMPLETED)
    early = told_of(child(delay=5.0), Status.COMPLETED)
    gone = told_of(child(), Status.CANCELLED)
    ready = m.JobsReady(frozenset({"then"}))
    acked = Settled(ENDED)
    assert await told(acked, stirred=[freed]) == [ready, ROOM, changed(freed, ENDED)]
    assert await told(acked, stirred=[early]) == [ROOM, m.DueWithin(5.0), changed(early, ENDED)]
    assert await told(acked, stirred=[gone]) == [ROOM, changed(gone, ENDED)]
    assert await told(7, stirred=[freed]) == [ready, changed(freed)]
