"""Connections: reused, bounded, replaced when the server closes them, and shared by threads."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
import httpx2
import pytest
from msgspec.structs import replace

from actorq import ConfigurationError, ListJobs
from actorq.sdk.client import AsyncClient, Client, ClientOptions
from tests.sdk.client.servers import open_odd, open_server
from tests.sdk.client.speakers import HASTY, Kind, speaking, with_each_client

if TYPE_CHECKING:
    from tests.sdk.client.servers import Visit


async def nothing(visit: Visit) -> None:
    """Answer that there is no job."""
    await visit.answer(204)


@with_each_client
async def test_one_connection_carries_many_calls(kind: Kind) -> None:
    """Calls one after another use the same connection (§9)."""
    async with open_odd(nothing) as server, speaking(kind, server.url) as speaker:
        for _ in range(5):
            assert await speaker.say(lambda calls: calls.dequeue("work")) is None
        assert (server.connections, len(server.visits)) == (1, 5)


@with_each_client
async def test_a_connection_that_the_server_closed_is_not_used(kind: Kind) -> None:
    """Between two calls a server may close a connection: the next call makes another (§10)."""

    async def hang_up(visit: Visit) -> None:
        await visit.answer(204)
        await visit.cut()

    async with open_odd(hang_up) as server, speaking(kind, server.url) as speaker:
        for number in range(1, 4):
            assert await speaker.say(lambda calls: calls.dequeue("work")) is None
            await server.left.wait()
            server.left = anyio.Event()
            assert server.connections == number


@with_each_client
async def test_every_request_says_who_asks(kind: Kind) -> None:
    """Name and version, what is understood, and the headers that the caller adds (§9)."""
    async with open_odd(nothing) as server:
        headers = {"Authorization": "Bearer s3cret", "user-agent": "mine"}
        if kind == "awaiting":
            async with AsyncClient(f"{server.url}/path/", headers=headers) as client:
                await client.dequeue("work")
        else:
            with Client(f"{server.url}/path/", headers=headers) as blocking:
                await anyio.to_thread.run_sync(blocking.dequeue, "work")
        (visit,) = server.visits
        assert visit.head.startswith("POST /path/queues/work/dequeue HTTP/1.1\r\n")
        assert visit.header("authorization") == "Bearer s3cret"
        assert visit.header("user-agent") == "mine"
        assert visit.header("content-type") == "application/json"


async def test_calls_beyond_the_bound_wait_for_a_connection() -> None:
    """No more connections are open than the options allow (I18)."""
    options = replace(HASTY, max_connections=2)
    async with open_server() as served, AsyncClient(served.url, options=options) as client:
        async with anyio.create_task_group() as tasks:
            for number in range(8):
                tasks.start_soon(client.enqueue, "work", str(number))
        assert (await client.get_queue_length("work")).pending == 8


async def test_threads_share_one_client() -> None:
    """A blocking client is used from several threads at once, and each gets its own answers (I16)."""
    async with open_server() as served:
        wrong: list[str] = []

        def work(client: Client, name: str) -> None:
            for number in range(5):
                job = client.enqueue("work", f"{name}-{number}")
                if client.get_job(job.id).payload != f"{name}-{number}":
                    wrong.append(job.id)

        def run() -> None:
            with Client(served.url) as client:
                threads = [threading.Thread(target=work, args=(client, str(n))) for n in range(4)]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()

        await anyio.to_thread.run_sync(run)
        assert not wrong
        assert await served.door.queue.get_queue_length("work") == 20


async def test_all_jobs_of_a_listing_one_by_one() -> None:
    """A listing is walked through page by page, on either client (§9)."""
    async with open_server() as served, AsyncClient(served.url) as client:
        made = [(await served.door.queue.enqueue("work", str(n))).id for n in range(5)]
        query = ListJobs(queue_name="work", limit=2)
        assert [job.id async for job in client.jobs(query)] == made[::-1]

        def walk() -> list[str]:
            with Client(served.url) as blocking:
                return [job.id for job in blocking.jobs(query)]

        assert await anyio.to_thread.run_sync(walk) == made[::-1]


async def test_a_batch_of_any_size_is_cut_into_requests() -> None:
    """Neither the number of items nor the bytes of a request pass the bounds of the options (§9)."""
    options = replace(HASTY, max_batch=3, max_body=1_000)
    async with open_server() as served, AsyncClient(served.url, options=options) as client:
        sizes = [1, 1, 1, 1, 900, 1, 5_000, 1]
        new = [client.new_job("work", "x" * size) for size in sizes]
        await client.enqueue_many(new)
        jobs = [job async for job in client.jobs()]
        assert [len(job.payload) for job in reversed(jobs)] == sizes
        parts = [part for part, _ in client.calls.batches("n", [b"1" * n for n in sizes])]
        assert parts == [slice(0, 3), slice(3, 6), slice(6, 7), slice(7, 8)]
        assert await client.enqueue_many([]) == []


@pytest.mark.parametrize("make", [Client, AsyncClient])
@pytest.mark.parametrize(
    "url",
    [
        "localhost:8080",
        "ftp://host",
        "http://",
        "http:///path",
        "http://host:0",
        "http://host:99999",
        "http://host?x=1",
        "http://host#x",
        "http://[::1",
        "http://ho st",
        "",
    ],
)
def test_an_address_that_is_none(make: type[Client | AsyncClient], url: str) -> None:
    """What is no address of a server is said at once, and not shown (§9)."""
    with pytest.raises(ConfigurationError, match="http://host:8080"):
        make(url)


@pytest.mark.parametrize("headers", [{"a": "b\r\nc: d"}, {"a b": "c"}, {"a": "ü"}])
def test_headers_that_cannot_be_sent(headers: dict[str, str]) -> None:
    """What would make another request of it is refused before anything is sent (§9)."""
    with pytest.raises(ConfigurationError, match="header"):
        Client("http://host", headers=headers)


@pytest.mark.parametrize(
    "wrong",
    [
        {"patience": -1.0},
        {"patience": float("nan")},
        {"timeout": 0.0},
        {"connect_timeout": float("inf")},
        {"max_answer": 0},
        {"max_batch": 0},
    ],
    ids=str,
)
def test_options_that_make_no_sense(wrong: dict[str, float]) -> None:
    """Bounds that no call could keep are refused when they are made (§9)."""
    with pytest.raises(ConfigurationError):
        replace(ClientOptions(), **wrong)


async def test_a_transport_of_the_caller_s_own() -> None:
    """A transport may be given: here one that calls the application without a network (§9)."""
    async with open_server() as served:
        transport = httpx2.ASGITransport(served.door.app)
        async with AsyncClient("http://test", transport=transport) as client:
            job = await client.enqueue("work", "x")
            assert await client.get_job(job.id) == job
