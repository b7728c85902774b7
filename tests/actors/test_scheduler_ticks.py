"""The scheduler and schedules, called by hand: when it looks for ticks, and what it makes of troubles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import pytest
from trio.testing import MockClock

from actorq.actors import messages as m
from actorq.actors.mailbox import Reply
from actorq.actors.scheduler import FIRE_LIMIT, LOOK_EVERY_S, Scheduler
from actorq.actors.verbs import repeatable
from actorq.core.job import NewJob
from actorq.core.schedule import (
    CatchUp,
    DeclareSchedule,
    DeleteSchedule,
    NewSchedule,
    PauseSchedule,
    PutSchedule,
    Schedule,
)
from actorq.core.ticks import Timing
from actorq.errors import ActorqError, BackendUnavailable
from tests.actors.lanes import DirectLane, World
from tests.actors.test_timed import BEAT_S, Bells, job

if TYPE_CHECKING:
    from actorq.core.schedule import ScheduleChange

virtual = pytest.mark.parametrize(
    "anyio_backend", [("trio", {"clock": MockClock(autojump_threshold=0)})], ids=["virtual"]
)
"""Run a test on trio, with a clock that jumps to the next timer."""


def wanted(every: float, **fields: object) -> NewSchedule:
    """Describe a schedule of the queue ``q``."""
    plain = NewJob(id="", queue_name="q", payload="")
    return NewSchedule(name="s", job=plain, timing=Timing(every=every), **fields)  # type: ignore[arg-type]  # a test's own


async def scheduler_of(world: World) -> tuple[Scheduler, Bells]:
    """Make a scheduler whose alarm has rung once, as it does at the start."""
    bells = Bells()
    await bells.next_ring()
    return Scheduler(lane=DirectLane(world.lane()), alarm=bells.alarm), bells


@virtual
async def test_it_comes_when_the_next_tick_does() -> None:
    """It sleeps until the tick that the store told it, and fires it then (rule 6, I9)."""
    world = World()
    world.backend.change_schedules([PutSchedule(new=wanted(1.25))])
    scheduler, bells = await scheduler_of(world)
    await scheduler.handle([m.Beat()])
    assert await bells.next_ring() == 1.25
    world.clock.advance(1.25)
    await scheduler.handle([m.Beat()])
    assert world.backend.get_queue_length(["q"])[0].pending == 1
    assert await bells.next_ring() == 2.5


@virtual
async def test_beats_for_jobs_ask_for_no_ticks() -> None:
    """A crowd of delayed jobs has the store asked for ticks no more often than without it (rule 6)."""
    world = World()
    world.backend.enqueue([job(f"{n}", delay=0.1 * n) for n in range(20)])
    scheduler, bells = await scheduler_of(world)
    while (now := anyio.current_time() - bells.start) < 3 * LOOK_EVERY_S:
        await scheduler.handle([m.Beat()])
        rung = await bells.next_ring()
        world.clock.advance(rung - now)
    assert world.trouble.count("promote") > 30
    assert world.trouble.count("fire") <= 4


@virtual
async def test_a_hint_brings_the_look_forward() -> None:
    """A schedule that was just defined is fired in time, without a look before (rule 8)."""
    world = World()
    scheduler, bells = await scheduler_of(world)
    await scheduler.handle([m.Beat()])
    world.backend.change_schedules([PutSchedule(new=wanted(1.5))])
    await scheduler.handle([m.TickWithin(1.5), m.TickWithin(60.0)])
    assert world.trouble.count("fire") == 1
    assert await bells.next_ring() == 1.5
    world.clock.advance(1.5)
    await scheduler.handle([m.Beat()])
    assert world.backend.get_queue_length(["q"])[0].pending == 1


@virtual
async def test_ticks_that_were_missed_are_made_in_rounds() -> None:
    """Each round is bounded, and the next follows at once (fault B13)."""
    world = World()
    world.backend.change_schedules([PutSchedule(new=wanted(1.0, catch_up=CatchUp.ALL))])
    world.clock.advance(2.5 * FIRE_LIMIT)
    scheduler, bells = await scheduler_of(world)
    for made in (1.0, 2.0, 2.5):
        await scheduler.handle([m.Beat()])
        assert world.backend.get_queue_length(["q"])[0].pending == made * FIRE_LIMIT
        assert (await bells.next_ring() == 0.0) == (made < 2.5)


@virtual
async def test_a_store_that_is_away_is_asked_again_at_the_beat() -> None:
    """An outage costs no tick: the next beat fires what was due (I17, I19)."""
    world = World()
    world.backend.change_schedules([PutSchedule(new=wanted(1.0))])
    scheduler, bells = await scheduler_of(world)
    world.clock.advance(1.0)
    world.trouble.refuse["fire"] = 2
    await scheduler.handle([m.Beat()])
    assert await bells.next_ring() == BEAT_S
    await scheduler.handle([m.Beat()])
    assert world.backend.get_queue_length(["q"])[0].pending == 1


@virtual
async def test_a_bug_in_the_promotion_holds_up_no_tick() -> None:
    """What is wrong with jobs that are due need not be wrong with schedules (I17)."""
    world = World()
    world.backend.change_schedules([PutSchedule(new=wanted(1.0))])
    scheduler, _ = await scheduler_of(world)
    world.clock.advance(1.0)

    def explode(verb: str) -> None:
        if verb == "promote":
            raise ValueError(verb)

    world.trouble.before = explode
    await scheduler.handle([m.Beat()])
    assert world.backend.get_queue_length(["q"])[0].pending == 1


@virtual
async def test_a_lost_answer_makes_no_second_job() -> None:
    """A round whose answer is lost is repeated at once, and finds its tick fired (I19)."""
    world = World()
    world.backend.change_schedules([PutSchedule(new=wanted(10.0))])
    scheduler, _ = await scheduler_of(world)
    world.clock.advance(10.0)
    world.trouble.lose["fire"] = 1
    await scheduler.handle([m.Beat()])
    assert world.trouble.count("fire") == 2
    assert world.backend.get_queue_length(["q"])[0].pending == 1
    (found,) = world.backend.get_schedules(["s"])
    assert found is not None
    assert found.fired == 1


async def test_who_defines_a_schedule_tells_the_scheduler() -> None:
    """The lane hints when the tick of what was just written will come (rule 8)."""
    world = World()
    lane = world.lane()
    reply: Reply[list[Schedule | ActorqError]] = Reply()
    wishes: tuple[ScheduleChange, ...] = (PutSchedule(new=wanted(7.0)),)
    await lane.handle([m.ChangeSchedules(wishes, reply)])
    assert await world.scheduler.take(10) == [m.TickWithin(7.0)]
    paused: Reply[list[Schedule | ActorqError]] = Reply()
    await lane.handle([m.ChangeSchedules((PauseSchedule(name="s", paused=True),), paused)])
    world.scheduler.close()
    assert await world.scheduler.take(10) == []


async def test_jobs_of_ticks_wake_their_queue() -> None:
    """What a round makes is told to whoever waits at the queue (rule 8)."""
    world = World()
    world.backend.change_schedules([PutSchedule(new=wanted(1.0))])
    world.clock.advance(1.0)
    reply: Reply[object] = Reply()
    await world.lane().handle([m.FireSchedules(10, reply)])  # type: ignore[arg-type]  # any reply will do
    assert await world.dispatcher.take(10) == [m.JobsReady(frozenset({"q"}))]


@pytest.mark.parametrize(
    ("wish", "may_be_repeated"),
    [
        (PutSchedule(new=wanted(1.0), version=3), True),
        (PutSchedule(new=wanted(1.0)), False),
        (DeclareSchedule(new=wanted(1.0)), False),
        (PauseSchedule(name="s", paused=True), False),
        (DeleteSchedule(name="s"), False),
    ],
)
def test_what_may_be_repeated(wish: ScheduleChange, *, may_be_repeated: bool) -> None:
    """An edit of one version may be made twice; a copy of any other might undo somebody's (rule 2)."""
    assert repeatable(m.ChangeSchedules, wish) is may_be_repeated


async def test_a_lost_removal_is_not_repeated() -> None:
    """Whoever removes a schedule and gets no answer learns that the outcome is unknown (rule 2)."""
    world = World()
    world.backend.change_schedules([PutSchedule(new=wanted(1.0))])
    world.trouble.lose["change_schedules"] = 1
    reply: Reply[list[Schedule | ActorqError]] = Reply()
    await world.lane().handle([m.ChangeSchedules((DeleteSchedule(name="s"),), reply)])
    with pytest.raises(BackendUnavailable):
        await reply.get()
    assert world.trouble.count("change_schedules") == 1
