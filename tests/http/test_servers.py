"""The application under each of its servers, over real sockets: hanging up, draining, odd requests."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio
import msgspec
import pytest

from actorq.http import AppOptions, BodyLimits
from actorq.http.server import WHOLE_BODY, serve
from tests.http.door import Door, open_door
from tests.http.shown import Answer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from anyio.abc import SocketStream
    from starlette.types import Receive, Scope, Send

    from actorq.http.server import ServerName

DOORS = [
    pytest.param("asyncio", "hypercorn", id="hypercorn-asyncio"),
    pytest.param("trio", "hypercorn", id="hypercorn-trio"),
    pytest.param("asyncio", "uvicorn", id="uvicorn"),
]
on_every_server = pytest.mark.parametrize(("anyio_backend", "server"), DOORS)


class Site:
    """A server on loopback; ``ended`` counts the requests that came to their end."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self.port = 0
        self.stop = anyio.Event()
        self.bound = anyio.Event()
        self.ended = 0
        self.whole: list[bool] = []
        """Of each request, whether all of its body was there when it began."""
        self._news = anyio.Event()

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, and tell when it has ended."""
        self.whole.append(WHOLE_BODY in scope.get("extensions", ()))
        self._news.set()
        try:
            await self.door.app(scope, receive, send)
        finally:
            self.ended += 1
            self._news.set()

    async def until_begun(self, count: int) -> None:
        """Wait until so many requests have begun."""
        with anyio.fail_after(10):
            while len(self.whole) < count:
                self._news = anyio.Event()
                await self._news.wait()

    async def until_ended(self, count: int) -> None:
        """Wait until so many requests have ended."""
        with anyio.fail_after(10):
            while self.ended < count:
                self._news = anyio.Event()
                await self._news.wait()

    def on_bound(self, host: str, port: int) -> None:
        """Note where the server listens."""
        assert host == "127.0.0.1"
        self.port = port
        self.bound.set()

    @asynccontextmanager
    async def client(self) -> AsyncGenerator[Client]:
        """Connect."""
        async with await anyio.connect_tcp("127.0.0.1", self.port) as stream:
            yield Client(stream)


class Client:
    """One connection, byte by byte."""

    def __init__(self, stream: SocketStream) -> None:
        self.stream = stream
        self._unread = b""

    async def send(self, head: str | bytes, body: bytes = b"") -> None:
        """Send one request: its request line and headers, and its body."""
        raw = head.encode() if isinstance(head, str) else head
        length = b"\r\nContent-Length: %d" % len(body) if body else b""
        await self.stream.send(raw + b"\r\nHost: test" + length + b"\r\n\r\n" + body)

    async def ask(self, head: str | bytes, body: bytes = b"") -> Answer:
        """Send one request and read its answer."""
        await self.send(head, body)
        return await self.answer(with_body=not str(head).startswith("HEAD"))

    async def answer(self, *, with_body: bool = True) -> Answer:
        """Read one answer."""
        with anyio.fail_after(10):
            head = await self._until(b"\r\n\r\n")
            first, *lines = head.decode().split("\r\n")
            headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in lines)}
            status = int(first.split()[1])
            size = int(headers.get("content-length", "0")) if with_body else 0
            while len(self._unread) < size:
                self._unread += await self.stream.receive()
        body, self._unread = self._unread[:size], self._unread[size:]
        return Answer(status, headers, body)

    async def _until(self, end: bytes) -> bytes:
        while end not in self._unread:
            self._unread += await self.stream.receive()
        head, _, self._unread = self._unread.partition(end)
        return head


@asynccontextmanager
async def open_site(server: ServerName, options: AppOptions | None = None) -> AsyncGenerator[Site]:
    """Serve the application on a free port of loopback."""
    async with open_door(options) as door:
        site = Site(door)

        async def run() -> None:
            await serve(
                site.app,
                host="127.0.0.1",
                port=0,
                shutdown=site.stop.wait,
                server=server,
                grace=5.0,
                on_bound=site.on_bound,
            )

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(run)
            await site.bound.wait()
            try:
                yield site
            finally:
                site.stop.set()


async def polling(site: Site, client: Client) -> None:
    """Begin a long poll, and return once the store was asked for a job."""
    asked = anyio.Event()
    site.door.trouble.before = lambda verb: asked.set() if verb == "dequeue" else None
    await client.send("POST /queues/work/dequeue HTTP/1.1", b'{"wait": 20}')
    with anyio.fail_after(10):
        await asked.wait()


@on_every_server
async def test_a_poller_that_hangs_up_is_withdrawn(server: ServerName) -> None:
    """A client that leaves while it waits is noticed at once, and gets no lease (§9, F11)."""
    async with open_site(server) as site:
        async with site.client() as client:
            await polling(site, client)
        await site.until_ended(1)
        job = await site.door.put()
        async with site.client() as other:
            taken = (await other.ask("POST /queues/work/dequeue HTTP/1.1")).job()
        assert (taken.id, taken.attempt, taken.interruptions) == (job.id, 1, 0)


@on_every_server
async def test_a_watcher_that_hangs_up_is_withdrawn(server: ServerName) -> None:
    """A client that waits for a job's change and leaves frees its place (§9, F10)."""
    async with open_site(server, AppOptions(max_waiters=1)) as site:
        job = await site.door.put()
        target = f"GET /jobs/{job.id}?wait=20 HTTP/1.1\r\nIf-None-Match: "
        asked = anyio.Event()
        site.door.trouble.before = lambda verb: asked.set() if verb == "get_job" else None
        for ended in range(1, 3):
            async with site.client() as client:
                await client.send(target + '"1"')
                await asked.wait()
            await site.until_ended(ended)


@on_every_server
async def test_a_poller_gets_the_job(server: ServerName) -> None:
    """A waiting client is answered when a job comes, and its connection goes on (§9)."""
    async with open_site(server) as site, site.client() as client:
        await polling(site, client)
        job = await site.door.put("x" * 200_000)
        taken = (await client.answer()).job()
        assert taken.id == job.id
        done = await client.ask(f"POST /jobs/{job.id}/ack HTTP/1.1")
        assert done.job().status == "completed"


@on_every_server
async def test_a_drain_answers_the_waiting(server: ServerName) -> None:
    """When the system goes away a waiting client is answered at once (§9)."""
    async with open_site(server) as site, site.client() as client:
        await polling(site, client)
        site.door.runtime.drain()
        answer = await client.answer()
        assert (answer.status, answer.headers["actorq-draining"]) == (204, "true")


@on_every_server
async def test_a_connection_carries_many_requests(server: ServerName) -> None:
    """Refusals and empty answers leave a connection usable; HEAD has no body (§9)."""
    async with open_site(server) as site, site.client() as client:
        for _ in range(2):
            made = await client.ask("POST /jobs HTTP/1.1", b'{"queue":"work","payload":"x"}')
            target = f"/jobs/{made.job(201).id}"
            assert (await client.ask("POST /jobs HTTP/1.1", b"{")).status == 400
            assert (await client.ask("GET /nothing HTTP/1.1")).status == 404
            assert (await client.ask("POST /queues/none/dequeue HTTP/1.1")).status == 204
            head = await client.ask(f"HEAD {target} HTTP/1.1")
            assert int(head.headers["content-length"]) > 100
            known = await client.ask(f'GET {target} HTTP/1.1\r\nIf-None-Match: "1"')
            assert (known.status, known.headers["etag"]) == (304, '"1"')


@on_every_server
async def test_a_server_says_that_a_body_is_there(server: ServerName) -> None:
    """A body that came with its head is announced as whole; one that is still to come is not (§9)."""
    body = b'{"queue": "q", "payload": "x"}'
    async with open_site(server) as site, site.client() as client:
        (await client.ask("POST /jobs HTTP/1.1", body)).job(201)
        await client.stream.send(
            b"POST /jobs HTTP/1.1\r\nHost: t\r\nContent-Length: %d\r\n\r\n" % len(body)
        )
        await site.until_begun(2)
        await client.stream.send(body)
        (await client.answer()).job(201)
        assert site.whole == [True, False]


@on_every_server
async def test_a_refusal_of_a_body_arrives(server: ServerName) -> None:
    """A client that is still sending its too large or slow body gets the 413 or 408 (F2, F9)."""
    limits = BodyLimits(max_body=10_000, body_timeout=0.1)
    async with open_site(server, AppOptions(body=limits)) as site:
        async with site.client() as client:
            await client.stream.send(
                b"POST /jobs HTTP/1.1\r\nHost: t\r\nContent-Length: 500000\r\n\r\n" + b"x" * 100_000
            )
            (await client.answer()).problem(413, "body_too_large")
        async with site.client() as client:
            await client.stream.send(
                b"POST /jobs HTTP/1.1\r\nHost: t\r\nContent-Length: 50\r\n\r\n{"
            )
            (await client.answer()).problem(408, "body_too_slow")


ODD = [
    b"GET /jobs/%FF%FE HTTP/1.1",
    b"GET /queues/%00/length HTTP/1.1",
    b"GET /queues/%0d%0aX:1/length HTTP/1.1",
    b"GET /queues/\xc3\xa9/length HTTP/1.1",
    b"GET http://other/jobs HTTP/1.1",
    b"GET jobs HTTP/1.1",
    b"GET * HTTP/1.1",
    b"OPTIONS * HTTP/1.1",
    b"CONNECT test:80 HTTP/1.1",
    b"BREW /jobs HTTP/1.1",
    b"GET /jobs?%FF=%FE&limit=%00 HTTP/1.1",
    b"GET /jobs?\xff HTTP/1.1",
    b"GET //jobs HTTP/1.1",
    b"GET /../jobs HTTP/1.1",
    b"GET /jobs#fragment HTTP/1.1",
    b"GET /jobs HTTP/1.0",
    b"GET /jobs HTTP/1.1\r\nX-Request-Id: \xff\xfe",
    b"GET /jobs HTTP/1.1\r\nHost: other\r\nHost: evil/..",
    b"POST /jobs HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 5",
    b"GET /" + b"a" * 20_000 + b" HTTP/1.1",
]


@on_every_server
@pytest.mark.parametrize("head", ODD, ids=range(len(ODD)))
async def test_odd_requests_are_no_errors_of_ours(server: ServerName, head: bytes) -> None:
    """Whatever a request line or header holds: no 5xx, and the server goes on (F4, F13)."""
    limits = BodyLimits(max_body=10_000, body_timeout=0.1)
    async with open_site(server, AppOptions(body=limits)) as site:
        async with site.client() as client:
            await client.send(head)
            with anyio.fail_after(10):
                try:
                    status = (await client.answer(with_body=False)).status
                except (anyio.EndOfStream, anyio.BrokenResourceError):
                    # Not HTTP at all: the connection ends without a word.
                    status = 400
        assert status < 500, status
        async with site.client() as client:
            answer = await client.ask("GET /healthz HTTP/1.1")
            assert msgspec.json.decode(answer.body) == {"status": "ok"}
