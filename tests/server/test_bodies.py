"""Bodies and answers through the server shell: chunks, interim answers, slow and silent clients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import pytest

from actorq.http.server import ServerOptions
from tests.server.shell import (
    PATIENCE_S,
    echo,
    on_every_server,
    open_shell,
    read_body,
    request,
    respond,
)

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from actorq.http.server import ServerName

MIB = 2**20
CHUNKED = "Transfer-Encoding: chunked"


@on_every_server
async def test_a_body_may_come_in_chunks(server: ServerName) -> None:
    """Chunks of any size, with extensions and trailers, are one body; the connection goes on (§9)."""
    async with open_shell(echo, server) as shell, shell.connect() as wire:
        await wire.send(request("POST /", CHUNKED))
        for piece in (b"5;a=b\r\nhello\r\n", b"1\r\n \r", b"\n0005\r\nworld\r\n0\r\nX: y\r\n\r\n"):
            await wire.send(piece)
        assert (await wire.reply()).body == b"POST / hello world"
        assert (await wire.ask("POST /next", body=b"x" * MIB)).body[-MIB:] == b"x" * MIB


BROKEN = [
    pytest.param(b"zz\r\nhello\r\n", id="no-number"),
    pytest.param(b"-1\r\n", id="negative"),
    pytest.param(b"5\r\nhelloXX", id="no-line-break"),
    pytest.param(b"f" * 40 + b"\r\n", id="too-large"),
    pytest.param(b"5" + b"x" * 200_000, id="endless-size"),
]


@on_every_server
@pytest.mark.parametrize("piece", BROKEN)
async def test_broken_chunks_are_no_body(server: ServerName, piece: bytes) -> None:
    """A body whose chunks cannot be read is never handed over as complete (F12)."""
    complete: list[bytes] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        body = await read_body(receive)
        if body is not None and scope["method"] == "POST":
            complete.append(body)
        await respond(send)

    async with open_shell(app, server) as shell:
        async with shell.connect() as wire:
            await wire.send(request("POST /", CHUNKED) + piece)
            assert not (await wire.rest()).startswith(b"HTTP/1.1 2")
        assert await shell.answers()
    assert complete == []


@on_every_server
async def test_whoever_asks_first_is_told_to_go_on(server: ServerName) -> None:
    """``Expect: 100-continue`` is answered once the body is wanted, and then comes the answer (F2)."""
    async with open_shell(echo, server) as shell, shell.connect() as wire:
        for _ in range(2):
            await wire.send(request("POST /", "Expect: 100-continue", "Content-Length: 5"))
            assert (await wire.reply(with_body=False)).status == 100
            await wire.send(b"hello")
            assert (await wire.reply()).body == b"POST / hello"


@on_every_server
async def test_whoever_asks_first_may_be_told_not_to(server: ServerName) -> None:
    """A body that is refused by its head is not asked for first (F2)."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        await respond(send, 413, b"too large")

    options = ServerOptions(linger=0.1)
    async with open_shell(app, server, options) as shell, shell.connect() as wire:
        await wire.send(request("POST /", "Expect: 100-continue", "Content-Length: 536870912"))
        reply = await wire.reply()
        assert (reply.status, reply.body) == (413, b"too large")
        assert reply.headers["connection"] == "close"
        assert await wire.rest() == b""


@on_every_server
async def test_an_early_answer_reaches_who_is_still_sending(server: ServerName) -> None:
    """An answer that does not wait for the body is read by a client that sends it all first (F2)."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        await respond(send, 413, b"too large")

    async with open_shell(app, server) as shell, shell.connect() as wire:
        await wire.send(request("POST /", f"Content-Length: {64 * MIB}"))
        for _ in range(8):
            await wire.send(b"x" * MIB)
        reply = await wire.reply()
        assert (reply.status, reply.body) == (413, b"too large")
        assert reply.headers["connection"] == "close"


@on_every_server
async def test_who_goes_on_sending_is_cut(server: ServerName) -> None:
    """After an early answer the rest of the body is read for a moment only (F9)."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        await respond(send, 413, b"too large")

    async with open_shell(app, server, ServerOptions(linger=0.1)) as shell:
        async with shell.connect() as wire:
            await wire.send(request("POST /", "Content-Length: 536870912"))
            assert (await wire.reply()).status == 413
            with anyio.fail_after(PATIENCE_S):
                assert await wire.is_broken_off()
        assert await shell.answers()


@on_every_server
async def test_an_answer_may_be_of_unknown_length(server: ServerName) -> None:
    """An answer without a length is sent in chunks as it comes, and the connection goes on (§9)."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        del scope
        await read_body(receive)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for piece in (b"a" * 10, b"", b"b" * 100_000):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"end"})

    async with open_shell(app, server) as shell, shell.connect() as wire:
        for _ in range(2):
            assert (await wire.ask("GET /")).body == b"a" * 10 + b"b" * 100_000 + b"end"


@on_every_server
async def test_a_head_has_the_length_of_its_answer(server: ServerName) -> None:
    """HEAD is answered with the head of the whole answer and without its body (§9)."""
    async with open_shell(echo, server) as shell, shell.connect() as wire:
        for _ in range(2):
            reply = await wire.ask("HEAD /path")
            assert (reply.status, reply.headers["content-length"]) == (200, "11")
        assert (await wire.ask("GET /path")).body == b"GET /path "


class Flood:
    """An application whose answer is large; tells when its request has ended."""

    def __init__(self, pieces: int) -> None:
        self.pieces = pieces
        self.ended = anyio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with as many MiB as there are pieces."""
        del scope
        await read_body(receive)
        length = (b"content-length", b"%d" % (self.pieces * MIB))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": [length]})
            for _ in range(self.pieces):
                body = {"type": "http.response.body", "body": bytes(MIB), "more_body": True}
                await send(body)
            await send({"type": "http.response.body", "body": b""})
        finally:
            self.ended.set()


@on_every_server
async def test_who_does_not_read_is_cut(server: ServerName) -> None:
    """A client that takes nothing of its answer does not hold the request for ever (G2, I18)."""
    app = Flood(64)
    options = ServerOptions(write_timeout=0.2)
    async with open_shell(app, server, options) as shell, shell.connect() as wire:
        await wire.send(request("GET /"))
        with anyio.fail_after(PATIENCE_S):
            await app.ended.wait()
        assert len(await wire.rest()) < 64 * MIB


@on_every_server
async def test_who_reads_slowly_is_served(server: ServerName) -> None:
    """A client that takes its answer piece by piece gets all of it, however long it takes (§9)."""
    app = Flood(12)
    options = ServerOptions(write_timeout=0.4)
    async with open_shell(app, server, options) as shell, shell.connect() as wire:
        await wire.send(request("GET /"))
        start, got = anyio.current_time(), 0
        with anyio.fail_after(PATIENCE_S):
            while got < app.pieces * MIB:
                got += len(await wire.stream.receive(MIB // 4))
                # The pace of the client is what is tested.
                await anyio.sleep(0.015)
        assert anyio.current_time() - start > 0.4
        assert app.ended.is_set()
