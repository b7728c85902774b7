"""Workflows: chains and groups of tasks, what they hand on, and what becomes of them when a part fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from actorq import (
    App,
    Context,
    InvalidInput,
    Job,
    JobCancelled,
    JobFailed,
    NotFound,
    QueueEdit,
    QueueFull,
    Reject,
    Status,
    TaskError,
    Zlib,
    chain,
    group,
    injected,
)
from actorq.core.workflow import MAX_DEPENDENTS, MAX_PARENTS
from actorq.sdk.task import Call

if TYPE_CHECKING:
    from actorq.testing import AppUnderTest

NOBODY = "01a00000-0000-7000-8000-000000000000"

shop = App(codecs=[Zlib()])


@shop.task
async def fetch(url: str) -> list[str]:
    """Return something to go on with."""
    if url == "nowhere":
        raise Reject("there is nothing")
    return [url, "page"]


@shop.task
async def measure(context: Context = injected) -> int:
    """Measure what the jobs before it fetched."""
    return sum(len(word) for words in await context.results(fetch) for word in words)


@shop.task
def add(context: Context = injected) -> int:
    """Add up what the jobs before it measured, in a thread."""
    return sum(context.results_from_thread(measure))


@shop.task
async def look(context: Context = injected) -> list[str]:
    """Tell what became of the jobs before it."""
    return [job.status.value for job in await context.parents()]


@shop.task(unique=True)
async def rare(name: str) -> str:
    """Be one job a name."""
    return name


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


async def test_a_refused_workflow_does_not_run_in_part(app: AppUnderTest) -> None:
    """The first refusal is raised, and what was made is cancelled."""
    await app.queue.update_queue(QueueEdit(queue_name="narrow", max_depth=2))
    narrow = fetch.with_options(queue="narrow")
    members = [narrow.call("a"), narrow.call("b"), narrow.call("c")]
    with pytest.raises(QueueFull):
        await group(members, then=measure.call()).enqueue()
    assert [job.status for job in app.jobs()] == [Status.CANCELLED] * 2
    lost = fetch.with_options(depends_on=[NOBODY])
    with pytest.raises(InvalidInput, match="no job has the id"):
        await chain(rare.call("x"), lost.call("a")).enqueue()
    assert app.jobs(rare)[0].status is Status.CANCELLED


async def test_a_workflow_sent_twice_is_one(app: AppUnderTest) -> None:
    """With idempotency keys of its calls, which count a parent by its own key; nothing is cancelled (§6)."""
    whole = chain(
        fetch.with_options(idempotency_key="1").call("a"),
        measure.with_options(idempotency_key="2").call(),
    )
    one, two = await whole.enqueue(), await whole.enqueue()
    assert [job.id for job in one.jobs] == [job.id for job in two.jobs]
    await app.drain()
    assert await two.result() == 5
    await app.queue.delete(one.jobs[0].id)
    three = await whole.enqueue()
    assert (three.jobs[0].id, await three.result()) == (one.jobs[0].id, 5)


async def test_a_workflow_that_was_refused_is_made_by_a_repeat(app: AppUnderTest) -> None:
    """Under its idempotency keys: what was made stays, and what was missing is made (§6)."""
    narrow = [
        fetch.with_options(queue="narrow", idempotency_key=f"{n}").call("a") for n in range(3)
    ]
    whole = group(narrow, then=measure.with_options(idempotency_key="end").call())
    await app.queue.update_queue(QueueEdit(queue_name="narrow", max_depth=2))
    with pytest.raises(QueueFull):
        await whole.enqueue()
    async with app.worker(queues=["narrow"]):
        await app.queue.drain()
    handle = await whole.enqueue()
    await app.drain(queues=["narrow", "default"])
    assert (await handle.result(), len(app.jobs())) == (15, 4)


async def test_what_is_too_large_is_refused_before_it_is_sent(app: AppUnderTest) -> None:
    """A job depends on at most 1,000 others, and at most 1,000 depend on it; that many do."""
    call = rare.with_options(dedupe_key=None).call("x")
    with pytest.raises(InvalidInput, match=f"at most {MAX_PARENTS} jobs, not {MAX_PARENTS + 1}"):
        await group([call] * (MAX_PARENTS + 1), then=look.call()).enqueue()
    wide = group([call] * (MAX_DEPENDENTS + 1), then=look.call())
    with pytest.raises(InvalidInput, match=f"at most {MAX_DEPENDENTS} .* that of task fetch"):
        await chain(fetch.call("a"), wide).enqueue()
    assert app.jobs() == []
    handle = await chain(fetch.call("a"), group([call] * MAX_PARENTS), look.call()).enqueue()
    await app.drain()
    assert await handle.result() == ["completed"] * MAX_PARENTS


async def test_results_are_gone_with_their_jobs(app: AppUnderTest) -> None:
    """A parent that was pruned is missed aloud; who depends on nothing reads nothing."""
    handle = await chain(fetch.call("a"), measure.with_options(delay="2h").call()).enqueue()
    drained = await app.drain(delayed=True, may_fail=True)
    alone = await measure.enqueue()
    await app.drain()
    assert {error.message.split(":")[0] for _, error in drained.failures} == {NotFound.__name__}
    assert (await handle.status(), await alone.result()) == (Status.DEAD, 0)


async def test_results_are_read_from_a_store_that_was_away(app: AppUnderTest) -> None:
    """The handler waits until it is back: that is no failure of its (I8)."""
    handle = await chain(fetch.call("a"), measure.call(), add.call()).enqueue()
    app.faults.refuse("get_job", times=2)
    await app.drain()
    assert await handle.result() == 5
    assert all(job.attempt == 1 for job in app.jobs())


def test_parts_that_cannot_be_are_named() -> None:
    """A task that was not called, nothing at all, a group as the last part."""
    with pytest.raises(TaskError, match=r"<task fetch> is no part of a chain: take task\.call"):
        chain(cast("Any", fetch), look.call())
    with pytest.raises(TaskError, match=r"is no member of a group"):
        group([cast("Any", fetch)])
    for parts in ((), (fetch.call("a"), group([look.call()]))):
        with pytest.raises(TaskError, match="ends with a call of a task"):
            chain(*cast("tuple[Any]", parts))


async def test_the_tasks_of_a_workflow_share_a_queue(app: AppUnderTest) -> None:
    """Two apps that are connected to the same one may go together, and no others."""
    other = App()

    @other.task
    async def elsewhere() -> None:
        """Belong to another app."""

    whole = chain(fetch.call("a"), elsewhere.call())
    async with other.connect("memory://"):
        with pytest.raises(TaskError, match="connected to the same queue"):
            await whole.enqueue()
    async with other.connect(app.queue):
        await whole.enqueue()
    assert len(app.jobs()) == 2


def test_no_schedule_makes_a_job_that_depends_on_others() -> None:
    """Its parents would be the same, and gone, each time."""
    call = rare.with_options(depends_on=[NOBODY]).call("x")
    with pytest.raises(TaskError, match=r"depends_on.*again and again"):
        shop.schedule_call(call, every="1h", name="never")
