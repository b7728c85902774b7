"""Planted: a tick and its job that are not one step (I19)."""

from __future__ import annotations

from msgspec.structs import replace

from actorq.backends.memory.enqueues import enqueue
from actorq.core import firing
from actorq.core.results import Sweep
from actorq.testing.simulation.store import Engine


class JobBeforeItsTick(Engine):
    """Make the jobs of ticks that have come, and note a moment later that they are made."""

    def fire_schedules(self, limit: int) -> Sweep:
        with self.data as now:
            made = firing.plan(self.data.timetable.due(now, limit), now, limit)
            answers = enqueue(self.data, made.jobs, now)
        if answers:
            self.step()
        with self.data:
            for after in made.settle(answers):
                self.data.put_schedule(after.name, after)
        return replace(Sweep(), next_in=0.5)


class TickBeforeItsJob(Engine):
    """Note that the jobs of ticks that have come are made, and make them a moment later."""

    def fire_schedules(self, limit: int) -> Sweep:
        with self.data as now:
            made = firing.plan(self.data.timetable.due(now, limit), now, limit)
            for after in made.settle([None for _ in made.jobs]):
                self.data.put_schedule(after.name, after)
        if made.jobs:
            self.step()
        with self.data as now:
            enqueue(self.data, made.jobs, now)
        return replace(Sweep(), next_in=0.5)
