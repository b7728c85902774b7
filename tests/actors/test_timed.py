"""Scheduler, reaper and timekeeper, called by hand: what they ask of the store, and when they come again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import pytest
from trio.testing import MockClock

from actorq.actors import messages as m
from actorq.actors.actor import Alarm
from actorq.actors.reaper import PRUNE_LIMIT, Reaper
from actorq.actors.scheduler import PROMOTE_LIMIT, Scheduler
from actorq.actors.timekeeper import LONGEST_US, Timekeeper
from actorq.core.commands import Ack, Claim
from actorq.core.job import NewJob
from actorq.core.policy import Policy, Retention
from actorq.core.transitions import Status
from tests.actors.lanes import DirectLane, World

if TYPE_CHECKING:
    from collections.abc import Callable

BEAT_S = 2.0

virtual = pytest.mark.parametrize(
    "anyio_backend", [("trio", {"clock": MockClock(autojump_threshold=0)})], ids=["virtual"]
)
"""Run a test on trio, with a clock that jumps to the next timer."""


class Bells:
    """An alarm whose rings are written down with their time."""

    def __init__(self) -> None:
        self.rings: list[float] = []
        self.start = anyio.current_time()
        self.alarm = Alarm(BEAT_S, self._ring)

    def _ring(self, beat: m.Beat) -> bool:
        del beat
        self.rings.append(round(anyio.current_time() - self.start, 3))
        return True

    async def next_ring(self) -> float:
        """Wait for the alarm's next ring, and return its time."""
        await self.alarm.ring()
        return round(anyio.current_time() - self.start, 3)


async def scheduler_of(world: World) -> tuple[Scheduler, Bells]:
    """Make a scheduler whose alarm has rung once, as it does at the start."""
    bells = Bells()
    await bells.next_ring()
    return Scheduler(lane=DirectLane(world.lane()), alarm=bells.alarm), bells


async def reaper_of(world: World) -> tuple[Reaper, Bells]:
    """Make a reaper in the same way."""
    bells = Bells()
    await bells.next_ring()
    return Reaper(lane=DirectLane(world.lane()), alarm=bells.alarm), bells


def job(job_id: str, delay: float | None = None) -> NewJob:
    """Make a job of the queue ``q``."""
    return NewJob(id=job_id, queue_name="q", payload="", delay=delay)


@virtual
async def test_the_scheduler_comes_when_the_next_job_is_due() -> None:
    """It sleeps until the time that the store told it, not on a tick (rule 6, I9)."""
    world = World()
    world.backend.enqueue([job("a", delay=0.25)])
    scheduler, bells = await scheduler_of(world)
    await scheduler.handle([m.Beat()])
    assert await bells.next_ring() == 0.25
    world.clock.advance(0.25)
    await scheduler.handle([m.Beat()])
    (found,) = world.backend.get_job(["a"])
    assert found is not None
    assert found.status is Status.PENDING
    assert await bells.next_ring() == 0.25 + BEAT_S


@virtual
async def test_the_scheduler_hears_of_something_due_earlier() -> None:
    """A hint brings the next look forward, and asks the store nothing (rule 8)."""
    world = World()
    scheduler, bells = await scheduler_of(world)
    await scheduler.handle([m.DueWithin(1.5), m.DueWithin(0.5), m.DueWithin(60.0)])
    assert world.trouble.calls == []
    assert await bells.next_ring() == 0.5


@virtual
async def test_a_million_due_at_once_are_moved_in_rounds() -> None:
    """Each round is bounded, and the next follows at once (fault B13)."""
    world = World()
    world.backend.enqueue([job(f"{n:05}", delay=1.0) for n in range(2 * PROMOTE_LIMIT + 1)])
    world.clock.advance(1.0)
    scheduler, bells = await scheduler_of(world)
    for left in (PROMOTE_LIMIT + 1, 1, 0):
        await scheduler.handle([m.Beat()])
        assert world.backend.get_queue_length(["q"])[0].delayed == left
        assert await bells.next_ring() == (0.0 if left else BEAT_S)


@virtual
@pytest.mark.parametrize("trouble", ["away", "poison"])
async def test_a_store_that_is_away_is_asked_again_at_the_beat(trouble: str) -> None:
    """Neither an outage nor a bug makes the scheduler or the reaper spin, crash or give up (I17)."""
    world = World()
    scheduler, bells = await scheduler_of(world)
    reaper, reaping = await reaper_of(world)
    if trouble == "away":
        world.trouble.away = True
    else:
        world.trouble.before = _explode
    await scheduler.handle([m.Beat(), m.Beat(), m.Beat()])
    await reaper.handle([m.Beat(), m.Beat()])
    assert await bells.next_ring() == BEAT_S
    assert await reaping.next_ring() == BEAT_S

    world.trouble.away, world.trouble.before = False, None
    world.backend.enqueue([job("a", delay=1.0)])
    world.clock.advance(1.0)
    await scheduler.handle([m.Beat()])
    assert world.backend.get_queue_length(["q"])[0].pending == 1


def _explode(verb: str) -> None:
    raise ValueError(verb)


@virtual
async def test_the_reaper_comes_when_the_next_lease_runs_out() -> None:
    """It sleeps until the end that the store told it, and ends the lease then (rule 6, §4)."""
    world = World()
    world.backend.enqueue([job("a")])
    claim = Claim(queue_name="q", worker_id="w", tokens=("t",), visibility_timeout=1.0)
    world.backend.dequeue([claim])
    reaper, bells = await reaper_of(world)
    await reaper.handle([m.Beat()])
    assert await bells.next_ring() == 1.0
    world.clock.advance(1.0)
    await reaper.handle([m.Beat()])
    (found,) = world.backend.get_job(["a"])
    assert found is not None
    assert (found.status, found.expiries) == (Status.PENDING, 1)


@virtual
async def test_the_reaper_hears_of_a_short_lease() -> None:
    """A claim's hint brings the next look forward (rule 8)."""
    reaper, bells = await reaper_of(World())
    await reaper.handle([m.DueWithin(1.0)])
    assert await bells.next_ring() == 1.0


@virtual
async def test_retention_lets_go_in_rounds_with_pauses() -> None:
    """Pruning is bounded a round, and goes on soon while more waits (fault G4)."""
    world = World(Policy(retention=Retention(completed=1.0)))
    many = PRUNE_LIMIT + 1
    world.backend.enqueue([job(f"{n:05}") for n in range(many)])
    tokens = tuple(f"t{n}" for n in range(many))
    world.backend.dequeue([Claim(queue_name="q", worker_id="w", tokens=tokens)])
    world.backend.ack([Ack(f"{n:05}") for n in range(many)])
    world.clock.advance(1.1)
    reaper, bells = await reaper_of(world)
    await reaper.handle([m.Beat()])
    assert world.backend.list_queues(["q"])[0].counts[Status.COMPLETED] == 1
    assert await bells.next_ring() == 0.05
    await reaper.handle([m.Beat()])
    assert world.backend.list_queues(["q"])[0].counts[Status.COMPLETED] == 0
    asked = world.trouble.count("prune")
    await bells.next_ring()
    await reaper.handle([m.Beat()])
    assert world.trouble.count("prune") == asked


class Measured:
    """A timekeeper whose own clock the test moves while the store is asked."""

    def __init__(self, offset_s: float) -> None:
        self.world = World()
        self.local = self.world.clock() - round(offset_s * 1e6)
        self.corrections: list[int] = []
        self.timekeeper = Timekeeper(
            lane=DirectLane(self.world.lane()),
            clock=lambda: self.local,
            correct=self.corrections.append,
        )

    def took(self, there_us: int, back_us: int) -> Callable[[str], None]:
        """Let the question take ``there_us`` to the store, and the answer ``back_us``."""

        def pass_time(verb: str) -> None:
            del verb
            self.world.clock.advance(there_us / 1e6)
            self.local += there_us + back_us

        return pass_time


async def test_the_offset_is_measured_from_the_middle() -> None:
    """The store read its clock half way, give or take: the error is half the round trip (§7)."""
    bench = Measured(offset_s=3_600.0)
    bench.world.trouble.before = bench.took(10_000, 10_000)
    await bench.timekeeper.handle([m.Beat(), m.Beat()])
    assert bench.corrections == [3_600_000_000]


async def test_a_store_that_took_too_long_is_not_believed() -> None:
    """A measure that may be wrong by more than 50 ms changes nothing (§7)."""
    bench = Measured(offset_s=1.0)
    bench.world.trouble.before = bench.took(LONGEST_US, 1)
    await bench.timekeeper.handle([m.Beat()])
    assert bench.corrections == []


@pytest.mark.parametrize("trouble", ["away", "poison"])
async def test_a_measure_that_fails_is_made_another_time(trouble: str) -> None:
    """Without an answer the last offset stays."""
    bench = Measured(offset_s=1.0)
    bench.world.trouble.away = trouble == "away"
    bench.world.trouble.before = _explode if trouble == "poison" else None
    await bench.timekeeper.handle([m.Beat()])
    assert bench.corrections == []
