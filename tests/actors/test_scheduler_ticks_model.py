"""The scheduler and its ticks: each makes one job, on time, whatever fails and whoever defined it (I19)."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from actorq.actors import messages as m
from actorq.actors.mailbox import Reply
from actorq.actors.scheduler import LOOK_EVERY_S, Scheduler
from actorq.core import schedule_intake
from actorq.core.commands import ListJobs
from actorq.core.instants import to_us
from actorq.core.policy import Policy
from actorq.core.schedule import CatchUp, NewSchedule, PutSchedule
from actorq.core.ticks import Timing
from actorq.testing.conformance.audit import list_all
from tests.actors.stations import BEAT_S, Station, Troubled

if TYPE_CHECKING:
    from actorq.core.schedule import Schedule

MOST: int = 3
"""How many schedules there are at most: their jobs are all read again and again."""

POLICY = Policy()
pauses = st.sampled_from([0.0, 0.4, 1.0, 2.1, 11.0, 30.0])
intervals = st.sampled_from([1.5, 4.0, 25.0, 60.0])
heard = st.booleans()


class Ticks(Troubled):
    """Schedules with an interval, on a store whose clock keeps to the scheduler's; all is caught up."""

    verbs = ("promote", "fire", "fire")

    def __init__(self) -> None:
        super().__init__()
        self.station = Station(
            POLICY,
            lambda lane, alarm: Scheduler(lane=lane, alarm=alarm),
            lambda world: world.scheduler,
        )
        self.names = count()
        self.told_at: dict[str, float | None] = {}
        """When a schedule was defined without a hint; None if there was one."""

    # ── what happens ────────────────────────────────────────────────────────────────────────────

    @precondition(lambda self: len(self.told_at) < MOST)
    @rule(every=intervals, is_heard=heard)
    def define(self, every: float, is_heard: bool) -> None:
        name = f"schedule-{next(self.names)}"
        new = NewSchedule(
            name=name,
            job=schedule_intake.new_job("q", "x", POLICY),
            timing=Timing(every=every),
            catch_up=CatchUp.ALL,
        )
        wish = m.ChangeSchedules((PutSchedule(new=new),), Reply())
        self.station.tell(wish, is_heard=is_heard)
        self.told_at[name] = None if is_heard else self.station.now

    @rule(wait=pauses)
    def pass_time(self, wait: float) -> None:
        """Let time pass; then each tick that has come has its one job, and no other has."""
        self.station.pass_time(wait)
        now = self.station.world.clock()
        made = self.made()
        for schedule in self.schedules():
            ticks = made.pop(schedule.name, [])
            assert len(ticks) == len(set(ticks))
            every = to_us(schedule.timing.every or 0.0)
            missed = set(range(schedule.anchor + every, now + 1, every)) - set(ticks)
            told_at = self.told_at[schedule.name]
            late = [tick for tick in missed if self.station.is_late(tick, told_at, LOOK_EVERY_S)]
            assert not late
            assert all((tick - schedule.anchor) % every == 0 and tick <= now for tick in ticks)
        assert not made

    # ── what must hold ──────────────────────────────────────────────────────────────────────────

    def schedules(self) -> list[Schedule]:
        return self.station.world.backend.list_schedules("", MOST)

    def made(self) -> dict[str, list[int]]:
        """Return the ticks that have jobs, by schedule."""
        made: dict[str, list[int]] = {}
        for job in list_all(self.station.world.backend, ListJobs(limit=200)):
            assert job.schedule is not None
            assert job.tick is not None
            made.setdefault(job.schedule, []).append(job.tick)
        return made

    def teardown(self) -> None:
        try:
            self.pass_time(BEAT_S)
            self.no_round_is_without_a_reason()
        finally:
            self.station.close()

    def no_round_is_without_a_reason(self) -> None:
        """Count the rounds: a look now and then, ticks, and what failed are reasons (rule 6)."""
        ticks = sum(map(len, self.made().values()))
        looks = self.station.now / LOOK_EVERY_S + len(self.told_at) + self.failures + 1
        assert self.station.rounds(m.FireSchedules) <= looks + 2 * ticks


TestTicks = Ticks.TestCase
TestTicks.settings = settings(max_examples=60, stateful_step_count=20)
