"""Pick-up latency: from the call that enqueues to the job in the hand of an idle consumer."""

from __future__ import annotations

import time
from contextlib import AsyncExitStack
from statistics import quantiles
from typing import TYPE_CHECKING, Final

import anyio

from actorq import JobQueue, open_queue
from benchmarks.contest import BenchmarkError
from benchmarks.plan import PAYLOAD, QUEUE, LoopName

if TYPE_CHECKING:
    from collections.abc import Mapping

_PAUSE_S: Final = 0.01
"""Seconds between two jobs, so that the consumer is idle again: it waits inside actorq by then."""

_PATIENCE_S: Final = 20.0


def latency(url: str, jobs: int, loop: LoopName, *, apart: bool = False) -> Mapping[str, float]:
    """Hand over so many jobs, one by one; return the percentiles in milliseconds.

    ``apart``: the consumer waits at a server of its own, which hears of the jobs through the store only.
    """
    return percentiles(anyio.run(_latencies, url, jobs, apart, backend=loop))


def percentiles(seconds: list[float]) -> Mapping[str, float]:
    """Return the median and the 99th percentile, in milliseconds."""
    cuts = quantiles(seconds, n=100) if len(seconds) > 1 else seconds * 99
    return {"ms p50": cuts[49] * 1e3, "ms p99": cuts[98] * 1e3}


async def _latencies(url: str, jobs: int, apart: bool) -> list[float]:  # noqa: FBT001 - anyio.run passes no names
    taken: list[float] = []
    given: list[float] = []
    async with AsyncExitStack() as stack:
        queue = await stack.enter_async_context(open_queue(url))
        other = await stack.enter_async_context(open_queue(url)) if apart else queue
        tasks = await stack.enter_async_context(anyio.create_task_group())
        tasks.start_soon(_consume, other, jobs, taken)
        for _ in range(jobs):
            await anyio.sleep(_PAUSE_S)
            given.append(time.perf_counter())
            await queue.enqueue(QUEUE, PAYLOAD)
    return [end - start for start, end in zip(given, taken, strict=True)]


async def _consume(queue: JobQueue, jobs: int, taken: list[float]) -> None:
    for _ in range(jobs):
        job = await queue.dequeue(QUEUE, wait=_PATIENCE_S)
        taken.append(time.perf_counter())
        if job is None:
            raise BenchmarkError("a job did not reach its consumer")
        await queue.ack(job)
