"""A shop for workers: a whole system in virtual time, an app, and workers that can be hired."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Unpack

import anyio

from actorq import App, Enqueued
from actorq.core.transitions import ENDED
from tests.system.house import open_house

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from actorq import EnqueueOptions, Job, Policy, Worker
    from actorq.sdk.worker import WorkerOptions
    from tests.system.house import House

LONG_S = 36_000.0
"""Virtual seconds after which a test that waits in vain fails."""


class Shop:
    """What a test works with."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.queue = house.queue
        self.app = App()

    @asynccontextmanager
    async def hire(self, **options: Unpack[WorkerOptions]) -> AsyncGenerator[Worker]:
        """Run a worker whose leases are renewed on the virtual clock."""
        options.setdefault("renewal", "loop")
        async with self.app.worker(self.queue, **options) as worker:
            yield worker

    async def order(
        self, name: str, count: int = 1, **options: Unpack[EnqueueOptions]
    ) -> list[str]:
        """Enqueue jobs of a task as a program in another language would; return their ids."""
        options["task"] = name
        new = [self.queue.new_job("default", "{}", **options) for _ in range(count)]
        answers = await self.queue.enqueue_many(new)
        return [answer.job.id for answer in answers if isinstance(answer, Enqueued)]

    async def ended(self, job_id: str) -> Job:
        """Wait until a job has ended."""
        with anyio.fail_after(LONG_S):
            job = await self.queue.get_job(job_id)
            while job.status not in ENDED:
                job = await self.queue.wait_for_change(job_id, job.version, 60.0) or job
            return job


@asynccontextmanager
async def open_shop(policy: Policy | None = None) -> AsyncGenerator[Shop]:
    """Open a shop without workers."""
    async with open_house(policy) as house:
        yield Shop(house)
