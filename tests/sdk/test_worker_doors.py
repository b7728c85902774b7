"""The same worker through both doors, in real time: threads, blocked loops, children."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from typing import TYPE_CHECKING

import anyio
import pytest

from actorq import (
    App,
    Context,
    InvalidInput,
    JobCancelled,
    Reject,
    Retry,
    Status,
    injected,
    open_queue,
)
from actorq.sdk.client.door import open_door as open_client
from tests.sdk.client.servers import open_odd
from tests.sdk.rivals import DOORS, open_door

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sdk.client.servers import Visit

PATIENCE_S = 30.0
LEASE_S = 1.0

through_both = pytest.mark.parametrize("kind", DOORS)


@through_both
async def test_plain_functions_run_in_threads(kind: str, tmp_path: Path) -> None:
    """They report, return and fail as others do, and hold up nobody."""
    app = App()
    together = threading.Barrier(3, timeout=PATIENCE_S)

    @app.task
    def meet(number: int, *, context: Context = injected) -> str:
        together.wait()
        context.report_from_thread({"number": number})
        if number == 1:
            raise Reject("not you")
        return threading.current_thread().name

    @app.task
    async def loop() -> str:
        return threading.current_thread().name

    async with open_door(kind, tmp_path) as door:
        with anyio.fail_after(PATIENCE_S):
            async with app.worker(door):
                handles = [await meet.enqueue(number) for number in range(3)]
                names = {await handles[0].result(), await handles[2].result()}
                assert threading.current_thread().name not in names
                assert await (await loop.enqueue()).result() == threading.current_thread().name
                job = await handles[1].wait()
                assert (job.status, job.progress) == (Status.DEAD, '{"number":1}')


@through_both
@pytest.mark.parametrize("renewal", ["thread", "loop"])
async def test_a_handler_that_blocks_the_loop(
    kind: str, renewal: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """For three times its lease: renewed from a thread it keeps it, else its late ack is refused (A10)."""
    app = App()
    runs: list[int] = []

    @app.task
    async def block() -> int:
        runs.append(len(runs))
        if len(runs) == 1:
            time.sleep(3 * LEASE_S)  # noqa: ASYNC251 - what is tested
        return len(runs)

    async with open_door(kind, tmp_path) as door:
        with anyio.fail_after(PATIENCE_S):
            async with app.worker(
                door,
                visibility_timeout=LEASE_S,
                renewal="thread" if renewal == "thread" else "loop",
            ):
                handle = await block.enqueue()
                result = await handle.result()
                job = await handle.job()
    if renewal == "loop":
        # A claim that found its consumer gone, because the loop stood still, is an interruption.
        assert (job.attempt - job.interruptions, job.expiries, result) == (2, 1, 2)
        return
    assert (job.attempt, job.expiries, result) == (1, 0, 1)
    (warning,) = [each for each in caplog.records if "blocks the event loop" in each.getMessage()]
    assert "in block" in str(vars(warning)["where"])
    assert float(str(vars(warning)["lag"])) < 2 * LEASE_S


@through_both
async def test_a_plain_function_is_asked_to_end(kind: str, tmp_path: Path) -> None:
    """Nothing can interrupt it: it is waited for, and a job that was cancelled ends so when it does."""
    app = App()
    started = threading.Event()

    @app.task
    def work(*, context: Context = injected) -> None:
        started.set()
        while True:
            time.sleep(0.01)
            context.check_cancelled()

    @app.task(timeout=0.2, max_retries=0)
    def slow(*, context: Context = injected) -> None:
        while True:
            time.sleep(0.01)
            context.report_from_thread(1)

    async with open_door(kind, tmp_path) as door:
        with anyio.fail_after(PATIENCE_S):
            async with app.worker(door, visibility_timeout=LEASE_S):
                handle = await work.enqueue()
                assert await anyio.to_thread.run_sync(started.wait, PATIENCE_S)
                await handle.cancel()
                with pytest.raises(JobCancelled):
                    await handle.result()
                job = await (await slow.enqueue()).wait()
                assert "did not end within its timeout" in job.errors[0].message


children = App()


@children.task(processes=True, max_retries=1)
def crunch(number: int, *, context: Context = injected) -> list[int]:
    """Do what must not hold up anybody."""
    if number == 2 and context.job.attempt == 1:
        raise Retry(after=0)
    if number == 3:
        os._exit(3)
    context.report_from_thread(number)
    return [number, os.getpid()]


@children.task(processes=True, timeout=0.3, max_retries=0)
def hang() -> None:
    """Turn in a circle."""
    while True:
        pass


async def test_functions_in_processes(tmp_path: Path) -> None:
    """They return, report and raise through JSON, are killed when their time is over, and may crash."""
    async with open_door("embedded", tmp_path) as door:
        with anyio.fail_after(PATIENCE_S):
            async with children.worker(door, max_children=1, grace=5.0):
                number, pid = await (await crunch.enqueue(1)).result()
                assert (number, pid != os.getpid()) == (1, True)
                retried = await crunch.enqueue(2)
                assert await retried.result() == [2, pid]
                assert (await retried.job()).progress == "2"
                crashed = await (await crunch.enqueue(3)).wait()
                last = crashed.errors[-1].message
                assert last == "the process of the handler ended with exit code 3"
                hung = await (await hang.enqueue()).wait()
                assert hung.errors[0].message == "the handler did not end within its timeout"


def test_a_worker_reports_what_it_does(caplog: pytest.LogCaptureFixture) -> None:
    """Not much: nothing for a job that is done, a line for one that failed."""
    app = App()

    @app.task(max_retries=0)
    async def work(fails: bool) -> None:
        if fails:
            raise ValueError("no\nyes")

    async def main() -> None:
        async with app.worker("memory://") as worker:
            for fails in (False, True):
                await (await work.enqueue(fails=fails)).wait()
            figures = worker.figures
            while figures.settling:
                await anyio.sleep(0.001)
                figures = worker.figures
            assert (figures.completed, figures.failed, figures.running) == (1, 1, 0)
            assert figures.contact is not None

    caplog.set_level(logging.INFO)
    anyio.run(main)
    (record,) = [each for each in caplog.records if each.name == "actorq.worker"]
    assert (record.levelname, vars(record)["task"]) == ("WARNING", "work")


async def test_a_claim_that_is_refused_for_good_ends_the_worker() -> None:
    """It is wrong in itself: to go on asking would help nobody."""

    async def refuse(visit: Visit) -> None:
        body = b'{"type":"about:blank","title":"x","status":422,"detail":"not for you",'
        body += b'"code":"invalid_input","retryable":false,"request_id":"1"}'
        await visit.answer(422, body, "Content-Type: application/problem+json")

    app = App()
    async with open_odd(refuse) as server, open_client(server.url) as door:
        with anyio.fail_after(PATIENCE_S), pytest.raises(InvalidInput, match="not for you"):
            async with app.worker(door, queues=["default"]):
                await anyio.sleep_forever()


async def test_a_program_may_run_until_a_signal_comes() -> None:
    """SIGTERM stops it in order, a second one in a hurry; whoever ran it goes on."""
    app = App()
    runs = 0

    @app.task
    async def work() -> None:
        nonlocal runs
        runs += 1
        os.kill(os.getpid(), signal.SIGTERM)
        if runs == 2:
            os.kill(os.getpid(), signal.SIGINT)
            await anyio.sleep_forever()

    async with open_queue("memory://") as queue, app.connect(queue):
        handle = await work.enqueue()
        with anyio.fail_after(PATIENCE_S):
            await app.run_worker(queue, signals=True, grace=10.0)
            assert await handle.status() is Status.COMPLETED
            handle = await work.enqueue()
            await app.run_worker(queue, signals=True, grace=3_600.0)
            assert await handle.status() is Status.PENDING
