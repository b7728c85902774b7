"""A planner: defines a schedule once, and insists until it is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from actorq.core.instants import SECOND_US, to_us
from actorq.core.schedule import CatchUp
from actorq.errors import InvalidInput, ScheduleExists
from actorq.testing.invariants import events as e
from actorq.testing.simulation.caller import IN_DOUBT, NOT_DONE, Caller

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from actorq.core.job import Job
    from actorq.core.schedule import Schedule
    from actorq.face import JobQueue
    from actorq.testing.simulation.server import Server
    from actorq.testing.simulation.world import World

NAME: Final = "hourly"
"""The schedule's; an hour is short in here."""

PAYLOAD: Final = "it is time"


class Planner(Caller):
    """Wants jobs to be made every so often, for the first seconds of the world."""

    def __init__(self, world: World, name: str, servers: Sequence[Server]) -> None:
        """Draw from the world's choices."""
        super().__init__(world, name, servers)
        choices = world.choices
        self._queue = choices.pick(f"{name} queue", world.profile.queues)
        self._every = choices.pick(f"{name} every", (1.0, 2.0))
        self._lasts = choices.pick(f"{name} lasts", (4.0, 8.0))
        words = (CatchUp.ALL, CatchUp.LAST, CatchUp.NONE)
        self._catch_up = choices.pick(f"{name} catches up", words)

    async def live(self) -> None:
        """Define the schedule, until it is known to be there."""
        ends_at = self.world.now() + to_us(self._lasts)

        async def define(queue: JobQueue) -> Schedule:
            new = queue.new_schedule(
                NAME,
                self._queue,
                PAYLOAD,
                every=self._every,
                ends_at=ends_at,
                catch_up=self._catch_up,
            )
            return await queue.put_schedule(new, must_be_new=True)

        while True:
            try:
                await self.ask(define)
            except (*IN_DOUBT, *NOT_DONE):
                await self.rest()
            except (ScheduleExists, InvalidInput):
                # It is there already; or its time was over before a server could be reached.
                return
            else:
                return


def ticked(at: float, actor: str, jobs: Sequence[Job]) -> Iterator[e.Ticked]:
    """Tell which of ``jobs`` a schedule made, and for which of its ticks."""
    for job in jobs:
        if job.schedule is not None and job.tick is not None:
            tick = str(job.tick)
            yield e.Ticked(at=at, actor=actor, schedule=job.schedule, tick=tick, job_id=job.id)


def ticks_due(at: float, actor: str, schedule: Schedule) -> Iterator[e.TickDue]:
    """Tell which ticks of a schedule that catches up with all of them must have made a job."""
    every, ends_at = schedule.timing.every, schedule.timing.ends_at
    if schedule.catch_up is not CatchUp.ALL or every is None or ends_at is None:
        return
    step = round(every * SECOND_US)
    for tick in range(schedule.anchor + step, ends_at + 1, step):
        yield e.TickDue(at=at, actor=actor, schedule=schedule.name, tick=str(tick))
