"""Workflows: chains and groups of tasks, what they hand on, and what becomes of them when a part fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from actorq import (
    App,
    Job,
    JobCancelled,
    JobFailed,
    Status,
    chain,
    group,
)
from actorq.sdk.task import Call
from tests.sdk.steps import add, fetch, look, measure, rare, shop

if TYPE_CHECKING:
    from actorq.testing import AppUnderTest


@pytest.fixture
def actorq_app() -> App:
    """Test this file's app."""
    return shop


def parents_of(job: Job) -> tuple[str, ...]:
    """Return what a job depends on."""
    return () if job.workflow is None else job.workflow.depends_on


async def test_a_job_waits_for_others(app: AppUnderTest) -> None:
    """``depends_on`` takes handles and ids; it runs when all of them have completed (§2)."""
    one, two = await fetch.enqueue("a"), await fetch.with_options(delay="10m").enqueue("bb")
    handle = await measure.with_options(depends_on=[one, two.id]).enqueue()
    await app.drain()
    assert await handle.status() is Status.DELAYED
    await app.drain(delayed=True)
    assert await handle.result() == 11
    assert parents_of(await handle.job()) == (one.id, two.id)


async def test_a_chain_hands_on_results(app: AppUnderTest) -> None:
    """Each of its jobs begins when the one before has completed, and reads what that returned (§2)."""
    handle = await chain(fetch.call("a"), measure.call(), add.call()).enqueue()
    assert [await job.status() for job in handle.jobs] == ["pending", "delayed", "delayed"]
    drained = await app.drain()
    assert (drained.completed, await handle.result()) == (3, 5)
    assert handle.parts == handle.jobs
    assert [job.id for job in handle.jobs] == [job.id for job in app.jobs()]
    assert handle.jobs[-1].id == handle.id


async def test_a_group_runs_beside_each_other(app: AppUnderTest) -> None:
    """Its members wait for nobody; their results come in the order of its calls."""
    members = [fetch.with_options(delay=10 - n).call(f"{n}") for n in range(3)]
    handle = await group(members).enqueue()
    await app.drain(delayed=True)
    assert await handle.results() == [[f"{n}", "page"] for n in range(3)]
    assert [job.status for job in await handle.wait()] == [Status.COMPLETED] * 3


async def test_a_groups_end_begins_the_next(app: AppUnderTest) -> None:
    """``then`` runs once, when all members have completed, and reads what they returned (§2)."""
    handle = await group([fetch.call("a"), fetch.call("bb")], then=measure.call()).enqueue()
    await app.drain()
    assert await handle.result() == 11
    members = handle.parts[0].jobs
    assert parents_of(await handle.job()) == tuple(job.id for job in members)


async def test_parts_may_be_chains_and_groups(app: AppUnderTest) -> None:
    """What comes behind a part waits for the jobs that the part ends with, whatever they are."""
    lines = [chain(fetch.call(word), measure.call()) for word in ("a", "bb", "ccc")]
    whole = chain(rare.call("first"), group(lines), chain(add.call(), look.call()))
    handle = await whole.enqueue()
    await app.drain()
    assert await handle.result() == ["completed"]
    first, *middle, total, _ = handle.jobs
    assert await total.result() == 18
    assert parents_of(await total.job()) == tuple(job.id for job in middle[1::2])
    assert {parents_of(await job.job()) for job in middle[::2]} == {(first.id,)}


async def test_a_group_may_be_empty(app: AppUnderTest) -> None:
    """Then what comes behind it begins after what comes before it, or at once."""
    assert await (await group(list[Call[int]]()).enqueue()).results() == []
    always = look.with_options(on_parent_failure="run").call()
    handle = await group(list[Call[int]](), then=always).enqueue()
    other = await chain(rare.call("x"), group(list[Call[int]]()), always).enqueue()
    await app.drain()
    assert await handle.result() == []
    assert await other.result() == ["completed"]


async def test_a_failure_cancels_what_waits(app: AppUnderTest) -> None:
    """All the way down; the other members of a group go on (§2)."""
    parts = group([fetch.call("a"), fetch.call("nowhere")])
    handle = await chain(parts, measure.call(), add.call()).enqueue()
    await app.drain(may_fail=True)
    statuses = [(await job.job()).status.value for job in handle.jobs]
    assert statuses == ["completed", "dead", "cancelled", "cancelled"]
    with pytest.raises(JobCancelled):
        await handle.result()


async def test_what_shall_run_in_any_case_does(app: AppUnderTest) -> None:
    """With ``on_parent_failure="run"`` an end is an end; results are those of what completed (§2)."""
    members = [fetch.call("a"), fetch.call("nowhere"), fetch.call("bb")]
    always = look.with_options(on_parent_failure="run")
    handle = await group(members, then=always.call()).enqueue()
    counted = await measure.with_options(
        on_parent_failure="run", depends_on=handle.parts[0].jobs
    ).enqueue()
    await app.drain(may_fail=True)
    assert await handle.result() == ["completed", "dead", "completed"]
    assert await counted.result() == 11


async def test_results_of_a_group_raise_the_first_failure(app: AppUnderTest) -> None:
    """In the order of its calls; ``wait`` tells of all, and both end in time."""
    handle = await group([fetch.call("a"), fetch.call("nowhere")]).enqueue()
    with pytest.raises(TimeoutError, match=r"did not end within 60\.0 seconds"):
        await handle.results(timeout="1m")
    await app.drain(may_fail=True)
    with pytest.raises(JobFailed, match="there is nothing"):
        await handle.results()
    assert [job.status.value for job in await handle.wait(timeout=1)] == ["completed", "dead"]


async def test_workflows_are_cancelled_as_a_whole(app: AppUnderTest) -> None:
    """From the last job to the first, so that nothing is let go; what has ended stays as it is."""
    one = await chain(fetch.call("a"), measure.call(), look.call()).enqueue()
    two = await group([fetch.call("b"), chain(fetch.call("c"), measure.call())]).enqueue()
    assert (await one.cancel()).id == one.id
    await two.cancel()
    assert {(await job.job()).status for job in (*one.jobs, *two.jobs)} == {Status.CANCELLED}
    three = await group([fetch.call("a")], then=measure.call()).enqueue()
    await app.drain()
    assert (await three.cancel()).status is Status.COMPLETED


async def test_a_duplicate_stands_in(app: AppUnderTest) -> None:
    """What waits for a unique call waits for the job that holds its key (§6)."""
    first = await rare.enqueue("x")
    handle = await chain(rare.call("x"), look.call()).enqueue()
    assert handle.jobs[0].id == first.id
    assert parents_of(await handle.job()) == (first.id,)
    await app.drain()
    assert await handle.result() == ["completed"]
