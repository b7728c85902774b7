"""The fixture ``app``: tasks that are enqueued, looked for, and worked off by a real worker."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import anyio
import pytest

from actorq import App, Context, Status, Zlib, chain, group, injected

if TYPE_CHECKING:
    from actorq.testing.app_kit import AppUnderTest

shop = App(codecs=[Zlib()])


class Mailer:
    """What sends mail."""

    def __init__(self) -> None:
        self.sent: list[str] = []


@shop.resource()
def mailer() -> Mailer:
    """Make the mailer that handlers get, unless a test gives them another."""
    return Mailer()


@shop.task(queue="mail")
async def send(to: str, *, subject: str = "hello", mailer: Mailer = injected) -> None:
    """Send a letter, which takes a while."""
    await anyio.sleep(600.0)
    mailer.sent.append(f"{to}: {subject}")


@shop.task
async def order(names: list[str]) -> int:
    """Enqueue a letter for each name."""
    for name in names:
        await send.enqueue(name)
    return len(names)


@shop.task(max_retries=2)
async def fragile(context: Context = injected) -> str:
    """Succeed at the third attempt."""
    if context.job.attempt < 3:
        raise ConnectionError(f"no {context.job.attempt}")
    return "at last"


@shop.task(timeout="10s")
def count(to: int) -> str:
    """Count in a thread."""
    return f"{sum(range(to))} {threading.current_thread() is threading.main_thread()}"


@shop.task(processes=True, timeout="10s")
def square(number: int) -> int:
    """Work in a process of its own."""
    return number * number


@pytest.fixture
def actorq_app() -> App:
    """Test this file's app."""
    return shop


async def test_handlers_run_as_they_would(app: AppUnderTest) -> None:
    """Jobs that handlers enqueue are run too, and all of them by a real worker, encoded and leased (§4)."""
    begin = app.queue.now()
    handle = await order.enqueue(["ada", "bob"])
    app.assert_not_enqueued(send)
    stand_in = Mailer()
    with app.replace(stand_in):
        drained = await app.drain()
    assert (drained.completed, drained.failed) == (3, 0)
    assert sorted(stand_in.sent) == ["ada: hello", "bob: hello"]
    assert await handle.result() == 2
    job = app.assert_enqueued(send, "ada")
    assert (job.queue_name, job.attempt, job.status) == ("mail", 1, Status.COMPLETED)
    assert job.payload.startswith("zlib:")
    assert (app.queue.now() - begin).total_seconds() == pytest.approx(600.0, abs=1.0)


async def test_arguments_are_compared_as_the_handler_gets_them(app: AppUnderTest) -> None:
    """By position or by name, with defaults or without, it is the same call; a miss shows what there is."""
    await send.enqueue("ada", subject="bye")
    job = app.assert_enqueued(send, to="ada", subject="bye")
    assert app.arguments(job) == {"to": "ada", "subject": "bye"}
    assert app.jobs(send) == [job]
    expected = r"send\(to='ada', subject='hello'\) was not enqueued; what was:\n  send\(.*'bye'\)"
    with pytest.raises(AssertionError, match=expected):
        app.assert_enqueued(send, "ada")
    with pytest.raises(AssertionError, match=r"send was enqueued:\n  send\(to='ada'"):
        app.assert_not_enqueued(send)
    with pytest.raises(AssertionError, match="task='send'"):
        app.assert_enqueued(count, 3)
    with pytest.raises(TypeError):
        app.assert_enqueued(count)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue] - the point


async def test_failures_fail_the_test_unless_they_may(app: AppUnderTest) -> None:
    """A handler that raised is told with its call and its error; retries come when their time has (§5)."""
    await fragile.enqueue()
    with pytest.raises(AssertionError, match=r"fragile\(\), attempt 1: ConnectionError: no 1"):
        await app.drain()
    drained = await app.drain(delayed=True, may_fail=True)
    assert [error.message.split("\n")[0] for _, error in drained.failures] == [
        "ConnectionError: no 2"
    ]
    (job,) = app.jobs(fragile)
    assert (job.attempt, await fragile.handle(job.id).result()) == (3, "at last")
    assert not (await app.drain()).failures


async def test_retries_are_advanced_to(app: AppUnderTest) -> None:
    """A worker that runs beside the test takes each retry when the test lets its time come (§5)."""
    handle = await fragile.enqueue()
    async with app.worker():
        await app.advance(0)
        assert await handle.status() is Status.DELAYED
        await app.advance("1h")
        assert await handle.status() is Status.COMPLETED


async def test_plain_functions_take_no_virtual_time(app: AppUnderTest) -> None:
    """A handler in a thread or a process is not timed out by a time that passes at once (§3)."""
    begin = app.queue.now()
    counted = await count.enqueue(100_000)
    squared = await square.enqueue(12)
    await app.drain()
    assert await counted.result() == "4999950000 False"
    assert await squared.result() == 144
    assert (app.queue.now() - begin).total_seconds() < 5.0


async def test_workflows_are_worked_off(app: AppUnderTest) -> None:
    """A drain goes on to what waits for others, in whatever queue, the moment that they have ended (§2)."""
    begin = app.queue.now()
    end = chain(square.call(5), fragile.call())
    handle = await group([count.call(3), count.call(4)], then=end).enqueue()
    app.assert_enqueued(square, 5)
    letters = await chain(count.call(9), send.call("ada")).enqueue()
    with app.replace(Mailer()):
        drained = await app.drain(delayed=True, may_fail=True)
    assert (drained.completed, await handle.result()) == (6, "at last")
    assert await letters.status() is Status.COMPLETED
    assert (app.queue.now() - begin).total_seconds() == pytest.approx(600.0, abs=5.0)


async def test_what_waits_in_vain_is_not_waited_for(app: AppUnderTest) -> None:
    """A job whose parent is in a paused queue, or not due yet, holds up no drain."""
    await app.queue.pause("mail")
    stuck = await chain(send.call("ada"), square.call(3)).enqueue()
    late = await chain(count.with_options(delay="1h").call(2), square.call(4)).enqueue()
    await app.drain()
    assert await late.status() is Status.DELAYED
    await app.drain(delayed=True)
    assert await late.result() == 16
    assert await stuck.status() is Status.DELAYED


async def test_a_job_of_an_unknown_task_is_told(app: AppUnderTest) -> None:
    """A job that no handler is there for does not pass as drained."""
    await app.queue.enqueue("mail", "{}", task="nobody")
    with pytest.raises(AssertionError, match="names task 'nobody'"):
        await app.drain()


async def test_a_lost_lease_is_not_acknowledged(app: AppUnderTest) -> None:
    """A store that is away longer than a lease: the job comes back, and runs a second time (§4)."""
    handle = await send.enqueue("ada")
    async with app.worker():
        await app.advance("1s")
        with app.faults.store_away():
            await app.advance("2m")
        await app.advance("1h")
        job = await handle.job()
    assert (job.status, job.attempt) == (Status.COMPLETED, 2)
    assert job.expiries + job.interruptions == 1
