"""An old snapshot: what claims cost in PostgreSQL while somebody holds a transaction open for long.

As long as it lasts, the database may throw no dead row away that it could still see: every claim and
every ack leaves some, and a claim that walks over them gets slower with each minute.
"""

from __future__ import annotations

import time
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Final

import anyio
import psycopg

from actorq import open_queue
from benchmarks.contest import Contender, Contest, Result, hold
from benchmarks.doors import embedded
from benchmarks.pick_up import percentiles
from benchmarks.stores import new_store

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from actorq import JobQueue
    from benchmarks.plan import LoopName, Plan

RATE: Final = 200
"""Jobs a second: a round takes as many seconds as its jobs need at this rate."""

HELD: Final = "a snapshot held"
FREE: Final = "none held"

_A_TIME: Final = 10
"""Jobs of one claim."""


def measure(plan: Plan) -> list[Result]:
    """Measure claims under a steady load, with a snapshot that is as old as the load, and without."""
    contest = Contest(
        scenario="snapshot",
        store="postgres",
        door=f"embedded, {plan.loop}",
        shape=f"{plan.jobs / RATE:.0f} s at {RATE} jobs/s",
        subject=Contender(HELD, lambda: _round(plan, is_held=True)),
        floors=(Contender(FREE, lambda: _round(plan, is_held=False)),),
    )
    return hold(contest, plan.rounds)


def _round(plan: Plan, *, is_held: bool) -> Mapping[str, float]:
    with new_store(plan.folder, "postgres") as url:
        return percentiles(_claims(url, plan.jobs, plan.loop, is_held=is_held))


def _claims(url: str, jobs: int, loop: LoopName, *, is_held: bool) -> list[float]:
    """Return how many seconds each claim took."""

    async def run() -> list[float]:
        async with open_queue(url) as queue:
            await embedded.fill(queue, _A_TIME)
            with _snapshot(url) if is_held else nullcontext():
                return await _work(queue, jobs)

    return anyio.run(run, backend=loop)


@contextmanager
def _snapshot(url: str) -> Generator[None]:
    """Hold a transaction open that may look at everything as it is now."""
    with psycopg.connect(url) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.execute("SELECT count(*) FROM pg_class").fetchall()
        yield
        connection.rollback()


async def _work(queue: JobQueue, jobs: int) -> list[float]:
    """Enqueue, claim and complete jobs at the rate; some always wait, so that no claim is empty."""
    seconds: list[float] = []
    started = anyio.current_time()
    for number in range(max(1, jobs // _A_TIME)):
        await anyio.sleep_until(started + number * _A_TIME / RATE)
        await embedded.enqueue(queue, _A_TIME)
        before = time.perf_counter()
        claimed = await embedded.claim(queue, _A_TIME)
        seconds.append(time.perf_counter() - before)
        await embedded.ack(queue, claimed)
    return seconds
