"""Faults to order: what a queue does when its store is away, refuses, loses answers or is slow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from actorq import BackendUnavailable, Status

if TYPE_CHECKING:
    from actorq.testing.queue_kit import QueueUnderTest


async def test_a_store_that_is_away(queue: QueueUnderTest) -> None:
    """Nothing reaches it, callers are told, and afterwards all is as before (§10)."""
    job = await queue.enqueue("mail", "x")
    with queue.faults.store_away():
        assert queue.faults.is_away
        with pytest.raises(BackendUnavailable, match="as the test wants it"):
            await queue.enqueue("mail", "y")
        queue.assert_enqueued("mail", payload="x")
    assert [one.id for one in queue.jobs()] == [job.id]
    assert await queue.dequeue("mail", wait=5.0) is not None


async def test_an_answer_that_is_lost(queue: QueueUnderTest) -> None:
    """What is harmless to repeat is repeated, and took effect once; else the outcome is unknown (§10)."""
    queue.faults.lose_answer("enqueue")
    await queue.enqueue("mail", "x")
    assert len(queue.jobs()) == 1
    assert queue.faults.calls.count("enqueue") == 2
    queue.faults.lose_answer("ack", times=2)
    job = await queue.dequeue("mail")
    assert job is not None
    with pytest.raises(BackendUnavailable):
        await queue.ack(job)
    assert queue.jobs()[0].status is Status.COMPLETED
    assert (await queue.ack(job)).status is Status.COMPLETED


async def test_a_call_that_is_refused(queue: QueueUnderTest) -> None:
    """It has not taken effect; what is repeated succeeds (§10)."""
    queue.faults.refuse("enqueue")
    await queue.enqueue("mail", "x")
    queue.faults.refuse("enqueue", times=2)
    with pytest.raises(BackendUnavailable, match="refused"):
        await queue.enqueue("mail", "y")
    assert [job.payload for job in queue.jobs()] == ["x"]


async def test_a_slow_store(queue: QueueUnderTest) -> None:
    """Its answers come late, for the verbs that are named or for all (§10)."""
    begin = queue.now()
    with queue.faults.slow(3.0, "enqueue"):
        await queue.enqueue("mail", "x")
        assert (queue.now() - begin).total_seconds() == 3.0
        assert await queue.get_queue_length("mail") == 1
        assert (queue.now() - begin).total_seconds() == 3.0
    await queue.enqueue("mail", "x")
    assert (queue.now() - begin).total_seconds() == 3.0
    with queue.faults.slow(60.0), pytest.raises(BackendUnavailable):
        await queue.enqueue("mail", "x")
