"""Jobs that wait for others in a running system: whole batches, many lanes, long lines (contract §2)."""

from __future__ import annotations

import random

import anyio
import pytest

import actorq
from actorq import Enqueued, NewJob, Status
from actorq.actors.storage import MAX_ITEMS
from actorq.core.transitions import ENDED
from actorq.runtime import Options
from tests.system.house import House, open_house

SEEDS = range(5)


async def enqueue(house: House, jobs: list[NewJob]) -> None:
    """Enqueue a batch, all of which must be taken."""
    answers = await house.queue.enqueue_many(jobs)
    assert all(isinstance(answer, Enqueued) for answer in answers), answers


def family(house: House, rng: random.Random) -> list[NewJob]:
    """Make a batch in which jobs depend on those before them, over several queues."""
    jobs: list[NewJob] = []
    for _ in range(rng.randrange(1, 9)):
        parents = rng.sample(jobs, rng.randrange(min(len(jobs), 3) + 1))
        policy = rng.choice(["cancel", "run"]) if parents else "cancel"
        jobs.append(
            house.queue.new_job(
                f"q{rng.randrange(3)}",
                "x",
                max_retries=0,
                depends_on=parents,
                on_parent_failure="run" if policy == "run" else "cancel",
            )
        )
    return jobs


async def work(house: House, name: str, rng: random.Random) -> None:
    """Do the jobs of a queue until there are none for a while; some of them fail."""
    while (job := await house.queue.dequeue(name, wait=5.0)) is not None:
        parents = job.workflow.depends_on if job.workflow is not None else ()
        assert all(house.job(parent).status in ENDED for parent in parents)
        await anyio.sleep(rng.random())
        if rng.random() < 0.2:
            await house.queue.fail(job, reason="no")
        else:
            await house.queue.ack(job)


def expected(jobs: list[NewJob], house: House) -> None:
    """Check each job's end against those of its parents."""
    for new in jobs:
        job = house.job(new.id)
        known = job.workflow or actorq.Workflow()
        ends = {house.job(parent).status for parent in known.depends_on}
        is_cancelled = known.on_parent_failure == "cancel" and bool(ends - {Status.COMPLETED})
        assert (job.status is Status.CANCELLED) == is_cancelled
        assert is_cancelled or job.status in {Status.COMPLETED, Status.DEAD}
        assert bool(known.waiting_for) == is_cancelled


@pytest.mark.parametrize("seed", SEEDS)
async def test_families_that_arrive_together(seed: int) -> None:
    """Batches over many lanes at once are each taken whole; nobody starts before whom it waits for (§2)."""
    rng = random.Random(seed)
    async with open_house(options=Options(pool_size=4)) as house:
        batches = [family(house, rng) for _ in range(20)]
        async with anyio.create_task_group() as tasks:
            for batch in batches:
                tasks.start_soon(enqueue, house, batch)
            for number in range(6):
                tasks.start_soon(work, house, f"q{number % 3}", random.Random(number))
        for batch in batches:
            expected(batch, house)
        await house.balance()


async def test_a_batch_is_not_cut_in_two() -> None:
    """However long a batch is, and whatever arrives with it, its last may depend on its first (rule 3)."""
    async with open_house() as house:
        first = house.queue.new_job("q", "first")
        rest = [house.queue.new_job("q", "x") for _ in range(MAX_ITEMS)]
        last = house.queue.new_job("then", "last", depends_on=[first, *rest[-5:]])
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(enqueue, house, [house.queue.new_job("q", "y")])
            tasks.start_soon(enqueue, house, [first, *rest, last])
            tasks.start_soon(enqueue, house, [house.queue.new_job("q", "z")])
        assert house.job(last.id).waits_for_others
        assert MAX_ITEMS + 2 in house.trouble.sizes("enqueue")


@pytest.mark.parametrize("fate", ["lose", "refuse"])
async def test_a_batch_whose_answer_is_lost_is_one(fate: str) -> None:
    """The lane repeats the whole batch after trouble, and the family is there once (§10, I1)."""
    async with open_house() as house:
        first = house.queue.new_job("q", "first")
        second = house.queue.new_job("q", "second", depends_on=[first])
        getattr(house.trouble, fate)["enqueue"] = 1
        await enqueue(house, [first, second])
        assert [job.payload for job in house.jobs()] == ["second", "first"]
        assert house.job(second.id).waits_for_others
        await house.balance()


async def test_a_refused_item_spares_the_family() -> None:
    """An item that the store will not take fails alone, and so do those that depend on it (rule 1)."""
    async with open_house(may_crash=True) as house:
        new = house.queue.new_job
        first, bad = new("q", "first"), new("q", "poison")
        after_bad, after_first = new("q", "x", depends_on=[bad]), new("q", "y", depends_on=[first])
        house.trouble.poison = "poison"
        answers = await house.queue.enqueue_many([first, bad, after_bad, after_first])
        kinds = [type(answer).__name__ for answer in answers]
        assert kinds == ["Enqueued", "InternalError", "InvalidInput", "Enqueued"]
        assert house.job(after_first.id).waits_for_others


async def test_a_long_line_ends_at_once() -> None:
    """The end of its first job cancels a line of thousands, and wakes who waits for its last (§2)."""
    async with open_house() as house:
        line = [house.queue.new_job("q", "0")]
        for number in range(1, 3_000):
            line.append(house.queue.new_job("q", str(number), depends_on=[line[-1]]))
        await enqueue(house, line)
        seen: list[Status] = []

        async def watch() -> None:
            job = await house.queue.wait_for_change(line[-1].id, 1, 60.0)
            assert job is not None
            seen.append(job.status)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(watch)
            await anyio.sleep(1.0)
            await house.queue.cancel(line[0].id)
        assert seen == [Status.CANCELLED]
        assert {job.status for job in house.jobs()} == {Status.CANCELLED}
        await house.balance()


async def test_a_child_lapses_and_ends_its_line() -> None:
    """A job that expires while it waits ends, and whoever depends on it hears of that (§2)."""
    async with open_house() as house:
        began = anyio.current_time()
        parent = await house.queue.enqueue("q", "parent")
        late = await house.queue.enqueue(
            "q", "late", depends_on=[parent], expires_at=parent.created_at + 5_000_000
        )
        last = await house.queue.enqueue("q", "last", depends_on=[late], on_parent_failure="run")
        taken = await house.queue.dequeue("q", visibility_timeout=60)
        assert taken is not None
        after = await house.queue.dequeue("q", wait=30)
        assert after is not None
        assert after.id == last.id
        assert house.job(late.id).status is Status.DEAD
        assert 5.0 <= anyio.current_time() - began < 5.1
        await house.balance(taken, after)


async def test_a_child_keeps_its_own_due_time() -> None:
    """A delayed job whose parents end early is given out when it asked to be, and never before (I9)."""
    async with open_house() as house:
        parent = await house.queue.enqueue("first", "x")
        began = anyio.current_time()
        child = await house.queue.enqueue("then", "y", depends_on=[parent], delay=20)
        taken = await house.queue.dequeue("first")
        assert taken is not None
        await house.queue.ack(taken)
        given = await house.queue.dequeue("then", wait=60)
        assert given is not None
        assert given.id == child.id
        assert 20.0 <= anyio.current_time() - began < 20.2
        await house.balance(given)
