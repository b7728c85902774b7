"""Memory stores with a bug planted in their schedules: what the conformance suite must find."""

from __future__ import annotations

from threading import Barrier, BrokenBarrierError
from typing import TYPE_CHECKING

from msgspec.structs import replace

from actorq.backends.memory.connection import MemoryBackend
from actorq.backends.memory.enqueues import enqueue
from actorq.core import firing
from actorq.core.instants import SECOND_US
from actorq.core.results import Sweep
from actorq.core.schedule import DeclareSchedule, PauseSchedule, PutSchedule, Schedule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actorq.core.schedule import ScheduleChange
    from actorq.errors import ActorqError


class FireThenAdvance(MemoryBackend):
    """The job of a tick is made in one step, and the schedule advanced in the next."""

    _both = Barrier(2)

    def fire_schedules(self, limit: int) -> Sweep:
        with self._data as now:
            made = firing.plan(self._data.timetable.due(now, limit), now, limit)
            jobs = [replace(job, id=f"{id(self):08x}{job.id[8:]}") for job in made.jobs]
            answers = enqueue(self._data, jobs, now)
        if made.jobs:
            try:
                self._both.wait(0.05)
            except BrokenBarrierError:
                self._both.reset()
        with self._data:
            for after in made.settle(answers):
                self._data.put_schedule(after.name, after)
        return Sweep(tuple(one.job for one in firing.created(answers)), None)


class TickEarly(MemoryBackend):
    """Ticks fire by a clock that is a second ahead."""

    def fire_schedules(self, limit: int) -> Sweep:
        with self._data as now:
            later = now + SECOND_US
            made = firing.plan(self._data.timetable.due(later, limit), later, limit)
            answers = enqueue(self._data, made.jobs, now)
            for after in made.settle(answers):
                self._data.put_schedule(after.name, after)
        return Sweep(tuple(one.job for one in firing.created(answers)), None)


class TickIsAnEdit(MemoryBackend):
    """Each tick is a new version, so that an edit that was begun before it is refused."""

    def fire_schedules(self, limit: int) -> Sweep:
        sweep = super().fire_schedules(limit)
        with self._data:
            for name in {str(job.schedule) for job in sweep.jobs}:
                one = self._data.timetable.get(name)
                assert one is not None
                self._data.put_schedule(name, replace(one, version=one.version + 1))
        return sweep


class FullQueueSwallows(MemoryBackend):
    """A tick whose queue is full is gone."""

    def fire_schedules(self, limit: int) -> Sweep:
        with self._data as now:
            made = firing.plan(self._data.timetable.due(now, limit), now, limit)
            answers = enqueue(self._data, made.jobs, now)
            for after in made.settle([None] * len(answers)):
                self._data.put_schedule(after.name, after)
        return Sweep(tuple(one.job for one in firing.created(answers)), 1.0)


class AnyVersionWillDo(MemoryBackend):
    """An edit does not mind what happened since its version."""

    def change_schedules(self, changes: Sequence[ScheduleChange]) -> list[Schedule | ActorqError]:
        careless = [
            replace(wish, version=None) if isinstance(wish, PutSchedule) else wish
            for wish in changes
        ]
        return super().change_schedules(careless)


class StartUndoesEdits(MemoryBackend):
    """What the code says is put at each start."""

    def change_schedules(self, changes: Sequence[ScheduleChange]) -> list[Schedule | ActorqError]:
        put = [
            PutSchedule(new=wish.new) if isinstance(wish, DeclareSchedule) else wish
            for wish in changes
        ]
        return super().change_schedules(put)


class PauseMadeUpFor(MemoryBackend):
    """A schedule that goes on after a pause begins where it stopped."""

    _stopped_at: int | None = None

    def change_schedules(self, changes: Sequence[ScheduleChange]) -> list[Schedule | ActorqError]:
        (wish,) = changes
        before = self._data.timetable.get(wish.name)
        answers = super().change_schedules(changes)
        if isinstance(wish, PauseSchedule) and wish.paused and before is not None:
            self._stopped_at = before.next_tick
        elif isinstance(wish, PauseSchedule):
            with self._data:
                one = self._data.timetable.get(wish.name)
                assert one is not None
                self._data.put_schedule(wish.name, replace(one, next_tick=self._stopped_at))
        return answers
