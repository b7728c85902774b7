"""A real server behind a proxy that swallows answers: what was repeated took effect once."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio
import pytest

from actorq import Ack, Enqueued, ListJobs, Settled, Status, Workflow
from actorq.sdk.client import ServerUnreachable
from tests.sdk.client.servers import open_odd, open_server
from tests.sdk.client.speakers import STEADY, Kind, speaking, with_each_client

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from tests.sdk.client.servers import OddServer, Served, Visit

pytestmark = with_each_client


@asynccontextmanager
async def losing_the_first() -> AsyncGenerator[tuple[Served, OddServer]]:
    """Open a server, and before it a proxy that loses its first answer."""
    async with open_server() as served:

        async def forward(visit: Visit) -> bytes:
            port = int(served.url.rpartition(":")[2])
            async with await anyio.connect_tcp("127.0.0.1", port) as stream:
                await stream.send(f"{visit.head}\r\n\r\n".encode() + visit.body)
                answer = b""
                while not _is_whole(answer):
                    answer += await stream.receive()
                return answer

        async def lose(visit: Visit) -> None:
            await forward(visit)
            await visit.cut()

        async def pass_on(visit: Visit) -> None:
            await visit.send(await forward(visit))

        async with open_odd(lose, pass_on) as proxy:
            yield served, proxy


def _is_whole(answer: bytes) -> bool:
    head, end, body = answer.partition(b"\r\n\r\n")
    _, found, rest = head.lower().partition(b"content-length: ")
    return bool(end) and len(body) >= (int(rest.split(b"\r\n")[0]) if found else 0)


async def test_an_enqueue_whose_answer_was_lost_makes_one_job(kind: Kind) -> None:
    """It is sent again under its key, and finds the job that it made (§6, I1)."""
    async with losing_the_first() as (served, proxy), speaking(kind, proxy.url, STEADY) as speaker:
        job = await speaker.say(lambda calls: calls.enqueue("work", "x"))
        assert len(proxy.visits) == 2
        assert await served.door.queue.get_queue_length("work") == 1
        assert (await served.door.queue.get_job(job.id)) == job


async def test_a_batch_whose_answer_was_lost_makes_each_job_once(kind: Kind) -> None:
    """Each job of a batch is sent again under a key of its own (§6, I1)."""
    async with losing_the_first() as (served, proxy), speaking(kind, proxy.url, STEADY) as speaker:
        new = [speaker.client.new_job("work", str(n)) for n in range(3)]
        results = await speaker.say(lambda calls: calls.enqueue_many(new))
        jobs = [one.job.payload for one in results if isinstance(one, Enqueued) and one.replayed]
        assert jobs == ["0", "1", "2"]
        assert await served.door.queue.get_queue_length("work") == 3


async def test_jobs_that_depend_on_each_other_are_known_again(kind: Kind) -> None:
    """A batch that is sent again names their parents by place, and makes each job once all the same (§6)."""
    async with losing_the_first() as (served, proxy), speaking(kind, proxy.url, STEADY) as speaker:
        parent = speaker.client.new_job("work", "0")
        child = speaker.client.new_job("work", "1", depends_on=[parent])
        results = await speaker.say(lambda calls: calls.enqueue_many([parent, child]))
        (one, two) = [one.job for one in results if isinstance(one, Enqueued) and one.replayed]
        assert two.workflow == Workflow(depends_on=(one.id,), waiting_for=(one.id,))
        assert len(proxy.visits) == 2
        assert len((await served.door.queue.list_jobs(ListJobs())).jobs) == 2


async def test_settlements_whose_answer_was_lost_are_known_again(kind: Kind) -> None:
    """Each is repeated by its token, and succeeds again (§4)."""
    async with losing_the_first() as (served, proxy), speaking(kind, proxy.url, STEADY) as speaker:
        await served.door.queue.enqueue("work", "x")
        job = await served.door.queue.dequeue("work")
        assert job is not None
        assert job.lease is not None
        token = job.lease.token
        (done,) = await speaker.say(lambda calls: calls.settle([Ack(job.id, token)]))
        assert isinstance(done, Settled)
        assert done.job.status is Status.COMPLETED
        assert len(proxy.visits) == 2


async def test_an_edit_whose_answer_was_lost_is_not_guessed_at(kind: Kind) -> None:
    """What cannot be told apart from somebody else's act is not repeated: its caller looks (§10)."""
    async with losing_the_first() as (served, proxy), speaking(kind, proxy.url, STEADY) as speaker:
        dead = await served.door.bury()
        with pytest.raises(ServerUnreachable) as caught:
            await speaker.say(lambda calls: calls.redrive(dead))
        assert caught.value.was_sent
        assert (await speaker.say(lambda calls: calls.get_job(dead))).status is Status.PENDING
