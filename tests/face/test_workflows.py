"""Jobs that wait for others, as an embedding program asks for them (contract §2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import actorq
from actorq import Enqueued, InvalidInput, OnParentFailure, Outcome, Status, Workflow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actorq import Job, JobQueue, NewJob

NOBODY = "018f0000-0000-7000-8000-000000000001"


async def make(queue: JobQueue, *jobs: NewJob) -> list[Enqueued]:
    """Enqueue a batch, all of which must be taken."""
    answers = await queue.enqueue_many(jobs)
    taken = [answer for answer in answers if isinstance(answer, Enqueued)]
    assert len(taken) == len(jobs), answers
    return taken


async def finish(queue: JobQueue, name: str) -> Job:
    """Claim the next job of a queue, which must be there, and complete it."""
    job = await queue.dequeue(name)
    assert job is not None
    return await queue.ack(job)


def known(job: Job) -> Workflow:
    """Return what a job knows of others."""
    assert job.workflow is not None
    return job.workflow


async def test_a_job_waits_for_a_job() -> None:
    """It is given out when the job that it depends on, named by itself or its id, has ended (§2)."""
    async with actorq.open_queue("memory://") as queue:
        parent = await queue.enqueue("first", "x")
        other = await queue.enqueue("first", "y")
        child = await queue.enqueue("then", "z", depends_on=[parent, other.id])
        assert (child.status, child.waits_for_others) == (Status.DELAYED, True)
        assert known(child).waiting_for == (parent.id, other.id)
        assert known(await queue.get_job(parent.id)).dependents == (child.id,)
        await finish(queue, "first")
        assert await queue.dequeue("then") is None
        await finish(queue, "first")
        assert (await finish(queue, "then")).id == child.id


async def test_a_batch_may_hold_a_whole_family() -> None:
    """Jobs made beforehand name each other in one batch: a chain, and a group with a last one (§2)."""
    async with actorq.open_queue("memory://") as queue:
        first = queue.new_job("work", "first")
        group = [queue.new_job("work", f"part {n}", depends_on=[first]) for n in range(3)]
        last = queue.new_job("work", "last", depends_on=group, priority=9)
        assert sorted([first.id, *(job.id for job in group), last.id]) == [
            first.id,
            *(job.id for job in group),
            last.id,
        ]
        made = await make(queue, first, *group, last)
        assert [answer.job.status for answer in made] == [Status.PENDING] + [Status.DELAYED] * 4
        order = [(await finish(queue, "work")).payload for _ in made]
        assert order == ["first", "part 0", "part 1", "part 2", "last"]


@pytest.mark.parametrize(
    ("policy", "status"), [("cancel", Status.CANCELLED), (OnParentFailure.RUN, Status.PENDING)]
)
async def test_the_policy_is_the_caller_s(policy: OnParentFailure, status: Status) -> None:
    """A parent that ends dead cancels its child, or lets it run, as was asked (§2)."""
    async with actorq.open_queue("memory://") as queue:
        parent = await queue.enqueue("first", "x")
        child = await queue.enqueue("then", "y", depends_on=[parent], on_parent_failure=policy)
        taken = await queue.dequeue("first")
        assert taken is not None
        await queue.fail(taken, reason="no", retryable=False)
        assert (await queue.get_job(child.id)).status is status


async def test_a_parent_must_be_there() -> None:
    """A job that depends on one that nobody made is refused, and spares the rest of its batch (§1)."""
    async with actorq.open_queue("memory://") as queue:
        with pytest.raises(InvalidInput) as caught:
            await queue.enqueue("q", "x", depends_on=[NOBODY])
        assert caught.value.pointer == "/depends_on/0"
        never = queue.new_job("q", "never enqueued")
        orphan = queue.new_job("q", "x", depends_on=[never])
        refused, taken = await queue.enqueue_many([orphan, queue.new_job("q", "y")])
        assert isinstance(refused, InvalidInput)
        assert isinstance(taken, Enqueued)
        assert await queue.get_queue_length("q") == 1


async def test_a_child_before_its_parent_is_refused() -> None:
    """A job may depend on those before it in a batch, not on those behind it (rule 1)."""
    async with actorq.open_queue("memory://") as queue:
        parent = queue.new_job("q", "parent")
        refused, taken = await queue.enqueue_many(
            [queue.new_job("q", "child", depends_on=[parent]), parent]
        )
        assert isinstance(refused, InvalidInput)
        assert isinstance(taken, Enqueued)


def family(queue: JobQueue, run: str) -> Sequence[NewJob]:
    """Make a small workflow whose requests have keys."""
    first = queue.new_job("work", "first", idempotency_key=f"{run}/first")
    second = queue.new_job("work", "2", depends_on=[first], idempotency_key=f"{run}/2")
    last = queue.new_job("work", "3", depends_on=[first, second], idempotency_key=f"{run}/3")
    return first, second, last


async def test_a_family_asked_for_twice_is_one() -> None:
    """A program that makes its workflow anew after a crash, under the same keys, finds it (§6, I11)."""
    async with actorq.open_queue("memory://") as queue:
        made = await make(queue, *family(queue, "monday"))
        again = await make(queue, *family(queue, "monday"))
        assert [answer.job.id for answer in again] == [answer.job.id for answer in made]
        assert all(answer.replayed for answer in again)
        other = await make(queue, *family(queue, "tuesday"))
        assert not any(answer.replayed for answer in other)
        assert (await queue.get_queue_length("work")) == 2


async def test_a_child_of_a_duplicate_waits_for_the_holder() -> None:
    """What stands for a parent, as it holds the dedupe key, is what the child waits for (§6)."""
    async with actorq.open_queue("memory://") as queue:
        holder = await queue.enqueue("work", "x", dedupe_key="k")
        parent = queue.new_job("work", "y", dedupe_key="k")
        child = queue.new_job("work", "z", depends_on=[parent])
        met, made = await make(queue, parent, child)
        assert (met.job.id, met.outcome) == (holder.id, Outcome.DUPLICATE)
        assert known(made.job).depends_on == (holder.id,)
