"""Workflows through both doors, in real time: a server over HTTP, threads, and processes of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import pytest

from actorq import App, Context, JobFailed, Reject, Status, chain, group, injected, open_queue
from tests.sdk.rivals import DOORS, open_door

if TYPE_CHECKING:
    from pathlib import Path

PATIENCE_S = 30.0

through_both = pytest.mark.parametrize("kind", DOORS)

mill = App()


@mill.task
async def grow(number: int) -> list[int]:
    """Return something to work on."""
    if number == 13:
        raise Reject("not this one")
    return [number] * number


@mill.task(processes=True)
def grind(context: Context = injected) -> tuple[int, bool]:
    """Work on what was grown, in a process of its own."""
    (grown,) = context.results_from_thread(grow)
    return sum(grown), context.parents_from_thread()[0].status is Status.COMPLETED


@mill.task
def bake(context: Context = injected) -> int:
    """Take what was ground, in a thread."""
    return sum(flour for flour, _ in context.results_from_thread(grind))


@mill.task(queue="late", processes=True, max_retries=0)
def miss(context: Context = injected) -> int:
    """Look for what is gone."""
    return len(context.results_from_thread(grow))


@through_both
async def test_a_workflow_from_end_to_end(kind: str, tmp_path: Path) -> None:
    """A group of chains, and what comes behind it, all of it enqueued in one step (§2)."""
    async with open_door(kind, tmp_path) as door:
        with anyio.fail_after(PATIENCE_S):
            async with mill.worker(door, queues=["default"]):
                lines = [chain(grow.call(number), grind.call()) for number in range(1, 5)]
                handle = await group(lines, then=bake.call()).enqueue()
                assert await handle.result() == 1 + 4 + 9 + 16
                members = handle.parts[0].jobs
                assert await members[1].result() == (1, True)
                assert {await job.status() for job in handle.jobs} == {Status.COMPLETED}
                rotten = await group([grow.call(13), grow.call(1)], then=bake.call()).enqueue()
                assert (await rotten.wait()).status is Status.CANCELLED


async def test_a_process_is_told_what_is_gone() -> None:
    """A parent that is there no more is missed in a process as anywhere else."""
    async with open_queue("memory://") as queue:
        with anyio.fail_after(PATIENCE_S):
            async with mill.worker(queue, queues=["default"]):
                first = await grow.enqueue(1)
                await first.wait()
                handle = await miss.with_options(depends_on=[first]).enqueue()
            await queue.delete(first.id)
            async with mill.worker(queue, queues=["late"]):
                with pytest.raises(JobFailed, match=f"NotFound: no job has the id {first.id}"):
                    await handle.result()
