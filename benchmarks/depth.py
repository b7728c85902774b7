"""Depth: whether a claim costs the same when a million jobs wait as when a thousand do."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

from anyio.from_thread import BlockingPortal, start_blocking_portal

from actorq import JobQueue, open_queue
from benchmarks.contest import Contender, Contest, Result, hold
from benchmarks.doors import embedded
from benchmarks.plan import Shape
from benchmarks.stores import new_store

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from actorq import Job
    from benchmarks.plan import Plan, StoreName

SHALLOW: Final = 1_000
DEEP: Final = 1_000_000
_QUICK_DEEP: Final = 20_000
_CLAIMED: Final = 500
"""Jobs that a round claims, and gives back afterwards as new ones: the depth stays about the same."""

SHAPES: Final = (Shape(batch=100), Shape(callers=100))


def measure(plan: Plan, store: StoreName) -> list[Result]:
    """Claim from two stores of a kind, a deep one and a shallow one, in turns."""
    deep = max(SHALLOW, min(_QUICK_DEEP, plan.jobs)) if plan.quick else DEEP
    with (
        start_blocking_portal(backend=plan.loop) as portal,
        _filled(plan, store, portal, deep) as deep_queue,
        _filled(plan, store, portal, SHALLOW) as shallow_queue,
    ):
        return [
            result
            for shape in SHAPES
            for result in hold(
                Contest(
                    scenario="depth",
                    store=store,
                    door="embedded",
                    shape=str(shape),
                    subject=_claimer(portal, deep_queue, deep, shape),
                    floors=(_claimer(portal, shallow_queue, SHALLOW, shape),),
                ),
                plan.rounds,
            )
        ]


@contextmanager
def _filled(plan: Plan, store: StoreName, portal: BlockingPortal, jobs: int) -> Generator[JobQueue]:
    with (
        new_store(plan.folder, store) as url,
        portal.wrap_async_context_manager(open_queue(url)) as queue,
    ):
        portal.call(embedded.fill, queue, jobs)
        yield queue


def _claimer(portal: BlockingPortal, queue: JobQueue, jobs: int, shape: Shape) -> Contender:
    def run() -> Mapping[str, float]:
        return {"jobs/s": portal.call(_claim_rate, queue, shape)}

    return Contender(f"{jobs:,} pending", run)


async def _claim_rate(queue: JobQueue, shape: Shape) -> float:
    held: list[Job] = []

    async def claim(size: int) -> None:
        held.extend(await embedded.claim(queue, size))

    calls = [partial(claim, size) for size in shape.sizes(_CLAIMED)]
    seconds = await embedded.drive(calls, shape.callers)
    await embedded.ack(queue, held)
    await embedded.fill(queue, _CLAIMED)
    return _CLAIMED / seconds
