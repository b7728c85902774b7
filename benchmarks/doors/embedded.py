"""The embedded door: scenarios on a queue that runs inside this process."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

import anyio

from actorq import Ack, ActorqError, JobQueue, open_queue
from benchmarks.contest import BenchmarkError
from benchmarks.plan import HOLD_S, PAYLOAD, QUEUE, LoopName, Shape

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from actorq import Job

    Call = Callable[[], Awaitable[None]]
    Prepare = Callable[[JobQueue, list[int]], Awaitable[list[Call]]]

R = TypeVar("R")

_PREFILL: Final = 500


def rate(url: str, scenario: str, shape: Shape, jobs: int, loop: LoopName) -> float:
    """Run ``scenario`` once, on a queue of its own; return the jobs a second."""
    return anyio.run(_rate, url, scenario, shape, jobs, backend=loop)


async def _rate(url: str, scenario: str, shape: Shape, jobs: int) -> float:
    async with open_queue(url) as queue:
        calls = await SCENARIOS[scenario](queue, shape.sizes(jobs))
        return jobs / await drive(calls, shape.callers)


async def drive(calls: Sequence[Call], callers: int) -> float:
    """Make all calls from so many tasks, each one call at a time; return the seconds."""
    left = iter(calls)
    started = time.perf_counter()
    async with anyio.create_task_group() as tasks:
        for _ in range(min(callers, len(calls))):
            tasks.start_soon(_work_off, left)
    return time.perf_counter() - started


async def _work_off(calls: Iterator[Call]) -> None:
    for call in calls:
        await call()


# ── scenarios: what is prepared, and the calls that are measured ────────────────────────────────


async def _enqueue(queue: JobQueue, sizes: list[int]) -> list[Call]:
    return [partial(enqueue, queue, size) for size in sizes]


async def _claim(queue: JobQueue, sizes: list[int]) -> list[Call]:
    await fill(queue, sum(sizes))
    return [partial(_claim_and_keep, queue, size) for size in sizes]


async def _ack(queue: JobQueue, sizes: list[int]) -> list[Call]:
    await fill(queue, sum(sizes))
    claimed = [await claim(queue, size) for size in sizes]
    return [partial(ack, queue, jobs) for jobs in claimed]


async def _life(queue: JobQueue, sizes: list[int]) -> list[Call]:
    return [partial(_live, queue, size) for size in sizes]


SCENARIOS: Final[dict[str, Prepare]] = {
    "enqueue": _enqueue,
    "claim": _claim,
    "ack": _ack,
    "life": _life,
}


# ── calls ───────────────────────────────────────────────────────────────────────────────────────


async def fill(queue: JobQueue, jobs: int) -> None:
    """Enqueue so many jobs, in batches; not measured."""
    for size in Shape(batch=_PREFILL).sizes(jobs):
        await enqueue(queue, size)


async def enqueue(queue: JobQueue, size: int) -> None:
    """Enqueue so many jobs in one call."""
    if size == 1:
        await queue.enqueue(QUEUE, PAYLOAD)
    else:
        new = [queue.new_job(QUEUE, PAYLOAD) for _ in range(size)]
        accepted(await queue.enqueue_many(new))


async def claim(queue: JobQueue, size: int) -> tuple[Job, ...]:
    """Claim so many jobs in one call; they must be there."""
    claimed = await queue.dequeue_many(QUEUE, size, visibility_timeout=HOLD_S)
    if len(claimed.jobs) != size:
        raise BenchmarkError(f"a claim for {size} jobs got {len(claimed.jobs)}")
    return claimed.jobs


async def ack(queue: JobQueue, jobs: Sequence[Job]) -> None:
    """Complete jobs in one call, under their leases."""
    if len(jobs) == 1:
        await queue.ack(jobs[0])
    else:
        accepted(await queue.ack_many([_done(job) for job in jobs]))


async def _claim_and_keep(queue: JobQueue, size: int) -> None:
    await claim(queue, size)


async def _live(queue: JobQueue, size: int) -> None:
    """Do all three. Whatever others do, a caller finds as many jobs as it has just enqueued."""
    await enqueue(queue, size)
    await ack(queue, await claim(queue, size))


def _done(job: Job) -> Ack:
    return Ack(job.id, job.lease.token if job.lease is not None else None)


def accepted(results: Sequence[R | ActorqError]) -> list[R]:
    """Return results of which none is a refusal."""
    kept: list[R] = []
    for result in results:
        if isinstance(result, ActorqError):
            raise BenchmarkError(f"the store refused: {result}")
        kept.append(result)
    return kept
