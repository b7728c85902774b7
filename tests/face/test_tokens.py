"""Who is shown a lease's token, and who is not (contract §1, §4)."""

from __future__ import annotations

import anyio
import pytest

import actorq


def token_of(job: actorq.Job | None) -> str:
    """Return the token that a running job shows."""
    assert job is not None
    assert job.lease is not None
    assert job.lease.worker_id == "w"
    return job.lease.token


async def test_a_token_is_its_holder_s_own() -> None:
    """Whoever looks at a running job sees its lease, and an empty token (§1)."""
    async with actorq.open_queue("memory://") as queue:
        await queue.enqueue("q", "x", dedupe_key="k")
        held = await queue.dequeue("q", worker_id="w")
        assert held is not None
        assert token_of(held)
        (listed,) = (await queue.list_jobs(actorq.ListJobs(queue_name="q"))).jobs
        (bare,) = await queue.extend_many([actorq.Extend(held.id)])
        (told,) = await queue.report_many([actorq.Report(held.id, None, "1")])
        assert isinstance(bare, actorq.Job)
        assert isinstance(told, actorq.Job)
        onlookers = [
            await queue.get_job(held.id),
            await queue.wait_for_change(held.id, 0, 1.0),
            await queue.enqueue("q", "again", dedupe_key="k"),
            await queue.cancel(held.id),
            listed,
            bare,
            told,
        ]
        assert [token_of(job) for job in onlookers] == [""] * len(onlookers)


async def test_its_holder_is_shown_the_token_again() -> None:
    """Who shows the token gets it back with the renewed lease (§4)."""
    async with actorq.open_queue("memory://") as queue:
        await queue.enqueue("q", "x")
        held = await queue.dequeue("q", worker_id="w")
        assert held is not None
        token = token_of(held)
        assert token_of(await queue.extend(held)) == token
        assert token_of(await queue.report(held, {"done": 1})) == token


async def test_a_job_that_was_only_looked_at_cannot_be_settled() -> None:
    """The record of an onlooker does not stand for the lease: the holder still has it (§4, I6)."""
    async with actorq.open_queue("memory://") as queue:
        await queue.enqueue("q", "x")
        held = await queue.dequeue("q", worker_id="w")
        assert held is not None
        seen = await queue.get_job(held.id)
        for verb in (queue.ack, queue.fail, queue.release, queue.extend):
            with pytest.raises(actorq.LeaseLost):
                await verb(seen)
        assert (await queue.ack(held)).status is actorq.Status.COMPLETED


async def test_a_wait_for_a_change_shows_no_token() -> None:
    """Also whoever waited for the claim itself sees only whose it is (§1)."""
    async with actorq.open_queue("memory://") as queue, anyio.create_task_group() as tasks:
        job = await queue.enqueue("q", "x")
        tasks.start_soon(queue.dequeue_many, "q", 1)
        changed = await queue.wait_for_change(job.id, job.version, 10.0)
        assert changed is not None
        assert changed.lease is not None
        assert changed.lease.token == ""
