"""A worker at work: what it claims, how handlers end, and what is told of it."""

from __future__ import annotations

import logging
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import anyio

from actorq import Delivery, Reject, Retry, Snooze, Status
from actorq.core.job import DeadReason, ErrorKind
from tests.sdk.worker.shop import open_shop

if TYPE_CHECKING:
    import pytest

    from actorq import Job

COLOR: ContextVar[str] = ContextVar("COLOR", default="none")


async def test_jobs_are_run_and_acknowledged() -> None:
    """As many at a time as the worker has slots, and no more are claimed than can start (§7)."""
    async with open_shop() as shop:
        running = most = 0

        @shop.app.task
        async def work() -> int:
            nonlocal running, most
            running += 1
            most = max(most, running)
            held = shop.house.jobs(Status.RUNNING)
            await anyio.sleep(1.0)
            running -= 1
            return len(held)

        ids = await shop.order("work", 50)
        started = anyio.current_time()
        async with shop.hire(concurrency=8) as worker:
            jobs = [await shop.ended(job_id) for job_id in ids]
        assert most == 8
        assert {job.status for job in jobs} == {Status.COMPLETED}
        # One batch may be on its way to the store while the next is claimed.
        assert max(int(job.result or 0) for job in jobs) <= 16
        assert anyio.current_time() - started < 8.0
        assert (worker.figures.completed, worker.figures.failed) == (50, 0)
        await shop.house.balance()


async def test_claims_and_settlements_travel_in_batches() -> None:
    """A thousand jobs that never wait need some tens of calls, and run once each (group commit)."""
    async with open_shop() as shop:
        runs = 0

        @shop.app.task
        async def work() -> None:
            nonlocal runs
            runs += 1

        ids = await shop.order("work", 1_000)
        async with shop.hire(concurrency=100):
            jobs = [await shop.ended(job_id) for job_id in ids]
        assert runs == 1_000
        assert {(job.status, job.attempt) for job in jobs} == {(Status.COMPLETED, 1)}
        calls = shop.house.trouble
        assert calls.count("dequeue") + calls.count("ack") < 60
        assert calls.count("extend") == 0


async def outcome(raises: Exception, *, is_once: bool = False, retries: int = 0) -> Job:
    """Run a job whose handler raises once, and then succeeds; return it as it ended."""
    async with open_shop() as shop:
        attempts = 0

        @shop.app.task
        async def work() -> int:
            nonlocal attempts
            attempts += 1
            if attempts == 1:
                raise raises
            return attempts

        delivery = Delivery.AT_MOST_ONCE if is_once else Delivery.AT_LEAST_ONCE
        (job_id,) = await shop.order("work", delivery=delivery, max_retries=retries)
        async with shop.hire():
            job = await shop.ended(job_id)
        await shop.house.balance()
        return job


def waited(job: Job) -> float:
    """Return the seconds from a job's making to its end."""
    assert job.completed_at is not None
    return (job.completed_at - job.created_at) / 1_000_000


async def test_an_error_is_a_failure_with_its_reason() -> None:
    """Retried after the backoff while retries are left, then dead (§2, §5)."""
    dead = await outcome(ValueError("no"))
    assert (dead.status, dead.dead_reason) == (Status.DEAD, DeadReason.RETRIES_EXHAUSTED)
    assert dead.errors[0].message.startswith("ValueError: no\n  at ")
    again = await outcome(ValueError("no"), retries=1)
    assert (again.status, again.retry_count, again.result) == (Status.COMPLETED, 1, "2")
    assert 0.8 <= waited(again) < 1.4


async def test_an_error_of_any_kind_is_no_end_of_the_worker() -> None:
    """Twenty megabytes, a text that cannot be had, sys.exit, a group: recorded and cut."""

    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    group = ExceptionGroup("two", [Mute(), ValueError("x" * 1_000_000)])
    for error in (ValueError("x" * 20_000_000), Mute(), group):
        job = await outcome(error, retries=1)
        assert (job.status, len(job.errors)) == (Status.COMPLETED, 1)
        assert len(job.errors[0].message.encode()) <= 4_096


async def test_a_handler_may_exit_without_ending_the_worker() -> None:
    """What it raises is its own business, whatever it inherits from."""
    async with open_shop() as shop:

        @shop.app.task
        async def work() -> None:
            raise SystemExit(3)

        (job_id,) = await shop.order("work", max_retries=0)
        async with shop.hire():
            assert (await shop.ended(job_id)).errors[0].message.startswith("SystemExit: 3")


async def test_verdicts_of_handlers() -> None:
    """Retry with a delay, Reject at once, Snooze without spending anything."""
    retried = await outcome(Retry("busy", after="1m"), retries=1)
    assert (retried.retry_count, retried.errors[0].message.split("\n")[0]) == (1, "Retry: busy")
    assert 60.0 <= waited(retried) < 60.2
    rejected = await outcome(Reject("no such user"), retries=9)
    assert (rejected.status, rejected.dead_reason) == (Status.DEAD, DeadReason.REJECTED)
    snoozed = await outcome(Snooze(after=30))
    assert (snoozed.status, snoozed.attempt, snoozed.retry_count) == (Status.COMPLETED, 2, 0)
    assert (snoozed.interruptions, snoozed.errors) == (1, ())
    assert 30.0 <= waited(snoozed) < 30.2
    until = await outcome(Snooze(until=datetime.now(UTC) + timedelta(seconds=90)))
    assert 85.0 <= waited(until) < 90.2
    once = await outcome(Snooze(after=30), is_once=True)
    assert (once.status, once.attempt) == (Status.DEAD, 1)


async def test_a_handler_that_takes_too_long_is_cancelled() -> None:
    """After the job's timeout, or its task's, counted for each attempt; that is a failure."""
    async with open_shop() as shop:

        @shop.app.task(timeout="10s")
        async def work() -> None:
            await anyio.sleep(60.0)

        for timeout, seconds in ((None, 10.0), (3.0, 3.0)):
            (job_id,) = await shop.order("work", max_retries=0, timeout=timeout)
            async with shop.hire():
                started = anyio.current_time()
                job = await shop.ended(job_id)
            assert seconds <= anyio.current_time() - started < seconds + 0.2
            assert job.errors[0].message == "the handler did not end within its timeout"


async def test_an_unknown_task_is_left_to_others(caplog: pytest.LogCaptureFixture) -> None:
    """Released with a delay that grows, the attempt handed back; told once, as an error."""
    async with open_shop() as shop:

        @shop.app.task
        async def work() -> None:
            pass

        ids = await shop.order("new", 3)
        async with shop.hire():
            await anyio.sleep(16.0)
            jobs = [await shop.queue.get_job(job_id) for job_id in ids]
        assert {job.status for job in jobs} == {Status.DELAYED}
        assert {(job.interruptions, job.retry_count) for job in jobs} == {(3, 0)}
        errors = [each for each in caplog.records if each.levelno == logging.ERROR]
        assert [each.getMessage().split(":")[0] for each in errors] == [
            "no task here is named 'new'"
        ]


async def test_arguments_that_cannot_be_read_are_a_failure() -> None:
    """Counted, and dead in the end; the worker goes on (F16)."""
    async with open_shop() as shop:

        @shop.app.task
        async def work(number: int) -> int:
            return number

        (job_id,) = await shop.order("work", max_retries=0)
        async with shop.hire():
            job = await shop.ended(job_id)
        assert "missing required field `number`" in job.errors[0].message
        assert job.errors[0].kind is ErrorKind.FAILURE


async def test_a_task_has_a_limit_of_its_own() -> None:
    """However many slots the worker has; others run meanwhile."""
    async with open_shop() as shop:
        running = most = 0

        @shop.app.task(concurrency=2)
        async def rare() -> None:
            nonlocal running, most
            running += 1
            most = max(most, running)
            await anyio.sleep(1.0)
            running -= 1

        @shop.app.task
        async def common() -> None:
            pass

        ids = await shop.order("rare", 6)
        ids += await shop.order("common", 2)
        async with shop.hire(concurrency=10):
            for job_id in ids:
                await shop.ended(job_id)
        assert most == 2


async def test_no_job_sees_what_another_left_behind() -> None:
    """Context variables are as they were for every job, though tasks of the loop are used again."""
    async with open_shop() as shop:

        @shop.app.task
        async def look(number: int = 0) -> str:
            seen = COLOR.get()
            COLOR.set("red")
            await anyio.sleep(number % 2)
            return seen

        ids = await shop.order("look", 20)
        async with shop.hire(concurrency=3):
            jobs = [await shop.ended(job_id) for job_id in ids]
        assert {job.result for job in jobs} == {'"none"'}
