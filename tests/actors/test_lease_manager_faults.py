"""The lease manager when consumers leave and the store fails: nothing goes into the void."""

from __future__ import annotations

import pytest

from actorq.actors import messages as m
from actorq.actors.lease_manager import MAX_CLAIM
from actorq.core.commands import Release
from actorq.core.queue import QueueEdit
from actorq.errors import BackendUnavailable, InternalError
from tests.actors.managing import Bench, consumer, taken


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
