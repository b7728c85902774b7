"""What a worker keeps in memory after very many jobs, and whether each was run once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import anyio
import msgspec

from actorq import App
from benchmarks.contest import BenchmarkError
from benchmarks.doors.http import actorq_server
from benchmarks.processes import environment
from benchmarks.workers.program import QUEUE
from benchmarks.workers.rates import has_done

if TYPE_CHECKING:
    from benchmarks.plan import Plan

WARM_UP: Final = 5_000
_CALLS: Final = 500


class Footprint(msgspec.Struct, frozen=True):
    """What a worker process found out about itself: by how many MB it grew, and what it ran.

    ``odd`` is how many jobs were not run exactly once.
    """

    grown_mb: float
    runs: int
    odd: int


def measure(plan: Plan, jobs: int) -> Footprint:
    """Let a worker process run so many jobs over HTTP."""
    with actorq_server(plan.folder, "sqlite", "hypercorn", "asyncio") as server:
        url = f"http://127.0.0.1:{server.port}"
        done = subprocess.run(  # noqa: S603 - the command is the benchmark's own
            [sys.executable, "-m", "benchmarks.workers.memory", url, str(jobs), plan.loop],
            env=environment({}),
            stdout=subprocess.PIPE,
            check=False,
        )
    if done.returncode:
        raise BenchmarkError("the worker failed: its error stands above")
    return msgspec.json.decode(done.stdout, type=Footprint)


async def _watch_itself(url: str, jobs: int) -> Footprint:
    app = App()
    # A byte a job: it is made before anything is measured.
    runs = bytearray(WARM_UP + jobs)

    @app.task(queue=QUEUE)
    async def count(number: int) -> None:
        runs[number] += 1

    async with app.worker(url, concurrency=200) as worker:
        for start in range(0, WARM_UP, _CALLS):
            await app.enqueue_many([count.call(n) for n in range(start, start + _CALLS)])
        await has_done(worker, WARM_UP)
        before = _resident_mb()
        for start in range(WARM_UP, WARM_UP + jobs, _CALLS):
            await app.enqueue_many([count.call(n) for n in range(start, start + _CALLS)])
        await has_done(worker, WARM_UP + jobs)
        grown = _resident_mb() - before
    return Footprint(grown, sum(runs), len(runs) - runs.count(1))


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    found = anyio.run(_watch_itself, sys.argv[1], int(sys.argv[2]), backend=sys.argv[3])
    sys.stdout.buffer.write(msgspec.json.encode(found))
