"""Jobs a second that a worker runs, next to the same lives made by hand through the same door."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Final

import anyio

from actorq import Ack, ActorqError, open_queue
from benchmarks.contest import BenchmarkError, Contender, Contest, Result, hold
from benchmarks.doors import embedded
from benchmarks.doors.http import actorq_server
from benchmarks.plan import Shape
from benchmarks.stores import new_store
from benchmarks.workers.program import QUEUE, app, nothing

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from actorq import Call, Worker
    from actorq.sdk.door import Door
    from benchmarks.plan import LoopName, Plan, ServerName, StoreName

CONCURRENCY: Final = 200
BATCH: Final = 100
STEPS: Final = 20
"""How many tasks go through single steps at the same time."""

BY_HAND: Final = f"by hand, batches of {BATCH}"
STEP_BY_STEP: Final = "one request a step"
_ROUND_S: Final = 300.0


def of_the_face(plan: Plan, store: StoreName) -> Result:
    """Measure whole lives, enqueue included: tasks and a worker, next to the bare face."""

    def worker() -> Mapping[str, float]:
        with new_store(plan.folder, store) as url:
            return {"jobs/s": anyio.run(_whole_lives, url, plan.jobs, backend=plan.loop)}

    def by_hand() -> Mapping[str, float]:
        with new_store(plan.folder, store) as url:
            shape = Shape(batch=BATCH)
            return {"jobs/s": embedded.rate(url, "life", shape, plan.jobs, plan.loop)}

    contest = Contest(
        scenario="worker",
        store=store,
        door=f"embedded, {plan.loop}",
        shape=f"{CONCURRENCY} slots",
        subject=Contender("worker", worker),
        floors=(Contender(BY_HAND, by_hand),),
    )
    return hold(contest, plan.rounds)[0]


def of_single_steps(plan: Plan, store: StoreName, server: ServerName) -> Result:
    """Measure the run of waiting jobs over HTTP, next to as many requests as there are steps."""
    with actorq_server(plan.folder, store, server, plan.loop) as process:
        url = f"http://127.0.0.1:{process.port}"
        steps = min(plan.jobs, 50 * STEPS)
        contest = Contest(
            scenario="worker",
            store=store,
            door=f"http, {server}, {plan.loop}",
            shape=f"{CONCURRENCY} slots",
            subject=Contender("worker", partial(_round, _run_all, url, plan.jobs, plan.loop)),
            floors=(
                Contender(STEP_BY_STEP, partial(_round, _step_by_step, url, steps, plan.loop)),
            ),
        )
        return hold(contest, plan.rounds)[0]


async def fill(jobs: int) -> None:
    """Enqueue so many jobs that do nothing; the app is connected."""
    for size in Shape(batch=BATCH).sizes(jobs):
        for made in await app.enqueue_many(calls(size)):
            if isinstance(made, ActorqError):
                raise BenchmarkError(f"the queue refused: {made}")


def calls(count: int) -> list[Call[None]]:
    """Return so many calls of the task that does nothing."""
    return [nothing.call("someone@example.org", locale="en") for _ in range(count)]


async def has_done(worker: Worker, jobs: int) -> None:
    """Wait until a worker has completed so many jobs."""
    with anyio.fail_after(_ROUND_S):
        while worker.figures.completed < jobs:  # noqa: ASYNC110 - nobody is told of each job
            await anyio.sleep(0.002)


async def _whole_lives(url: str, jobs: int) -> float:
    async with open_queue(url) as queue, app.worker(queue, concurrency=CONCURRENCY) as worker:
        started = time.perf_counter()
        await fill(jobs)
        await has_done(worker, jobs)
        return jobs / (time.perf_counter() - started)


def _round(
    run: Callable[[str, int], Awaitable[float]], url: str, jobs: int, loop: LoopName
) -> Mapping[str, float]:
    return {"jobs/s": anyio.run(run, url, jobs, backend=loop)}


async def _run_all(url: str, jobs: int) -> float:
    async with app.connect(url):
        await fill(jobs)
        started = time.perf_counter()
        async with app.worker(url, concurrency=CONCURRENCY) as worker:
            await has_done(worker, jobs)
            return jobs / (time.perf_counter() - started)


async def _step_by_step(url: str, jobs: int) -> float:
    async with app.connect(url) as door:
        await fill(jobs)
        started = time.perf_counter()
        async with anyio.create_task_group() as tasks:
            for _ in range(STEPS):
                tasks.start_soon(_take_steps, door, jobs // STEPS)
        return jobs / (time.perf_counter() - started)


async def _take_steps(door: Door, jobs: int) -> None:
    """Claim a job and acknowledge it, one request after the other."""
    for _ in range(jobs):
        claimed = await door.dequeue(
            QUEUE, worker_id="steps", slots=1, visibility_timeout=None, wait=0.0
        )
        acks = [Ack(job.id, job.lease.token) for job in claimed.jobs if job.lease]
        if len(acks) != 1 or await door.settle(acks) != [None]:
            raise BenchmarkError("a step was refused")
