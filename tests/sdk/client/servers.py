"""Servers for clients: a real one on a memory store, and odd ones that answer as a test tells them."""

from __future__ import annotations

from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import anyio

from tests.http.door import open_door
from tests.server.shell import open_shell

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from anyio.abc import SocketStream

    from actorq.core.policy import Policy
    from actorq.http import AppOptions
    from tests.http.door import Door

    Act = Callable[["Visit"], Awaitable[None]]
    """What an odd server does with one request."""

_GONE = (anyio.BrokenResourceError, anyio.EndOfStream)


class Served:
    """A real server and what stands behind it."""

    def __init__(self, door: Door, url: str) -> None:
        self.door = door
        self.url = url


@asynccontextmanager
async def open_server(
    options: AppOptions | None = None, *, policy: Policy | None = None
) -> AsyncGenerator[Served]:
    """Serve a queue on a memory store by the server that runs on both loops."""
    async with (
        open_door(options, policy=policy) as door,
        open_shell(door.app, "hypercorn") as shell,
    ):
        yield Served(door, f"http://127.0.0.1:{shell.port}")


class Visit:
    """One request at an odd server: what it was, and the connection to answer on."""

    def __init__(self, stream: SocketStream, head: str, body: bytes) -> None:
        self.stream = stream
        self.head = head
        self.body = body

    def header(self, name: str) -> str:
        """Return a header's value; empty when it is not there."""
        for line in self.head.split("\r\n")[1:]:
            key, _, value = line.partition(": ")
            if key.lower() == name:
                return value
        return ""

    async def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        await self.stream.send(data)

    async def answer(self, status: int, body: bytes = b"", *headers: str) -> None:
        """Send a whole answer."""
        lines = [f"HTTP/1.1 {status} x", f"Content-Length: {len(body)}", *headers, "", ""]
        await self.send("\r\n".join(lines).encode() + body)

    async def cut(self) -> None:
        """Close the connection."""
        await self.stream.aclose()


class OddServer:
    """Answers the n-th request with its n-th act, and all that follow with the last."""

    def __init__(self, *acts: Act) -> None:
        self._acts = acts
        self.port = 0
        self.visits: list[Visit] = []
        self.connections = 0
        self.left = anyio.Event()
        """Set when a client has closed a connection."""

    @property
    def url(self) -> str:
        """The address of the server."""
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, stream: SocketStream) -> None:
        """Serve one connection to its end."""
        self.connections += 1
        async with stream:
            with suppress(*_GONE, anyio.ClosedResourceError):
                while True:
                    visit = await _read(stream)
                    self.visits.append(visit)
                    act = self._acts[min(len(self.visits), len(self._acts)) - 1]
                    await act(visit)
        self.left.set()


async def _read(stream: SocketStream) -> Visit:
    data = b""
    while b"\r\n\r\n" not in data:
        data += await stream.receive()
    head, _, body = data.partition(b"\r\n\r\n")
    visit = Visit(stream, head.decode(), b"")
    while len(body) < int(visit.header("content-length") or "0"):
        body += await stream.receive()
    visit.body = body
    return visit


@asynccontextmanager
async def open_odd(*acts: Act) -> AsyncGenerator[OddServer]:
    """Open an odd server on a free port of loopback."""
    server = OddServer(*acts)
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with listener, anyio.create_task_group() as tasks:
        server.port = listener.extra(anyio.abc.SocketAttribute.local_port)
        tasks.start_soon(listener.serve, server.serve)
        yield server
        tasks.cancel_scope.cancel()
