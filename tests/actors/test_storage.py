"""The storage lane: batches, failures, repeats."""

from __future__ import annotations

import pytest

from actorq.actors import messages as m
from actorq.actors.mailbox import Reply
from actorq.actors.storage import MAX_ITEMS
from actorq.core.commands import Ack, Claim
from actorq.core.job import NewJob
from actorq.core.results import Claimed, Enqueued, Outcome, Settled
from actorq.core.transitions import Status
from actorq.errors import BackendUnavailable, InternalError
from tests.actors.lanes import World


def new(job_id: str, payload: str = "") -> NewJob:
    """Make a job of the queue ``q``."""
    return NewJob(id=job_id, queue_name="q", payload=payload)


def enqueue(*ids: str) -> m.EnqueueJobs:
    """Make a request for these jobs."""
    return m.EnqueueJobs(tuple(new(i) for i in ids), Reply())


def claim(*tokens: str) -> m.ClaimJobs:
    """Make a claim under these tokens."""
    return m.ClaimJobs((Claim(queue_name="q", worker_id="w", tokens=tokens),), Reply())


async def test_requests_of_one_verb_travel_together_and_get_their_own_answers() -> None:
    """All enqueues of a turn are one call, and each caller gets its own results (I16)."""
    world = World()
    first, second = enqueue("a", "b"), enqueue("c")

    await world.lane().handle([first, second])

    assert world.trouble.calls == [("enqueue", 3)]
    assert [r.job.id for r in await first.reply.get() if isinstance(r, Enqueued)] == ["a", "b"]
    assert [r.job.id for r in await second.reply.get() if isinstance(r, Enqueued)] == ["c"]


async def test_settlements_go_before_enqueues_before_claims() -> None:
    """Within one turn what frees room goes first, and claims find what came with them."""
    world = World()
    lane = world.lane()
    taking = claim("t1")
    await lane.handle([enqueue("a")])
    await lane.handle([taking])
    acking = m.AckJobs((Ack("a", "t1"),), Reply())
    again = claim("t2")

    await lane.handle([again, enqueue("b"), acking])

    (claimed,) = await again.reply.get()
    assert isinstance(claimed, Claimed)
    assert [job.id for job in claimed.jobs] == ["b"]
    (settled,) = await acking.reply.get()
    assert isinstance(settled, Settled)
    assert settled.job.status is Status.COMPLETED


async def test_an_abandoned_claim_is_not_made() -> None:
    """Nobody is given a lease who does not wait for it any more."""
    world = World()
    lane = world.lane()
    await lane.handle([enqueue("a")])
    gone = claim("t1")
    gone.reply.abandoned = True

    await lane.handle([gone])

    (job,) = world.backend.get_job(["a"])
    assert job is not None
    assert job.status is Status.PENDING


async def test_an_enqueue_with_a_lost_answer_is_repeated_and_makes_one_job() -> None:
    """The id was minted before the write, so a repeat finds its own job (rule 2, I11)."""
    world = World()
    world.trouble.lose["enqueue"] = 1
    request = enqueue("a")

    await world.lane().handle([request])

    (result,) = await request.reply.get()
    assert isinstance(result, Enqueued)
    assert result.outcome is Outcome.CREATED
    assert world.trouble.sizes("enqueue") == [1, 1]
    assert world.backend.get_queue_length(["q"])[0].pending == 1


async def test_a_claim_with_a_lost_answer_is_looked_up_and_delivered() -> None:
    """The lane asks what its lost claim took, instead of claiming twice (rule 2, I4)."""
    world = World()
    lane = world.lane()
    await lane.handle([enqueue("a", "b", "c")])
    world.trouble.lose["dequeue"] = 1
    request = claim("t1", "t2")

    await lane.handle([request])

    (claimed,) = await request.reply.get()
    assert isinstance(claimed, Claimed)
    assert [(job.id, job.attempt) for job in claimed.jobs] == [("a", 1), ("b", 1)]
    assert world.backend.get_queue_length(["q"])[0].pending == 1


async def test_a_claim_that_never_took_effect_comes_back_empty() -> None:
    """A claim that the store refused took nothing: the consumer gets an empty answer."""
    world = World()
    lane = world.lane()
    await lane.handle([enqueue("a")])
    world.trouble.refuse["dequeue"] = 1
    request = claim("t1")

    await lane.handle([request])

    assert await request.reply.get() == [Claimed()]


async def test_a_bare_settlement_with_an_unknown_outcome_is_not_repeated() -> None:
    """Without a token a repeat could meet the next holder's lease: the caller is told instead."""
    world = World()
    lane = world.lane()
    await lane.handle([enqueue("a", "b")])
    await lane.handle([claim("t1", "t2")])
    world.trouble.lose["ack"] = 1
    bare, tokened = m.AckJobs((Ack("a"),), Reply()), m.AckJobs((Ack("b", "t2"),), Reply())

    await lane.handle([bare, tokened])

    with pytest.raises(BackendUnavailable):
        await bare.reply.get()
    (settled,) = await tokened.reply.get()
    assert isinstance(settled, Settled)
    assert settled.repeated


async def test_only_the_item_fails_that_the_store_will_not_take() -> None:
    """One poisonous item of a batch does not take its neighbours along (rule 1)."""
    world = World()
    world.trouble.poison = "poison"
    good = enqueue("a")
    bad = m.EnqueueJobs((new("b", "poison"),), Reply())

    await world.lane().handle([good, bad])

    (result,) = await good.reply.get()
    assert isinstance(result, Enqueued)
    with pytest.raises(InternalError):
        await bad.reply.get()
    assert world.crashes == [("EnqueueJobs", "the store will not take this")]


async def test_writes_tell_who_should_look() -> None:
    """Ready jobs wake the dispatcher, due times the scheduler, leases the reaper (rule 8)."""
    world = World()
    lane = world.lane()
    delayed = m.EnqueueJobs((NewJob(id="d", queue_name="q", payload="", delay=5.0),), Reply())
    await lane.handle([enqueue("a"), delayed])
    await lane.handle([claim("t1")])

    assert await world.dispatcher.take(9) == [m.JobsReady(frozenset({"q"}))]
    assert await world.scheduler.take(9) == [m.DueWithin(5.0)]
    assert await world.reaper.take(9) == [m.DueWithin(30.0)]
    assert await world.watcher.take(9) == [m.JobsChanged(("a", "d")), m.JobsChanged(("a",))]


async def test_a_long_line_of_bulk_travels_in_calls_of_a_bearable_size() -> None:
    """Requests are cut between each other, never in two, and each gets its own answers (rule 3)."""
    world = World()
    many = [enqueue(*(f"{n}-{i}" for i in range(900))) for n in range(5)]
    large = enqueue(*(f"large-{i}" for i in range(MAX_ITEMS + 1)))

    await world.lane().handle([*many, large, enqueue("last")])

    assert world.trouble.sizes("enqueue") == [1_800, 1_800, 900, MAX_ITEMS + 1, 1]
    for number, request in enumerate(many):
        results = await request.reply.get()
        assert len(results) == 900
        assert isinstance(results[0], Enqueued)
        assert results[0].job.id == f"{number}-0"


async def test_an_empty_request_is_answered() -> None:
    """Nothing asked for is nothing done, and no call to the store."""
    world = World()
    nothing = enqueue()

    await world.lane().handle([nothing])

    assert await nothing.reply.get() == []
    assert world.trouble.calls == []


async def test_a_read_fails_as_a_whole() -> None:
    """Plain values are promised to a reader: an error is raised, not mixed in."""
    world = World()
    world.trouble.away = True
    reading: m.GetJobs = m.GetJobs(("a", "b"), Reply())

    await world.lane().handle([reading])

    with pytest.raises(BackendUnavailable):
        await reading.reply.get()


async def test_stopping_lets_the_connection_go() -> None:
    """A lane that is stopped leaves no connection behind (I18)."""
    world = World()
    lane = world.lane()
    await lane.handle([enqueue("a")])
    assert world.trouble.connections == 1

    await lane.stop()
    await lane.stop()

    assert world.trouble.connections == 0
