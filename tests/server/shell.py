"""A server of the shell around an application of the test's, and its clients, byte by byte."""

from __future__ import annotations

import socket
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final, NamedTuple

import anyio
import pytest

from actorq.http.server import ServerOptions, serve

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable

    from anyio.abc import SocketStream
    from starlette.types import ASGIApp, Receive, Scope, Send

    from actorq.http.server import ServerName

PATIENCE_S: Final = 20.0
"""Seconds after which a test that hangs fails."""

DOORS: Final = [
    pytest.param("asyncio", "hypercorn", id="hypercorn-asyncio"),
    pytest.param("trio", "hypercorn", id="hypercorn-trio"),
    pytest.param("asyncio", "uvicorn", id="uvicorn"),
    pytest.param(("asyncio", {"use_uvloop": True}), "uvicorn", id="uvicorn-uvloop"),
]
on_every_server = pytest.mark.parametrize(("anyio_backend", "server"), DOORS)
on_each_kind = pytest.mark.parametrize(
    ("anyio_backend", "server"), [door for door in DOORS if door.id != "uvicorn"]
)
"""For what takes its time: uvicorn on the loop that it is run on."""

_GONE: Final = (anyio.EndOfStream, anyio.BrokenResourceError)


class Reply(NamedTuple):
    """One answer, as the client has it."""

    status: int
    headers: dict[str, str]
    body: bytes


class Wire:
    """One connection to the server."""

    def __init__(self, stream: SocketStream) -> None:
        self.stream = stream
        self._unread = b""

    async def send(self, data: bytes) -> None:
        """Send these bytes; a server that has closed the connection does not mind."""
        with suppress(anyio.BrokenResourceError):
            await self.stream.send(data)

    async def ask(self, line: str, *headers: str, body: bytes = b"") -> Reply:
        """Send one request and read its answer."""
        await self.send(request(line, *headers, body=body))
        return await self.reply(with_body=not line.startswith("HEAD "))

    async def reply(self, *, with_body: bool = True) -> Reply:
        """Read the next answer, interim ones (1xx) too."""
        with anyio.fail_after(PATIENCE_S):
            first, *lines = (await self._until(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {name.lower(): text for name, _, text in (x.partition(": ") for x in lines)}
            if not with_body:
                body = b""
            elif headers.get("transfer-encoding") == "chunked":
                body = await self._chunks()
            else:
                body = await self._take(int(headers.get("content-length", "0")))
        return Reply(int(first.split()[1]), headers, body)

    async def rest(self) -> bytes:
        """Read until the server closes the connection."""
        with anyio.fail_after(PATIENCE_S):
            while await self._more():
                pass
        rest, self._unread = self._unread, b""
        return rest

    async def is_broken_off(self) -> bool:
        """Go on sending until the server has had enough."""
        while True:
            try:
                await self.stream.send(b"x" * 1_000)
            except anyio.BrokenResourceError:
                return True

    async def _chunks(self) -> bytes:
        body = b""
        while size := int(await self._until(b"\r\n"), 16):
            body += await self._take(size)
            assert await self._until(b"\r\n") == b""
        assert await self._until(b"\r\n") == b""
        return body

    async def _take(self, size: int) -> bytes:
        while len(self._unread) < size:
            assert await self._more(), "the answer was cut short"
        data, self._unread = self._unread[:size], self._unread[size:]
        return data

    async def _until(self, end: bytes) -> bytes:
        while end not in self._unread:
            assert await self._more(), ("no answer but", self._unread)
        data, _, self._unread = self._unread.partition(end)
        return data

    async def _more(self) -> bool:
        try:
            self._unread += await self.stream.receive()
        except _GONE:
            return False
        return True


class Shell:
    """A running server."""

    def __init__(self) -> None:
        self.port = 0
        self.told_to_stop = anyio.Event()
        self.has_stopped = anyio.Event()
        self.bound = anyio.Event()

    @asynccontextmanager
    async def connect(self) -> AsyncGenerator[Wire]:
        """Connect, and close the connection at the end of the block."""
        async with await anyio.connect_tcp("127.0.0.1", self.port) as stream:
            yield Wire(stream)

    async def answers(self) -> bool:
        """Tell whether a new client is served."""
        async with self.connect() as wire:
            return (await wire.ask("GET /")).status < 500

    def note(self, host: str, port: int) -> None:
        """Keep the address at which the server listens."""
        assert host == "127.0.0.1"
        self.port = port
        self.bound.set()


@asynccontextmanager
async def open_shell(
    app: ASGIApp,
    server: ServerName,
    options: ServerOptions | None = None,
    *,
    grace: float = PATIENCE_S,
) -> AsyncGenerator[Shell]:
    """Serve ``app`` on a free port of loopback; leaving the block stops the server in order."""
    shell = Shell()

    async def run() -> None:
        await serve(
            app,
            host="127.0.0.1",
            port=0,
            shutdown=shell.told_to_stop.wait,
            server=server,
            grace=grace,
            on_bound=shell.note,
            options=options or ServerOptions(),
        )
        shell.has_stopped.set()

    with anyio.fail_after(2 * PATIENCE_S):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(run)
            await shell.bound.wait()
            try:
                yield shell
            finally:
                shell.told_to_stop.set()


def request(line: str, *headers: str, body: bytes = b"") -> bytes:
    """Write one request; ``line`` is its method and target, or all of its first line."""
    first = line if line.count(" ") > 1 else f"{line} HTTP/1.1"
    lines = [first, "Host: test", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


async def read_body(receive: Receive) -> bytes | None:
    """Read a request's body to its end; None when the client hung up before."""
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        piece: bytes = message.get("body", b"")
        body += piece
        if not message.get("more_body", False):
            return body


async def respond(
    send: Send, status: int = 200, body: bytes = b"", headers: Iterable[tuple[bytes, bytes]] = ()
) -> None:
    """Write a whole answer."""
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": status, "headers": [length, *headers]})
    await send({"type": "http.response.body", "body": body})


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with method, path and body."""
    body = await read_body(receive)
    if body is not None:
        await respond(send, body=b" ".join([scope["method"].encode(), scope["raw_path"], body]))


def reset(wire: Wire) -> None:
    """Let the connection end by a reset as soon as it is closed, as that of a crashed machine."""
    raw = wire.stream.extra(anyio.abc.SocketAttribute.raw_socket)
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
