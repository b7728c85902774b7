"""Workflows that cannot be, or not yet: what is refused, what is left of it, and what a repeat makes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from actorq import (
    App,
    InvalidInput,
    NotFound,
    QueueEdit,
    QueueFull,
    Status,
    TaskError,
    chain,
    group,
)
from actorq.core.workflow import MAX_DEPENDENTS, MAX_PARENTS
from tests.sdk.steps import add, fetch, look, measure, rare, shop

if TYPE_CHECKING:
    from actorq.testing import AppUnderTest

NOBODY = "01a00000-0000-7000-8000-000000000000"


@pytest.fixture
def actorq_app() -> App:
    """Test this file's app."""
    return shop


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
