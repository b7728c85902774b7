"""How a worker ends: SIGTERM under load, and a handler that blocks the loop beyond its lease."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final

import anyio
import msgspec

from actorq import JobHandle, ListJobs, Status, open_queue
from benchmarks.contest import BenchmarkError
from benchmarks.doors.http import actorq_server
from benchmarks.processes import environment
from benchmarks.stores import sqlite_file
from benchmarks.workers.program import QUEUE, app, block, nap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actorq import Job
    from benchmarks.plan import LoopName, Plan

GRACE_S: Final = 3.0
LEASE_S: Final = 1.0
_LOAD: Final = 3_000
_RUN_S: Final = 1.0
_PAGE: Final = 200


class Ending(msgspec.Struct, frozen=True):
    """What a stop cost: seconds until the process was gone, and jobs that were the worse for it."""

    seconds: float
    exit_code: int
    failed: int
    retries: int
    completed: int


def stop(plan: Plan, loop: LoopName) -> Ending:
    """Stop a worker process among jobs of 20 ms, and one that does not end by itself."""
    with sqlite_file(plan.folder) as path:
        url = f"sqlite:///{path}"
        anyio.run(_load, url)
        command = [sys.executable, "-m", "actorq", "worker", "benchmarks.workers.program:app"]
        command += ["--store", url, "--event-loop", loop, "--grace", str(GRACE_S)]
        with subprocess.Popen(  # noqa: S603 - the command is the benchmark's own
            command, env=environment({"LOG_LEVEL": "error"}), stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            if " works as " not in process.stdout.readline():
                raise BenchmarkError("a worker did not start: its log, above, says why")
            time.sleep(_RUN_S)
            process.send_signal(signal.SIGTERM)
            sent = time.perf_counter()
            code = process.wait(GRACE_S + 60.0)
            seconds = time.perf_counter() - sent
        jobs = anyio.run(_jobs, url)
    return Ending(
        seconds=seconds,
        exit_code=code,
        failed=sum(bool(job.errors) or job.status is Status.DEAD for job in jobs),
        retries=sum(job.retry_count for job in jobs),
        completed=sum(job.status is Status.COMPLETED for job in jobs),
    )


def blocked(plan: Plan) -> Job:
    """Let a handler block the loop for three times its lease; return its job as it ended."""
    # The server is another process: it ends a lease as soon as it is over, whatever this one does.
    with actorq_server(plan.folder, "sqlite", "hypercorn", plan.loop) as server:
        return anyio.run(_block, f"http://127.0.0.1:{server.port}", backend=plan.loop)


async def _load(url: str) -> None:
    async with app.connect(url):
        calls = [nap.call(600.0), *[nap.call(0.02)] * _LOAD]
        made = await app.enqueue_many(calls)
        if not all(isinstance(each, JobHandle) for each in made):
            raise BenchmarkError("the queue refused a job")


async def _jobs(url: str) -> Sequence[Job]:
    jobs: list[Job] = []
    async with open_queue(url) as queue:
        before: str | None = None
        while True:
            page = await queue.list_jobs(ListJobs(queue_name=QUEUE, before=before, limit=_PAGE))
            jobs += page.jobs
            before = page.next_before
            if before is None:
                return jobs


async def _block(url: str) -> Job:
    async with app.worker(url, visibility_timeout=LEASE_S):
        handle = await block.enqueue(3 * LEASE_S)
        return await handle.wait(timeout=60)
