"""Tasks: what a call becomes, and how its job is followed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from actorq import (
    ActorqError,
    App,
    Backoff,
    Call,
    Context,
    Delivery,
    DuplicateJob,
    InvalidInput,
    Job,
    JobCancelled,
    JobFailed,
    JobHandle,
    NotConnected,
    NotFound,
    Status,
    TaskError,
    from_datetime,
    injected,
    open_queue,
)

if TYPE_CHECKING:
    from collections.abc import Callable

app = App()
NOON = datetime(2030, 1, 31, 12, tzinfo=UTC)


@app.task
async def add(a: int, b: int = 2) -> int:
    """Add two numbers."""
    return a + b


@app.task(
    name="mail.send",
    queue="mail",
    priority=7,
    max_retries=9,
    backoff="10s",
    timeout="5m",
    delivery="at_most_once",
    metadata={"team": "post"},
)
def send(to: str) -> None:
    """Send something."""
    del to


@app.task(unique=True)
async def index(page: int, depth: int = 1) -> None:
    """Be unique by all arguments, defaults included."""
    del page, depth


@app.task(unique=("user",), unique_for="1h", on_duplicate="reject")
async def invite(user: str, text: str) -> None:
    """Be unique by one."""
    del user, text


@app.task(max_retries=0)
async def fail(words: str) -> None:
    """Fail."""
    raise ValueError(words)


async def made(handle: JobHandle[Any]) -> Job:
    """Return the job behind a handle."""
    return await handle.job()


async def test_a_task_is_still_a_function() -> None:
    """Called, it runs here and now; its name and its words stay."""
    assert await add(1, b=3) == 4
    assert send("x") is None
    assert (add.name, add.__name__, add.__doc__) == ("add", "add", "Add two numbers.")
    assert app.tasks["mail.send"] is send


async def test_a_job_has_what_its_task_says() -> None:
    """Queue, priority, retries, backoff, timeout, delivery, metadata and the task's name."""
    async with open_queue("memory://") as queue, app.connect(queue):
        job = await made(await send.enqueue("x"))
    assert (job.queue_name, job.task, job.payload) == ("mail", "mail.send", '{"to":"x"}')
    assert (job.priority, job.max_retries, job.timeout) == (7, 9, 300.0)
    assert job.backoff == Backoff(10.0, 1.0, 10.0)
    assert (job.delivery, job.metadata) == (Delivery.AT_MOST_ONCE, {"team": "post"})


async def test_options_of_a_call_win_and_never_mix_with_its_arguments() -> None:
    """They belong to a copy of the task: durations as text, moments as datetimes."""
    hasty = send.with_options(queue="post", priority=0, timeout=None, max_retries=1)
    late = hasty.with_options(delay=timedelta(minutes=5), dedupe_key="k", backoff=Backoff(2.0))
    async with open_queue("memory://") as queue, app.connect(queue):
        job = await made(await late.enqueue("x"))
        fixed = await made(await add.with_options(available_at=NOON, expires_at=NOON).enqueue(1))
        plain = await made(await send.enqueue("x"))
    assert (job.queue_name, job.priority, job.timeout, job.max_retries) == ("post", 0, None, 1)
    assert (job.status, job.available_at - job.created_at) == (Status.DELAYED, 300_000_000)
    assert (job.dedupe_key, job.backoff, job.task) == ("k", Backoff(2.0), "mail.send")
    assert fixed.available_at == fixed.expires_at == from_datetime(NOON)
    assert (plain.queue_name, plain.dedupe_key) == ("mail", None)


async def test_a_result_is_awaited() -> None:
    """Of the type that the function returns; also by who has only the job's id."""
    async with open_queue("memory://") as queue:
        with anyio.fail_after(20):
            async with app.worker(queue, queues=["default"]):
                handle = await add.enqueue(40)
                assert await handle.result() == 42
                assert await add.handle(handle.id).result(timeout="5s") == 42
                assert await handle.status() is Status.COMPLETED


async def test_what_became_of_a_job_without_a_result_is_raised() -> None:
    """Dead, cancelled, not ended in time, or never there: an error each."""
    async with open_queue("memory://") as queue:
        with anyio.fail_after(20):
            async with app.worker(queue, queues=["default"]):
                with pytest.raises(JobFailed, match=r"retries_exhausted.*ValueError: no") as failed:
                    await (await fail.enqueue("no")).result()
                assert failed.value.job.status is Status.DEAD
                handle = await add.with_options(delay=60).enqueue(1)
                with pytest.raises(TimeoutError, match=r"did not end within 0\.01 seconds"):
                    await handle.result(timeout=0.01)
                await handle.cancel()
                with pytest.raises(JobCancelled):
                    await handle.result()
                with pytest.raises(NotFound):
                    await add.handle("01a00000-0000-7000-8000-000000000000").result()


async def test_progress_is_watched_until_the_end() -> None:
    """Each report that is seen, in order, and the last one in any case."""
    watched = App()
    seen: list[object] = []
    go_on = anyio.Event()

    @watched.task
    async def count(*, context: Context = injected) -> None:
        await context.report({"done": 1})
        await go_on.wait()
        await context.report({"done": 2})

    async with open_queue("memory://") as queue:
        with anyio.fail_after(20):
            async with watched.worker(queue):
                async for report in (await count.enqueue()).progress():
                    seen.append(report)
                    go_on.set()
    assert seen == [{"done": 1}, {"done": 2}]


async def test_many_calls_go_in_few_requests() -> None:
    """One handle each, in order; what is refused is a value and leaves the others alone."""
    calls: list[Call[Any]] = [add.call(number) for number in range(1_200)]
    calls[3] = invite.call("ann", "hello")
    calls[4] = invite.call("ann", "again")
    async with open_queue("memory://") as queue, app.connect(queue):
        handles = await app.enqueue_many(calls)
        assert await queue.get_queue_length("default") == 1_199
        assert isinstance(handles[4], DuplicateJob)
        last = handles[-1]
        assert isinstance(last, JobHandle)
        assert (await last.job()).payload == '{"a":1199}'
        assert await app.enqueue_many([]) == []


async def test_a_unique_task_has_one_live_job_for_its_arguments() -> None:
    """By all of them as the function would see them, or by those that are named."""
    async with open_queue("memory://") as queue, app.connect(queue):
        first = await index.enqueue(1)
        second = await index.enqueue(page=1, depth=1)
        assert (second.id, first.is_duplicate, second.is_duplicate) == (first.id, False, True)
        assert (await index.enqueue(1, 2)).id != first.id
        invited = await made(await invite.enqueue("ann", "hello"))
        assert invited.dedupe_until is not None
        assert invited.dedupe_until - invited.created_at == 3_600_000_000
        with pytest.raises(DuplicateJob):
            await invite.enqueue("ann", "again")
        own = invite.with_options(dedupe_key="mine")
        assert (await made(await own.enqueue("ann", "again"))).dedupe_key == "mine"


async def test_a_request_that_is_repeated_makes_one_job() -> None:
    """An idempotency key names the request, as everywhere (§6)."""
    once = add.with_options(idempotency_key="order-7")
    async with open_queue("memory://") as queue, app.connect(queue):
        assert (await once.enqueue(1)).id == (await once.enqueue(1)).id
        with pytest.raises(ActorqError, match="different request"):
            await once.enqueue(2)


async def test_an_app_enqueues_where_it_is_connected() -> None:
    """Nowhere outside a connection; of two, where it was connected first."""
    with pytest.raises(NotConnected):
        await add.enqueue(1)
    async with open_queue("memory://") as one, open_queue("memory://") as other:
        async with app.connect(one), app.connect(other):
            await add.enqueue(1)
        async with app.connect(other):
            await add.enqueue(1)
        assert [await each.get_queue_length("default") for each in (one, other)] == [1, 1]
    with pytest.raises(NotConnected):
        await add.enqueue(1)


def plain(x: int) -> int:
    """Do nothing much."""
    return x


async def asynchronous(x: int) -> int:
    """Do the same, later."""
    return x


def needing(x: int, *, app: App = injected) -> int:
    """Need what no other process can have."""
    del app
    return x


@pytest.mark.parametrize(
    ("function", "options", "words"),
    [
        (plain, {"priority": 2**40}, "task plain: /priority"),
        (plain, {"queue": "a b"}, "task plain: /queue_name"),
        (plain, {"timeout": "soon"}, "task plain: /timeout"),
        (plain, {"backoff": -1}, "task plain: /backoff"),
        (plain, {"color": "red"}, "task plain: .*'color'"),
        (plain, {"unique": ("y",)}, "unique names 'y'"),
        (plain, {"unique_for": 1}, "unique_for means nothing without unique"),
        (plain, {"concurrency": 0}, "concurrency must be at least 1"),
        (plain, {"name": "add"}, "the app has one already"),
        (asynchronous, {"processes": True}, "processes is for plain functions"),
        (needing, {"processes": True}, "only the Context reaches"),
    ],
)
def test_options_that_cannot_be_are_refused_at_the_decoration(
    function: Callable[..., Any], options: dict[str, Any], words: str
) -> None:
    """Where they are written, and not at the first call."""
    with pytest.raises(TaskError, match=words):
        app.task(**options)(function)


def test_a_time_that_is_none_is_refused_by_with_options() -> None:
    """It names the option."""
    with pytest.raises(InvalidInput, match="/delay"):
        add.with_options(delay="soon")
    with pytest.raises(InvalidInput, match="time zone"):
        add.with_options(available_at=datetime(2030, 1, 1))  # noqa: DTZ001 - what is refused
