"""The door to a server: what tasks and workers ask of a queue, asked over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio.to_thread
import pytest

from actorq import Ack, Enqueued, Extend, Fail, LeaseLost, NotFound, Release, Report, Status
from actorq.sdk.client import ServerUnreachable
from actorq.sdk.client.door import open_door
from actorq.sdk.door import Draft, Held
from tests.sdk.client.servers import open_odd, open_server

if TYPE_CHECKING:
    from actorq.sdk.door import Door, Renewals
    from tests.sdk.client.servers import Visit


async def test_a_life_through_the_door() -> None:
    """Made, claimed, renewed, reported on, settled and looked at: every call of the protocol (§9)."""
    async with open_server() as served, open_door(served.url) as opened:
        door: Door = opened
        drafts = [Draft(queue_name="work", payload="x", options={"priority": n}) for n in (1, 2, 3)]
        made = await door.enqueue_many(drafts)
        assert [one.job.priority for one in made if isinstance(one, Enqueued)] == [1, 2, 3]
        claimed = await door.dequeue(
            "work", worker_id="w", slots=3, visibility_timeout=None, wait=0.0
        )
        (three, two, one) = ((job.id, job.lease.token) for job in claimed.jobs if job.lease)
        renewed = await door.renew("w", [Extend(*one), Extend(two[0], "stale")])
        assert [lease.status for lease in renewed.leases] == [Held.OK, Held.LOST]
        assert (await door.report(Report(*one, "7"))).progress == "7"
        settled = await door.settle([Ack(*one), Fail(*two), Release(*three), Ack(two[0], "stale")])
        assert settled[:3] == [None, None, None]
        assert isinstance(settled[3], LeaseLost)
        job = await door.get_job(one[0])
        assert job.status is Status.COMPLETED
        assert await door.wait_for_change(job.id, job.version, 0.0) is None
        assert (await door.cancel(three[0])).status is Status.CANCELLED
        with pytest.raises(NotFound):
            await door.get_job("nothing")


async def test_leases_are_renewed_from_another_thread() -> None:
    """A renewer has connections of its own, and blocks nobody but its thread (§4)."""
    async with open_server() as served, open_door(served.url) as door:
        await served.door.queue.enqueue("work", "x")
        claimed = await door.dequeue(
            "work", worker_id="w", slots=1, visibility_timeout=5.0, wait=0.0
        )
        (job,) = claimed.jobs
        assert job.lease is not None
        lease = Extend(job.id, job.lease.token, 60.0)

        def renew() -> Renewals:
            with door.renewer() as renewer:
                return renewer.renew("w", [lease])

        renewed = await anyio.to_thread.run_sync(renew)
        assert renewed.leases[0].visibility_timeout == 60.0


async def test_a_renewal_is_not_waited_for_longer_than_it_is_of_use() -> None:
    """A server that says nothing is given a third of the shortest lease, repeats included (§4)."""

    async def hang(visit: Visit) -> None:
        await visit.stream.receive()

    async with open_odd(hang) as server, open_door(server.url) as door:
        leases = [Extend("a", "t", 60.0), Extend("b", "t", 1.0)]
        start = anyio.current_time()
        with pytest.raises(ServerUnreachable):
            await door.renew("w", leases)
        assert 0.3 < anyio.current_time() - start < 30.0
