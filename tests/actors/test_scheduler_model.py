"""The scheduler by itself, over any course of events: never early, at once if it heard, and no spinning."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from actorq.actors import messages as m
from actorq.actors.mailbox import Reply
from actorq.actors.scheduler import Scheduler
from actorq.core.commands import Edit, ListJobs
from actorq.core.instants import to_us
from actorq.core.job import NewJob
from actorq.core.policy import Policy
from actorq.core.transitions import WAITING, Status
from tests.actors.stations import BEAT_S, Station, Troubled

if TYPE_CHECKING:
    from actorq.core.job import Job

seconds = st.sampled_from([0.0, 0.001, 0.3, 1.0, 1.9, 2.1, 7.5])
heard = st.sampled_from([True, True, False])


class Due(Troubled):
    """Jobs that become due, and lapse, on a store whose clock keeps to the scheduler's."""

    verbs = ("promote",)

    def __init__(self) -> None:
        super().__init__()
        self.station = Station(
            Policy(),
            lambda lane, alarm: Scheduler(lane=lane, alarm=alarm),
            lambda world: world.scheduler,
        )
        self.ids = count()
        self.told_at: dict[str, float | None] = {}
        """When the due time of a job was set without a hint; None if there was one."""
        self.reasons = 2
        """For how many rounds there is a reason, beside the beats: one and its rounding, each."""

    # ── what happens ────────────────────────────────────────────────────────────────────────────

    @rule(delay=seconds, expires_in=st.sampled_from([None, None, 0.2, 3.0]), is_heard=heard)
    def enqueue(self, delay: float, expires_in: float | None, is_heard: bool) -> None:
        job_id = f"{next(self.ids):06}"
        now = self.station.world.clock()
        expires_at = None if expires_in is None else now + to_us(expires_in)
        new = NewJob(id=job_id, queue_name="q", payload="", delay=delay, expires_at=expires_at)
        self.station.tell(m.EnqueueJobs((new,), Reply()), is_heard=is_heard)
        # Whoever waits is told by the claim that finds it lapsed: nobody hints at that.
        self._note(job_id, is_heard=is_heard and expires_in is None)

    @precondition(lambda self: bool(self.waiting()))
    @rule(data=st.data(), delay=seconds, is_heard=heard)
    def edit(self, data: st.DataObject, delay: float, is_heard: bool) -> None:
        job = data.draw(st.sampled_from(self.waiting()))
        self.station.tell(m.UpdateJobs((Edit(id=job.id, delay=delay),), Reply()), is_heard=is_heard)
        self._note(job.id, is_heard=is_heard and job.expires_at is None)

    def _note(self, job_id: str, *, is_heard: bool) -> None:
        self.told_at[job_id] = None if is_heard else self.station.now
        self.reasons += 4

    @rule(wait=seconds)
    def pass_time(self, wait: float) -> None:
        """Let time pass; then nothing lies there that was due, but for what may be excused."""
        self.station.pass_time(wait)
        for job in self.waiting():
            due = [job.available_at] if job.status is Status.DELAYED else []
            lapses = [] if job.expires_at is None else [job.expires_at]
            for instant in due + lapses:
                assert not self.station.is_late(instant, self.told_at[job.id]), job

    # ── what must hold ──────────────────────────────────────────────────────────────────────────

    def jobs(self) -> list[Job]:
        return list(self.station.world.backend.list_jobs(ListJobs(limit=200)).jobs)

    def waiting(self) -> list[Job]:
        return [job for job in self.jobs() if job.status in WAITING]

    def teardown(self) -> None:
        try:
            self.pass_time(BEAT_S)
            self.no_round_is_without_a_reason()
        finally:
            self.station.close()

    def no_round_is_without_a_reason(self) -> None:
        """Count the rounds: beats, what was due, and hints are reasons (rule 6)."""
        # Now and then it looks for ticks too, and promotes as it comes by.
        beats = self.station.now / BEAT_S + self.station.rounds(m.FireSchedules)
        assert self.station.rounds(m.PromoteDelayed) <= beats + self.reasons

    @invariant()
    def nothing_is_early(self) -> None:
        for job in self.jobs():
            if job.status is Status.PENDING:
                assert job.available_at <= job.updated_at


TestDue = Due.TestCase
TestDue.settings = settings(max_examples=80, stateful_step_count=30)
