"""The lease manager under everything at once: consumers come and leave, jobs come, the store fails."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from actorq.actors import messages as m
from actorq.actors.lease_manager import LeaseManager
from actorq.actors.mailbox import Mailbox, Reply
from actorq.actors.returner import Returner
from actorq.core.commands import Ack, ListJobs
from actorq.core.job import NewJob
from actorq.core.queue import QueueEdit
from actorq.core.transitions import Status
from tests.actors.lanes import DirectLane, World

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from actorq.core.job import Job

RUNNING = ListJobs(statuses=frozenset({Status.RUNNING}), limit=200)


def drive(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine that has nothing to wait for, without a loop."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    coroutine.close()
    raise AssertionError("it waits for something")


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
        self.consumers: list[m.Dequeue] = []

    # ── what happens ────────────────────────────────────────────────────────────────────────────

    @rule(slots=st.integers(1, 3), wait=st.booleans())
    def come(self, slots: int, wait: bool) -> None:
        consumer = m.Dequeue("q", f"w{len(self.consumers)}", slots, None, wait, Reply())
        self.consumers.append(consumer)
        self.inbox.append(consumer)

    @rule(many=st.integers(1, 4), priority=st.integers(-1, 1), is_heard=st.booleans())
    def enqueue(self, many: int, priority: int, is_heard: bool) -> None:
        new = [
            NewJob(id=f"{next(self.ids):06}", queue_name="q", payload="", priority=priority)
            for _ in range(many)
        ]
        self.world.backend.enqueue(new)
        if is_heard:
            self.inbox.append(m.JobsReady(frozenset({"q"})))

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
            self.lane.before = abandon
        else:
            abandon()

    @rule(
        verb=st.sampled_from(["dequeue", "dequeue", "find_claims", "release"]), lost=st.booleans()
    )
    def trouble(self, verb: str, lost: bool) -> None:
        """Let the next call of a verb fail, after its effect or before."""
        (self.world.trouble.lose if lost else self.world.trouble.refuse)[verb] = 1

    @rule()
    def turn_while_the_store_is_away(self) -> None:
        self.world.trouble.away = True
        self.turn(beat=True)
        self.world.trouble.away = False

    @rule()
    def turn_while_the_queue_is_paused(self) -> None:
        self.world.backend.update_queue([QueueEdit(queue_name="q", paused=True)])
        self.turn(beat=True)
        self.world.backend.update_queue([QueueEdit(queue_name="q", paused=False)])

    @precondition(lambda self: bool(self.held()))
    @rule(data=st.data())
    def ack(self, data: st.DataObject) -> None:
        job = data.draw(st.sampled_from(self.held()))
        assert job.lease is not None
        self.world.backend.ack([Ack(job.id, job.lease.token)])

    @rule(beat=st.booleans())
    def turn(self, beat: bool) -> None:
        """Let the manager handle what has gathered, and the returner what it was left."""
        batch, self.inbox = self.inbox, []
        if beat:
            batch.append(m.Beat())
        if batch:
            drive(self.manager.handle(batch))

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
        (length,) = self.world.backend.get_queue_length(["q"])
        assert not length.pending or not self.waiting()

    def teardown(self) -> None:
        self.mend()

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
TestWaiters.settings = settings(max_examples=250, stateful_step_count=60)
