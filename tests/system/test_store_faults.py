"""A store that fails under a running system: told, survived, and nothing lost (contract §10)."""

from __future__ import annotations

import anyio
import pytest

import actorq
from actorq import Ack, BackendUnavailable, InternalError, Job, Status
from actorq.backends.memory import MemoryStore
from actorq.core.job import Delivery
from actorq.core.policy import Policy
from actorq.runtime import BEAT_S, Options, running
from tests.system.house import House, open_house
from tests.unreliable import UnreliableStore


async def take(house: House, *, wait: float = 0.0, visibility_timeout: float = 30.0) -> Job:
    """Take a job that must be there."""
    job = await house.queue.dequeue("q", wait=wait, visibility_timeout=visibility_timeout)
    assert job is not None
    return job


async def test_a_store_that_is_away_comes_back_without_a_restart() -> None:
    """Every caller is told; when it is back, everything goes on by itself (I17, fault C14)."""
    async with open_house() as house:
        queue = house.queue
        job = await queue.enqueue("q", "x")
        late = await queue.enqueue("q", "later", delay=20)
        held = await take(house, visibility_timeout=5)
        house.trouble.away = True
        for call in (
            lambda: queue.enqueue("q", "y"),
            lambda: queue.dequeue("q"),
            lambda: queue.dequeue("q", wait=5),
            lambda: queue.ack(held),
            lambda: queue.extend(held),
            lambda: queue.get_job(job.id),
            lambda: queue.wait_for_change(job.id, 0, 5),
            lambda: queue.list_queues(),
            lambda: queue.check(),
            lambda: queue.purge("q", frozenset({Status.DEAD})),
        ):
            with pytest.raises(BackendUnavailable):
                await call()
        await anyio.sleep(60)

        house.trouble.away = False
        await anyio.sleep(BEAT_S + 0.1)
        again = await take(house)
        assert (again.id, again.expiries) == (job.id, 1)
        assert (await take(house)).id == late.id
        with pytest.raises(actorq.LeaseLost):
            await queue.ack(held)
        await house.balance(*house.jobs(Status.RUNNING))


async def test_a_store_that_is_away_is_not_hammered() -> None:
    """The actors come back at their beat, and do not spin (rule 6)."""
    async with open_house() as house:
        await house.queue.enqueue("q", "x", delay=5)
        await house.queue.dequeue("q", visibility_timeout=1)
        house.trouble.away = True
        house.trouble.attempts = 0
        await anyio.sleep(60)
        assert house.trouble.attempts <= 2 * 60 / BEAT_S + 5


@pytest.mark.parametrize("fate", ["lose", "refuse"])
async def test_every_verb_survives_a_broken_connection(fate: str) -> None:
    """One answer or one call lost: what can be repeated is, what cannot is told (rule 2)."""
    async with open_house() as house:
        queue, trouble = house.queue, house.trouble

        def break_once(verb: str) -> None:
            (trouble.lose if fate == "lose" else trouble.refuse)[verb] = 1

        break_once("enqueue")
        job = await queue.enqueue("q", "x", idempotency_key="i")
        assert len(house.jobs()) == 1
        break_once("get_job")
        assert (await queue.get_job(job.id)).id == job.id
        held = await take(house)
        break_once("extend")
        await queue.extend(held)
        break_once("report")
        await queue.report(held, 0.5)
        break_once("release")
        await queue.release(held)
        held = await take(house)
        break_once("fail")
        assert (await queue.fail(held, retry_in=0)).retry_count == 1
        held = await take(house, wait=5)
        break_once("ack")
        assert (await queue.ack(held)).status is Status.COMPLETED
        break_once("cancel")
        other = await queue.enqueue("q", "y")
        break_once("cancel")
        assert (await queue.cancel(other.id)).status is Status.CANCELLED
        for verb in ("list_jobs", "list_queues", "length", "check"):
            break_once(verb)
        assert len((await queue.list_jobs(actorq.ListJobs())).jobs) == 2
        assert len(await queue.list_queues()) == 1
        assert await queue.get_queue_length("q") == 0
        await queue.check()
        assert house.job(job.id).interruptions == 1
        await house.balance()


async def test_an_answer_to_a_claim_that_was_lost_is_delivered() -> None:
    """The consumer gets what its claim took, once (rule 2, I4, I5)."""
    async with open_house() as house:
        await house.queue.enqueue("q", "x", delivery=Delivery.AT_MOST_ONCE)
        house.trouble.lose["dequeue"] = 1
        job = await take(house, wait=5)
        assert (job.attempt, house.trouble.count("dequeue")) == (1, 1)
        await house.queue.ack(job)
        await house.balance()


async def test_a_claim_that_cannot_even_be_looked_up_ends_no_job() -> None:
    """An at-most-once job whose claim's answer is lost for good goes out again, not to its end (I4)."""
    async with open_house() as house:
        made = await house.queue.enqueue("q", "x", delivery=Delivery.AT_MOST_ONCE)
        house.trouble.lose["dequeue"] = 1
        house.trouble.refuse["find_claims"] = 3
        with pytest.raises(BackendUnavailable):
            await house.queue.dequeue("q", wait=5)
        assert house.job(made.id).status is Status.RUNNING
        job = await take(house, wait=10)
        assert (job.id, job.attempt, job.interruptions) == (made.id, 2, 1)
        await house.queue.ack(job)
        await house.balance()


async def test_a_waiting_consumer_survives_nothing_silently() -> None:
    """Who waits while the store breaks is told at once, and may come again (I17)."""
    async with open_house() as house:
        told: list[float] = []

        async def wait() -> None:
            with pytest.raises(BackendUnavailable):
                await house.queue.dequeue("q", wait=60)
            told.append(anyio.current_time())
            job = await house.queue.dequeue("q", wait=60)
            assert job is not None
            await house.queue.ack(job)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(wait)
            await anyio.sleep(10.5)
            house.trouble.refuse["dequeue"] = 1
            house.trouble.refuse["find_claims"] = 1
            await anyio.sleep(BEAT_S)
            assert len(told) == 1
            await house.queue.enqueue("q", "x")
        await house.balance()


async def test_an_edit_with_an_unknown_outcome_is_not_repeated() -> None:
    """It would judge its own effect: the caller is told that the outcome is unknown (rule 2)."""
    async with open_house() as house:
        job = await house.queue.enqueue("q", "x")
        house.trouble.lose["update_job"] = 1
        with pytest.raises(BackendUnavailable):
            await house.queue.update_job(actorq.Edit(id=job.id, priority=1, version=1))
        assert house.job(job.id).version == 2
        held = await take(house)
        house.trouble.lose["ack"] = 1
        with pytest.raises(BackendUnavailable):
            await house.queue.ack(job.id)
        with pytest.raises(actorq.NotLeased):
            await house.queue.ack(job.id)
        assert (await house.queue.ack(held)).status is Status.COMPLETED
        await house.balance()


async def test_only_the_bad_item_of_a_batch_fails() -> None:
    """What one item does to a store is its caller's trouble alone, and logged once (rule 1)."""
    async with open_house(may_crash=True) as house:
        house.trouble.poison = "poison"
        outcomes: dict[str, str] = {}

        async def enqueue(payload: str) -> None:
            try:
                await house.queue.enqueue("q", payload)
                outcomes[payload] = "made"
            except InternalError:
                outcomes[payload] = "failed"

        async with anyio.create_task_group() as tasks:
            for payload in ("a", "b", "poison", "c"):
                tasks.start_soon(enqueue, payload)
        assert outcomes == {"a": "made", "b": "made", "poison": "failed", "c": "made"}
        assert house.crashes == ["EnqueueJobs: the store will not take this"]

        jobs = [house.queue.new_job("q", payload) for payload in ("d", "poison", "e")]
        results = await house.queue.enqueue_many(jobs)
        kinds = [type(result).__name__ for result in results]
        assert kinds == ["Enqueued", "InternalError", "Enqueued"]
        house.trouble.poison = None
        await house.balance()


async def test_refusals_in_bulk_are_values() -> None:
    """One item that is refused does not touch its neighbours (rule 1)."""
    async with open_house() as house:
        for number in range(2):
            await house.queue.enqueue("q", str(number))
        claimed = await house.queue.dequeue_many("q", 2)
        first, second = claimed.jobs
        assert first.lease is not None
        items = [Ack(first.id, first.lease.token), Ack("nobody", "t"), Ack(second.id, "wrong")]
        results = await house.queue.ack_many(items)
        assert [type(r).__name__ for r in results] == ["Settled", "NotFound", "LeaseLost"]
        await house.balance(second)


async def test_a_store_that_cannot_be_opened_says_so() -> None:
    """Nothing is started, the error is the store's own, and what it holds is let go."""
    crashes: list[str] = []
    store = UnreliableStore(MemoryStore(Policy(), lambda: 0))
    store.trouble.away = True
    with pytest.raises(BackendUnavailable):
        async with running(
            store, Options(), lambda actor, error: crashes.append(f"{actor}: {error}")
        ):
            pytest.fail("it opened")
    assert store.closed == 1
    assert crashes == []
