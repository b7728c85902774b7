"""The lease manager of one queue, called by hand."""

from __future__ import annotations

from itertools import count

import pytest

from actorq.actors import messages as m
from actorq.actors.lease_manager import IDLE_BEATS, MAX_CLAIM, UNUSED_BEATS, LeaseManager
from actorq.actors.mailbox import Mailbox, Reply
from actorq.core.commands import Ack, Release
from actorq.core.job import NewJob
from actorq.core.queue import QueueEdit
from actorq.core.results import Claimed
from actorq.errors import BackendUnavailable, InternalError
from tests.actors.lanes import DirectLane, World


class Bench:
    """A lease manager of the queue ``q`` with everything around it."""

    def __init__(self) -> None:
        self.world = World()
        self.lane = DirectLane(self.world.lane())
        self.returner: Mailbox[m.ReturnerMessage] = Mailbox(100)
        self.retired = 0
        tokens = count(1)
        self.manager = LeaseManager(
            "q",
            lane=self.lane,
            returner=self.returner,
            mint_token=lambda: f"token-{next(tokens)}",
            retire=self._retire,
        )

    def _retire(self) -> bool:
        self.retired += 1
        return True

    def enqueue(self, *ids: str, priority: int = 0) -> None:
        """Put jobs into the store."""
        new = [NewJob(id=i, queue_name="q", payload="", priority=priority) for i in ids]
        self.world.backend.enqueue(new)


def consumer(slots: int = 1, *, wait: bool = True, worker: str = "w") -> m.Dequeue:
    """Make a consumer."""
    return m.Dequeue("q", worker, slots, None, wait, Reply())


def taken(request: m.Dequeue) -> list[str]:
    """Return the ids that a consumer was given, failing if it was not answered."""
    answer = request.reply.value
    assert answer is not None
    return [job.id for job in answer.jobs]


async def test_waiting_consumers_are_served_in_one_claim() -> None:
    """Consumers that wait together are matched by one claim, in order of arrival (rule 3)."""
    bench = Bench()
    bench.enqueue("a", "b", "c")
    first, second = consumer(2), consumer(1)

    await bench.manager.handle([first, second])

    assert taken(first) == ["a", "b"]
    assert taken(second) == ["c"]
    assert len(bench.lane.told) == 1


async def test_a_patient_consumer_waits_for_a_hint() -> None:
    """A consumer that finds nothing stays, and the next hint gives it the job."""
    bench = Bench()
    patient = consumer()
    await bench.manager.handle([patient])
    assert not patient.reply.settled
    assert patient.reply.interim == Claimed()

    bench.enqueue("a")
    await bench.manager.handle([m.JobsReady(frozenset({"q"}))])

    assert taken(patient) == ["a"]


async def test_a_lost_hint_costs_a_beat_and_no_job() -> None:
    """Without any hint, the next beat finds the job (rule 8)."""
    bench = Bench()
    patient = consumer()
    await bench.manager.handle([patient])
    bench.enqueue("a")

    await bench.manager.handle([m.Beat()])

    assert taken(patient) == ["a"]


async def test_an_impatient_consumer_is_answered_after_one_look() -> None:
    """Without a wait the answer comes at once, though it be empty."""
    bench = Bench()
    patient, impatient = consumer(), consumer(wait=False)

    await bench.manager.handle([patient, impatient])

    assert taken(impatient) == []
    assert not patient.reply.settled


async def test_an_abandoned_consumer_gets_no_lease() -> None:
    """A consumer that has left is forgotten before the claim (contract §9)."""
    bench = Bench()
    bench.enqueue("a")
    gone, here = consumer(), consumer()
    gone.reply.abandoned = True

    await bench.manager.handle([gone, here])

    assert taken(here) == ["a"]
    assert not gone.reply.settled


async def test_a_job_for_a_consumer_that_left_meanwhile_is_handed_back() -> None:
    """A lease never goes into the void: the returner gets to release it (§9)."""
    bench = Bench()
    bench.enqueue("a")
    request = consumer()

    def leave() -> None:
        request.reply.abandoned = True

    bench.lane.before = leave
    await bench.manager.handle([request])

    assert request.reply.value is None
    assert await bench.returner.take(9) == [m.HandBack((Release("a", "token-1"),))]


async def test_a_paused_queue_says_so() -> None:
    """A consumer of a paused queue is told of the pause (contract §8)."""
    bench = Bench()
    bench.enqueue("a")
    bench.world.backend.update_queue([QueueEdit(queue_name="q", paused=True)])
    patient, impatient = consumer(), consumer(wait=False)

    await bench.manager.handle([patient, impatient])

    assert impatient.reply.value == Claimed(paused=True)
    assert patient.reply.interim == Claimed(paused=True)


async def test_a_store_that_is_away_is_told_to_all_who_wait() -> None:
    """Waiting consumers learn at once that the store is away, and may come again."""
    bench = Bench()
    bench.world.trouble.away = True
    requests = [consumer(), consumer(wait=False)]

    await bench.manager.handle(requests)

    for request in requests:
        with pytest.raises(BackendUnavailable):
            await request.reply.get()


async def test_what_a_lost_claim_may_have_taken_is_left_to_the_returner() -> None:
    """Of a claim whose answer cannot be had, the tokens are looked up later (rule 2)."""
    bench = Bench()
    bench.enqueue("a")
    bench.world.trouble.lose["dequeue"] = 1
    bench.world.trouble.refuse["find_claims"] = 1
    request = consumer(2)

    await bench.manager.handle([request])

    with pytest.raises(BackendUnavailable):
        await request.reply.get()
    assert await bench.returner.take(9) == [m.ClaimsInDoubt(("token-1", "token-2"))]


async def test_one_claim_that_the_store_will_not_take_does_not_cost_the_others_theirs() -> None:
    """Only the consumer with the bad claim gets an error; its neighbours get their jobs (rule 1)."""
    bench = Bench()
    bench.enqueue("a", "b", "c")
    bench.world.trouble.poison = "poison"
    first, bad, last = consumer(), consumer(worker="poison"), consumer(2)

    await bench.manager.handle([first, bad, last])

    assert (taken(first), taken(last)) == (["a"], ["b", "c"])
    with pytest.raises(InternalError):
        await bad.reply.get()
    assert len(bench.world.crashes) == 1


async def test_a_consumer_that_was_answered_elsewhere_gets_no_lease() -> None:
    """A reply that a crash of the dispatcher has failed takes no job: it is handed back (rule 5)."""
    bench = Bench()
    bench.enqueue("a")
    early, late = consumer(), consumer()
    early.reply.fail(InternalError("crashed"))

    def crash() -> None:
        late.reply.fail(InternalError("crashed"))

    bench.lane.before = crash
    await bench.manager.handle([early])
    assert bench.lane.told == []
    await bench.manager.handle([late])

    assert await bench.returner.take(9) == [m.HandBack((Release("a", "token-1"),))]


async def test_an_end_of_a_lease_is_news_only_at_the_bound_of_running_jobs() -> None:
    """With ``max_running`` reached, a settled job wakes the next consumer; otherwise it does not."""
    bench = Bench()
    bench.enqueue("a", "b")
    waiting = consumer()
    room = m.RoomMade(frozenset({"q"}))
    bench.world.backend.update_queue([QueueEdit(queue_name="q", max_running=1)])
    await bench.manager.handle([consumer(2)])
    await bench.manager.handle([waiting])
    assert not waiting.reply.settled

    bench.world.backend.ack([Ack("a")])
    await bench.manager.handle([room])
    assert taken(waiting) == ["b"]

    bench.world.backend.update_queue([QueueEdit(queue_name="q", max_running=None)])
    await bench.manager.handle([consumer()])
    asked = len(bench.lane.told)
    await bench.manager.handle([room])
    assert len(bench.lane.told) == asked


async def test_drain_answers_everybody_at_once() -> None:
    """A server that goes away answers its waiting consumers, and those that still come."""
    bench = Bench()
    waiting, late = consumer(), consumer()
    await bench.manager.handle([waiting])
    await bench.manager.handle([m.Drain()])
    bench.enqueue("a")
    await bench.manager.handle([late])

    assert taken(waiting) == taken(late) == []


async def test_stop_answers_whoever_waits() -> None:
    """A lease manager that is stopped leaves nobody waiting."""
    bench = Bench()
    waiting = consumer()
    await bench.manager.handle([waiting])

    await bench.manager.stop()

    assert taken(waiting) == []


async def test_an_idle_manager_lets_itself_be_let_go() -> None:
    """After a while without consumers the manager retires; a consumer starts the count anew."""
    bench = Bench()
    bench.enqueue("a")
    await bench.manager.handle([consumer()])
    for _ in range(IDLE_BEATS - 1):
        await bench.manager.handle([m.Beat()])
    await bench.manager.handle([consumer(wait=False)])
    for _ in range(IDLE_BEATS - 1):
        await bench.manager.handle([m.Beat()])
    assert bench.retired == 0

    await bench.manager.handle([m.Beat()])

    assert bench.retired == 1


async def test_a_manager_that_never_had_a_job_is_let_go_soon() -> None:
    """Asking for queues that do not exist leaves nothing behind for long (I18)."""
    bench = Bench()
    await bench.manager.handle([consumer(wait=False)])

    for _ in range(UNUSED_BEATS):
        await bench.manager.handle([m.Beat()])

    assert bench.retired == 1


async def test_those_who_found_nothing_keep_their_place() -> None:
    """More free places than one claim takes: who came first is still the first to get a job."""
    bench = Bench()
    first, second = consumer(MAX_CLAIM - 1), consumer(2)
    await bench.manager.handle([first, second])
    bench.enqueue("a")

    await bench.manager.handle([m.JobsReady(frozenset({"q"}))])

    assert taken(first) == ["a"]
    assert not second.reply.settled


async def test_who_left_during_the_first_claim_is_not_claimed_for_in_the_second() -> None:
    """Between two rounds the manager looks again who is still there (rule 5)."""
    bench = Bench()
    bench.enqueue("a", "b")
    first, second = consumer(MAX_CLAIM), consumer()

    def leave() -> None:
        second.reply.abandoned = True

    bench.lane.before = leave
    bench.world.backend.update_queue([QueueEdit(queue_name="q", max_running=1)])
    await bench.manager.handle([first, second])

    assert taken(first) == ["a"]
    assert len(bench.lane.told) == 1
    assert bench.returner.close_if_empty()
