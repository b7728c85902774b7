"""A caller that is cancelled while jobs are on their way to it loses none of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import anyio
import msgspec
from msgspec.structs import replace

from actorq.core.job import Lease, create
from actorq.core.transitions import Status
from actorq.core.wire.views import job_view
from actorq.sdk.client import AsyncClient, async_wire
from actorq.testing.clock import START_US
from tests.core.records import ID, new
from tests.sdk.client.servers import open_odd, open_server
from tests.sdk.client.speakers import HASTY

if TYPE_CHECKING:
    import pytest

    from tests.sdk.client.servers import Visit

RUNNING: Final = replace(
    create(new(queue_name="work"), START_US),
    status=Status.RUNNING,
    lease=Lease("token", "w", START_US, START_US + 1, 30.0),
)
JOBS: Final = msgspec.json.encode([job_view(RUNNING, holder=True)])


class Delivery:
    """An answer to a claim that comes in two halves, with a pause between them."""

    def __init__(self) -> None:
        self.has_begun = anyio.Event()
        self.go_on = anyio.Event()

    async def __call__(self, visit: Visit) -> None:
        """Answer slowly."""
        await visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(JOBS))
        await visit.send(JOBS[:50])
        self.has_begun.set()
        await self.go_on.wait()
        await visit.send(JOBS[50:])


async def take_back(visit: Visit) -> None:
    """Answer to a settlement."""
    await visit.answer(200, b'{"results":[]}')


async def test_a_waiting_claim_is_withdrawn() -> None:
    """A claim that is cancelled while it waits takes no job any more (§9)."""
    async with open_server() as served, AsyncClient(served.url, options=HASTY) as client:
        with anyio.move_on_after(0.05):
            await client.dequeue("work", wait=20.0)
        queue = served.door.queue
        job = await queue.enqueue("work", "x")
        taken = await queue.dequeue("work", wait=5.0)
        assert taken is not None
        assert taken.id == job.id


async def test_what_was_on_its_way_is_handed_back() -> None:
    """An answer that has begun to come in is read to its end, and its jobs are released (§9)."""
    delivery = Delivery()
    async with (
        open_odd(delivery, take_back) as server,
        AsyncClient(server.url, options=HASTY) as client,
    ):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.dequeue, "work")
            await delivery.has_begun.wait()
            tasks.cancel_scope.cancel()
            delivery.go_on.set()
        claim, back = server.visits
        assert claim.head.startswith("POST /queues/work/dequeue ")
        assert back.head.startswith("POST /jobs/settle ")
        (item,) = msgspec.json.decode(back.body)["items"]
        assert (item["id"], item["action"], item["lease"]) == (ID, "release", "token")


async def test_what_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A caller that was cancelled is not kept by an answer that stalls: the server has its rest (§9)."""
    monkeypatch.setattr(async_wire, "UNDO_S", 0.05)
    delivery = Delivery()
    async with (
        open_odd(delivery, take_back) as server,
        AsyncClient(server.url, options=HASTY) as client,
    ):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.dequeue, "work")
            await delivery.has_begun.wait()
            tasks.cancel_scope.cancel()
        assert len(server.visits) == 1
        delivery.go_on.set()


async def test_a_claim_that_nobody_cancels_takes_its_time() -> None:
    """A slow answer is waited for, and is the caller's (§9)."""
    delivery = Delivery()
    async with (
        open_odd(delivery, take_back) as server,
        AsyncClient(server.url, options=HASTY) as client,
        anyio.create_task_group() as tasks,
    ):

        async def go_on() -> None:
            await delivery.has_begun.wait()
            delivery.go_on.set()

        tasks.start_soon(go_on)
        job = await client.dequeue("work")
        assert job is not None
        assert job.id == ID
        assert len(server.visits) == 1


async def test_a_pool_of_one_connection_survives_cancellations() -> None:
    """A cancelled call leaves no connection behind that is counted as open (I18)."""
    options = replace(HASTY, max_connections=1)
    async with open_server() as served, AsyncClient(served.url, options=options) as client:
        for delay in (0.0, 0.0005, 0.001, 0.002, 0.004, 0.01):
            with anyio.move_on_after(delay):
                await client.dequeue("work", wait=20.0)
        await client.enqueue("work", "x")
        # The server may give the job to one that has left, and takes it back as soon as it notices.
        assert await client.dequeue("work", wait=20.0) is not None
