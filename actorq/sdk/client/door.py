"""The door that leads to a server: what tasks and workers ask of a queue, asked over HTTP."""

from __future__ import annotations

from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Final

import anyio
from msgspec.structs import replace

from actorq.errors import ActorqError, NotFound
from actorq.sdk.client.async_client import AsyncClient
from actorq.sdk.client.client import Client
from actorq.sdk.client.options import ClientOptions
from actorq.sdk.door import make_all

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator, Mapping, Sequence

    from actorq.core.commands import Extend, Report
    from actorq.core.job import Job
    from actorq.core.results import Claimed, Enqueued, PrunedReplay
    from actorq.core.schedule import NewSchedule
    from actorq.sdk.door import Draft, Renewals, Renewer, Settling

DOOR_OPTIONS: Final = ClientOptions(patience=5.0)
"""A door gives up soon: who uses it knows better how long to go on."""

READERS: Final = 8
"""How many jobs are asked for at a time."""


class ClientDoor:
    """A ``Door`` to the server at ``url``."""

    def __init__(
        self,
        url: str,
        *,
        options: ClientOptions = DOOR_OPTIONS,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Talk to the server by a client of its own."""
        self._url = url
        self._options = options
        self._headers = headers
        self._client = AsyncClient(url, options=options, headers=headers)

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()

    async def enqueue_many(
        self, drafts: Sequence[Draft], /
    ) -> list[Enqueued | PrunedReplay | ActorqError]:
        """Make jobs; one result each, in order."""
        return await self._client.enqueue_many(make_all(drafts, self._client.new_job))

    async def dequeue(
        self,
        queue_name: str,
        *,
        worker_id: str,
        slots: int,
        visibility_timeout: float | None,
        wait: float,
    ) -> Claimed:
        """Take up to ``slots`` jobs."""
        return await self._client.dequeue_many(
            queue_name,
            slots,
            worker_id=worker_id,
            visibility_timeout=visibility_timeout,
            wait=wait,
        )

    async def settle(self, items: Sequence[Settling], /) -> list[ActorqError | None]:
        """Settle jobs; None for each that stands."""
        results = await self._client.settle(items)
        return [one if isinstance(one, ActorqError) else None for one in results]

    async def renew(self, worker_id: str, leases: Sequence[Extend], /) -> Renewals:
        """Renew leases in one call."""
        return await self._client.renew(worker_id, leases)

    @contextmanager
    def renewer(self) -> Generator[Renewer]:
        """Make a client that renews from the thread which enters this."""
        with Client(
            self._url, options=replace(self._options, max_connections=1), headers=self._headers
        ) as client:
            yield client

    async def report(self, item: Report, /) -> Job:
        """Record progress."""
        return await self._client.send_report(item)

    async def get_job(self, job_id: str, /) -> Job:
        """Return a job."""
        return await self._client.get_job(job_id)

    async def get_jobs(self, job_ids: Sequence[str], /) -> list[Job | None]:
        """Return jobs in the order asked: some requests at a time, as there is none for many."""
        found: list[Job | None] = [None] * len(job_ids)
        refusals: list[ActorqError] = []
        left = iter(enumerate(job_ids))

        async def read() -> None:
            for place, job_id in left:
                try:
                    found[place] = await self._client.get_job(job_id)
                except NotFound:
                    pass
                except ActorqError as error:
                    refusals.append(error)
                if refusals:
                    return

        async with anyio.create_task_group() as tasks:
            for _ in range(min(READERS, len(job_ids))):
                tasks.start_soon(read)
        if refusals:
            raise refusals[0]
        return found

    async def wait_for_change(self, job_id: str, version: int, wait: float, /) -> Job | None:
        """Wait up to ``wait`` seconds until the job is no longer at ``version``."""
        return await self._client.wait_for_change(job_id, version, wait)

    async def cancel(self, job_id: str, /) -> Job:
        """Cancel a waiting job, or ask the holder of a running one to stop."""
        return await self._client.cancel(job_id)

    async def declare_schedules(self, news: Sequence[NewSchedule], /) -> None:
        """Say what the program's code holds of its schedules."""
        for new in news:
            await self._client.declare_schedule(new)


@asynccontextmanager
async def open_door(
    url: str,
    *,
    options: ClientOptions = DOOR_OPTIONS,
    headers: Mapping[str, str] | None = None,
) -> AsyncGenerator[ClientDoor]:
    """Open a door to the server at ``url``, for as long as the block lasts."""
    door = ClientDoor(url, options=options, headers=headers)
    try:
        yield door
    finally:
        await door.close()
