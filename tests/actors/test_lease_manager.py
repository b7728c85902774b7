"""The lease manager of one queue, called by hand."""

from __future__ import annotations

from actorq.actors import messages as m
from actorq.actors.lease_manager import IDLE_BEATS, MAX_CLAIM, UNUSED_BEATS
from actorq.core.commands import Ack
from actorq.core.queue import QueueEdit
from actorq.core.results import Claimed
from tests.actors.managing import Bench, consumer, taken


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


async def test_a_paused_queue_says_so() -> None:
    """A consumer of a paused queue is told of the pause (contract §8)."""
    bench = Bench()
    bench.enqueue("a")
    bench.world.backend.update_queue([QueueEdit(queue_name="q", paused=True)])
    patient, impatient = consumer(), consumer(wait=False)

    await bench.manager.handle([patient, impatient])

    assert impatient.reply.value == Claimed(paused=True)
    assert patient.reply.interim == Claimed(paused=True)


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
