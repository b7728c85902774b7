"""The lease manager under everything at once: consumers come and leave, jobs come, the store fails."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from actorq.actors import messages as m
from actorq.actors.lease_manager import LeaseManager
from actorq.actors.mailbox import Mailbox, Reply
from actorq.actors.returner import Returner
from actorq.core.commands import Ack, ListJobs
from actorq.core.job import NewJob
from actorq.core.queue import QueueEdit
from actorq.core.results import Claimed
from actorq.core.transitions import Status
from tests.actors.driving import drive
from tests.actors.lanes import DirectLane, World

if TYPE_CHECKING:
    from actorq.core.job import Job

RUNNING = ListJobs(statuses=frozenset({Status.RUNNING}), limit=200)


heard = st.sampled_from([True, True, True, False])
"""Hints may be lost, and most are not."""


class Waiters(RuleBasedStateMachine):
    """A manager with its lane and a returner; what one turn is to handle gathers in ``inbox``."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.lane = DirectLane(self.world.lane())
        self.returns: Mailbox[m.ReturnerMessage] = Mailbox(10_000)
        self.returner = Returner(lane=self.lane)
        tokens, self.ids = count(), count()
        self.manager = LeaseManager(
            "q",
            lane=self.lane,
            returner=self.returns,
            mint_token=lambda: f"token-{next(tokens):06}",
            retire=lambda: True,
        )
        self.inbox: list[m.LeaseManagerMessage] = []
        self.bound: int | None = None
        self.is_calm = self.is_paused = False
        self.has_missed_news = False
        """Whether something happened of which the manager was told nothing."""
        self.consumers: list[m.Dequeue] = []

    @initialize(is_calm=st.booleans())
    def begin(self, is_calm: bool) -> None:
        """Choose the kind of run: only where little goes wrong does much depend on the hints."""
        self.is_calm = is_calm

    # ── what happens ────────────────────────────────────────────────────────────────────────────

    @rule(slots=st.integers(1, 3), wait=st.booleans())
    def come(self, slots: int, wait: bool) -> None:
        consumer = m.Dequeue("q", f"w{len(self.consumers)}", slots, None, wait, Reply())
        self.consumers.append(consumer)
        self.inbox.append(consumer)

    @rule(many=st.integers(1, 4), priority=st.integers(-1, 1), is_heard=heard)
    def enqueue(self, many: int, priority: int, is_heard: bool) -> None:
        new = [
            NewJob(id=f"{next(self.ids):06}", queue_name="q", payload="", priority=priority)
            for _ in range(many)
        ]
        self.world.backend.enqueue(new)
        self.tell(m.JobsReady(frozenset({"q"})), is_heard=is_heard)

    @rule(bound=st.sampled_from([None, 1, 2]), is_heard=heard)
    def bind(self, bound: int | None, is_heard: bool) -> None:
        """Have an operator say how many jobs may run at once."""
        self.bound = bound
        self.world.backend.update_queue([QueueEdit(queue_name="q", max_running=bound)])
        self.tell(m.JobsReady(frozenset({"q"})), is_heard=is_heard)

    @precondition(lambda self: bool(self.waiting()))
    @rule(data=st.data(), at_the_last_moment=st.booleans())
    def leave(self, data: st.DataObject, at_the_last_moment: bool) -> None:
        """Let a consumer go, now or while the next claim is under way."""
        consumer = data.draw(st.sampled_from(self.waiting()))

        def abandon() -> None:
            # What a caller does that is cancelled: an answer that came is handed back by its face.
            if not consumer.reply.settled:
                consumer.reply.abandoned = True

        if at_the_last_moment:
            # What it is given goes back behind the manager's back: that makes room.
            self.has_missed_news = True
            self.lane.before = abandon
        else:
            abandon()

    @precondition(lambda self: not self.is_calm)
    @rule(
        verb=st.sampled_from(["dequeue", "dequeue", "find_claims", "release"]), lost=st.booleans()
    )
    def trouble(self, verb: str, lost: bool) -> None:
        """Let the next call of a verb fail, after its effect or before."""
        (self.world.trouble.lose if lost else self.world.trouble.refuse)[verb] = 1
        self.has_missed_news = True

    @precondition(lambda self: not self.is_calm)
    @rule()
    def turn_while_the_store_is_away(self) -> None:
        self.world.trouble.away = True
        self.turn(beat=True)
        self.world.trouble.away = False

    @precondition(lambda self: not self.is_calm)
    @rule()
    def turn_while_the_queue_is_paused(self) -> None:
        self.is_paused = True
        self.world.backend.update_queue([QueueEdit(queue_name="q", paused=True)])
        self.turn(beat=True)
        self.world.backend.update_queue([QueueEdit(queue_name="q", paused=False)])
        self.is_paused = False

    @precondition(lambda self: bool(self.held()))
    @rule(data=st.data(), is_heard=heard)
    def ack(self, data: st.DataObject, is_heard: bool) -> None:
        job = data.draw(st.sampled_from(self.held()))
        assert job.lease is not None
        self.world.backend.ack([Ack(job.id, job.lease.token)])
        self.tell(m.RoomMade(frozenset({"q"})), is_heard=is_heard)

    @rule(data=st.data())
    def ack_at_rest(self, data: st.DataObject) -> None:
        """Let the end of a lease be all the news there is."""
        self.turn(beat=False)
        if self.held():
            self.ack(data, is_heard=True)
            self.turn(beat=False)

    @rule(beat=st.booleans())
    def turn(self, beat: bool) -> None:
        """Let the manager handle what has gathered, and the returner what it was left."""
        batch, self.inbox = self.inbox, []
        if beat:
            batch.append(m.Beat())
            self.has_missed_news = self.is_troubled()
        if batch:
            drive(self.manager.handle(batch))
        if not self.has_missed_news and not self.is_troubled():
            self.nobody_waits_for_nothing()

    def tell(self, hint: m.LeaseManagerMessage, *, is_heard: bool) -> None:
        """Leave a hint, or lose it."""
        if is_heard:
            self.inbox.append(hint)
        else:
            self.has_missed_news = True

    def is_troubled(self) -> bool:
        """Tell whether the next claim may go wrong, or gives out nothing."""
        trouble = self.world.trouble
        is_failing = trouble.away or trouble.refuse["dequeue"] or trouble.lose["dequeue"]
        return bool(is_failing or self.is_paused)

    def nobody_waits_for_nothing(self) -> None:
        """Check that hints alone were enough: with a job and room for it, nobody waits (rule 8)."""
        (length,) = self.world.backend.get_queue_length(["q"])
        is_full = self.bound is not None and length.running >= self.bound
        assert not length.pending or not self.waiting() or is_full

    @rule()
    def mend(self) -> None:
        """After the faults: whoever waits is served, and no lease is left in the void (I17, §9)."""
        self.world.trouble.lose.clear()
        self.world.trouble.refuse.clear()
        self.lane.before = None
        self.turn(beat=True)
        returned = [*self.returns.abandon(), m.Beat()]
        self.returns.open = True
        drive(self.returner.handle(returned))
        held = {job.id for job in self.held()}
        assert {job.id for job in self.world.backend.list_jobs(RUNNING).jobs} <= held
        self.turn(beat=True)
        self.nobody_waits_for_nothing()

    def teardown(self) -> None:
        """In the end the server goes away: whoever waits, or still comes, is answered at once (§9)."""
        self.mend()
        waited = self.waiting()
        self.inbox.append(m.Drain())
        asked = self.world.trouble.count("dequeue")
        for _ in range(2):
            self.come(slots=1, wait=True)
            self.turn(beat=True)
        assert all(c.reply.value == Claimed() for c in [*waited, *self.consumers[-2:]])
        assert self.world.trouble.count("dequeue") == asked

    # ── what must hold ──────────────────────────────────────────────────────────────────────────

    def waiting(self) -> list[m.Dequeue]:
        """Return the consumers which still wait."""
        return [c for c in self.consumers if not (c.reply.settled or c.reply.abandoned)]

    def held(self) -> list[Job]:
        """Return the jobs that consumers got, those which they have not settled since."""
        got = [job for c in self.consumers if c.reply.value for job in c.reply.value.jobs]
        now = self.world.backend.get_job([job.id for job in got])
        return [job for job, read in zip(got, now, strict=True) if read and read.lease == job.lease]

    @invariant()
    def nobody_gets_more_than_asked_for(self) -> None:
        for consumer in self.consumers:
            answer = consumer.reply.value
            assert answer is None or len(answer.jobs) <= consumer.slots

    @invariant()
    def every_lease_is_given_to_one_consumer(self) -> None:
        given = [
            (job.id, job.lease and job.lease.token)
            for consumer in self.consumers
            if consumer.reply.value is not None
            for job in consumer.reply.value.jobs
        ]
        assert len(given) == len(set(given))

    @invariant()
    def first_come_first_served(self) -> None:
        """No consumer waits while a later one that the manager has met got jobs (rule 3)."""
        met = [c for c in self.consumers if c not in self.inbox]
        waiting = [place for place, c in enumerate(met) if c in self.waiting()]
        served = [place for place, c in enumerate(met) if c.reply.value and c.reply.value.jobs]
        assert not waiting or not served or max(served) < min(waiting)


TestWaiters = Waiters.TestCase
TestWaiters.settings = settings(max_examples=200, stateful_step_count=60)
