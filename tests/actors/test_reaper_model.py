"""The reaper by itself, over any course of events: leases end in time, ended jobs go, nothing is early."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Final

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from actorq.actors import messages as m
from actorq.actors.mailbox import Reply
from actorq.actors.reaper import PRUNE_EVERY_S, Reaper
from actorq.core.commands import Ack, Claim, Extend, ListJobs
from actorq.core.instants import to_us
from actorq.core.job import NewJob
from actorq.core.policy import Policy, Retention
from actorq.core.transitions import ENDED, Status
from tests.actors.stations import BEAT_S, INSTANT_S, Station, Troubled

if TYPE_CHECKING:
    from actorq.core.job import Job

KEPT_S: Final = {Status.COMPLETED: 3.0, Status.DEAD: 30.0}
POLICY: Final = Policy(
    max_expiries=1,
    retention=Retention(completed=KEPT_S[Status.COMPLETED], dead=KEPT_S[Status.DEAD]),
)
LOOK_EVERY_S: Final = 0.25

seconds = st.sampled_from([1.0, 1.0, 1.2, 3.0, 7.0])
pauses = st.sampled_from([0.0, 0.3, 1.0, 2.1, 12.0])
heard = st.sampled_from([True, True, False])


class Held(Troubled):
    """Leases that are renewed, settled or forgotten, on a store whose clock keeps to the reaper's."""

    verbs = ("requeue", "prune")

    def __init__(self) -> None:
        super().__init__()
        self.station = Station(
            POLICY,
            lambda lane, alarm: Reaper(lane=lane, alarm=alarm),
            lambda world: world.reaper,
        )
        self.ids, self.tokens = count(), count()
        self.told_at: dict[str, float | None] = {}
        """When the lease of a job was set without a hint; None if there was one."""
        self.leases: dict[str, Job] = {}
        """What the test knows of leases that nobody has settled."""
        self.ended: dict[str, Job] = {}
        """What is kept until its time has come."""
        self.reasons = 2
        """For how many rounds there is a reason, beside the beats."""
        self.reasons_to_prune = 1

    # ── what happens ────────────────────────────────────────────────────────────────────────────

    @rule(visibility=seconds, is_heard=heard)
    def claim(self, visibility: float, is_heard: bool) -> None:
        job_id = f"{next(self.ids):06}"
        new = NewJob(id=job_id, queue_name=job_id, payload="")
        self.station.world.backend.enqueue([new])
        self._claim(job_id, visibility, is_heard=is_heard)

    def _claim(self, job_id: str, visibility: float, *, is_heard: bool) -> None:
        claim = Claim(
            queue_name=job_id,
            worker_id="w",
            tokens=(f"token-{next(self.tokens)}",),
            visibility_timeout=visibility,
        )
        self.station.tell(m.ClaimJobs((claim,), Reply()), is_heard=is_heard)
        self._note(job_id, is_heard=is_heard)

    def _note(self, job_id: str, *, is_heard: bool) -> None:
        job = self.job(job_id)
        assert job is not None
        assert job.lease is not None
        self.leases[job_id] = job
        self.told_at[job_id] = None if is_heard else self.station.now
        self.reasons += 4

    @precondition(lambda self: bool(self.leases))
    @rule(data=st.data(), visibility=seconds, is_heard=heard)
    def extend(self, data: st.DataObject, visibility: float, is_heard: bool) -> None:
        job_id = data.draw(st.sampled_from(sorted(self.leases)))
        extend = Extend(job_id, visibility_timeout=visibility)
        self.station.tell(m.ExtendLeases((extend,), Reply()), is_heard=is_heard)
        self._note(job_id, is_heard=is_heard)

    @precondition(lambda self: bool(self.leases))
    @rule(data=st.data())
    def ack(self, data: st.DataObject) -> None:
        job_id = data.draw(st.sampled_from(sorted(self.leases)))
        self.station.tell(m.AckJobs((Ack(job_id),), Reply()), is_heard=True)
        del self.leases[job_id]
        self._note_end(job_id)

    def _note_end(self, job_id: str) -> None:
        job = self.job(job_id)
        assert job is not None
        assert job.status in ENDED
        self.ended[job_id] = job
        self.reasons += 4
        self.reasons_to_prune += 2

    @rule(wait=pauses)
    def pass_time(self, wait: float) -> None:
        """Let time pass, and see again and again what was ended, and what was let go."""
        end = self.station.now + wait
        while self.station.now < end:
            self.station.pass_time(min(LOOK_EVERY_S, end - self.station.now))
            for job_id, known in list(self.leases.items()):
                self._look_at_lease(job_id, known)
            for job_id, known in list(self.ended.items()):
                self._look_at_end(job_id, known)

    def _look_at_lease(self, job_id: str, known: Job) -> None:
        """Check that a lease ended in time, and not before; give the job out again."""
        assert known.lease is not None
        until = known.lease.expires_at
        job = self.job(job_id)
        if job is not None and job.status is Status.RUNNING:
            assert not self.station.is_late(until, self.told_at[job_id]), job
            return
        assert until <= self.station.world.clock()
        del self.leases[job_id]
        if job is None:
            # Dead of its last expiry, and pruned since.
            assert known.expiries == POLICY.max_expiries
        elif job.status is Status.PENDING:
            assert job.expiries == known.expiries + 1
            self._claim(job_id, 1.0, is_heard=True)
        else:
            self._note_end(job_id)

    def _look_at_end(self, job_id: str, known: Job) -> None:
        """Check that an ended job is kept for its time, and is not kept for long after."""
        assert known.completed_at is not None
        let_go = known.completed_at + to_us(KEPT_S[known.status])
        if self.job(job_id) is None:
            assert let_go <= self.station.world.clock()
            del self.ended[job_id]
            return
        # Where a round of pruning failed, the next comes with the beat; a longer wait is its own rule.
        slowly = let_go + to_us(PRUNE_EVERY_S + INSTANT_S)
        assert not self.station.is_late(slowly, None), known

    # ── what must hold ──────────────────────────────────────────────────────────────────────────

    def job(self, job_id: str) -> Job | None:
        (job,) = self.station.world.backend.get_job([job_id])
        return job

    def teardown(self) -> None:
        try:
            self.pass_time(BEAT_S)
            self.no_round_is_without_a_reason()
        finally:
            self.station.close()

    def no_round_is_without_a_reason(self) -> None:
        """Count the rounds: beats, ends of leases, and what retention lets go are reasons (rule 6)."""
        rounds = self.station.rounds(m.RequeueExpired)
        prunes = self.station.rounds(m.PruneJobs)
        assert prunes <= self.station.now / PRUNE_EVERY_S + self.reasons_to_prune + self.failures
        assert rounds <= self.station.now / BEAT_S + self.reasons + prunes
        listed = self.station.world.backend.list_jobs(ListJobs(limit=200)).jobs
        assert {job.id for job in listed} == set(self.leases) | set(self.ended)


TestHeld = Held.TestCase
TestHeld.settings = settings(max_examples=80, stateful_step_count=30)
