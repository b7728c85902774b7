"""Connections of the server shell: how many, how long they may idle, and how they carry requests."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import anyio

from actorq.http.server import ServerOptions
from tests.server.shell import Reply, echo, on_every_server, open_shell, request

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from actorq.http.server import ServerName

SHORT_S = 0.2
SOONEST_S, LATEST_S = SHORT_S - 0.01, 5.0
"""From above there is room for a machine under load, from below for the grain of a loop's clock."""


@on_every_server
async def test_connections_beyond_the_bound_wait(server: ServerName) -> None:
    """With as many connections as allowed the next one is not refused, it waits for its turn (F10)."""
    seen: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["path"])
        await echo(scope, receive, send)

    async with open_shell(app, server, ServerOptions(max_connections=2)) as shell:
        async with shell.connect() as first, shell.connect() as second, shell.connect() as third:
            await first.ask("GET /first")
            await second.ask("GET /second")
            await third.send(request("GET /third"))
            for _ in range(10):
                await first.ask("GET /first")
            assert "/third" not in seen
            await second.stream.aclose()
            assert (await third.reply()).body == b"GET /third "
        assert await shell.answers()


@on_every_server
async def test_a_silent_connection_is_closed(server: ServerName) -> None:
    """Who connects and says nothing is let go when the time for a head is over (F9)."""
    options = ServerOptions(idle_timeout=SHORT_S)
    async with open_shell(echo, server, options) as shell, shell.connect() as wire:
        start = anyio.current_time()
        assert await wire.rest() == b""
        assert SOONEST_S <= anyio.current_time() - start < LATEST_S


@on_every_server
async def test_a_connection_is_kept_for_a_while(server: ServerName) -> None:
    """After its answer a connection is kept as long as a head may take, and no longer (F9)."""
    options = ServerOptions(idle_timeout=SHORT_S)
    async with open_shell(echo, server, options) as shell, shell.connect() as wire:
        await wire.ask("GET /")
        start = anyio.current_time()
        await wire.ask("GET /")
        assert await wire.rest() == b""
        assert SOONEST_S <= anyio.current_time() - start < LATEST_S


@on_every_server
async def test_empty_lines_keep_no_connection(server: ServerName) -> None:
    """Line breaks where a head should be do not stop the clock (F9)."""
    options = ServerOptions(idle_timeout=SHORT_S)
    async with open_shell(echo, server, options) as shell, shell.connect() as wire:
        await wire.ask("GET /")
        await wire.send(b"\r\n")
        await wire.rest()


@on_every_server
async def test_a_dripping_head_is_cut(server: ServerName) -> None:
    """A head that comes byte by byte is cut as late as a silent one; others are served (F9)."""
    options = ServerOptions(idle_timeout=SHORT_S)
    async with open_shell(echo, server, options) as shell, shell.connect() as wire:
        start = anyio.current_time()
        await wire.send(b"GET / HTTP/1.1\r\nX: ")

        async def drip() -> None:
            while True:
                await wire.send(b"x")
                # The pace of the client is what is tested.
                await anyio.sleep(SHORT_S / 20)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(drip)
            async with shell.connect() as other:
                await other.ask("GET /")
            assert await wire.rest() == b""
            tasks.cancel_scope.cancel()
        assert SOONEST_S <= anyio.current_time() - start < LATEST_S


@on_every_server
async def test_a_connection_carries_requests_one_after_the_other(server: ServerName) -> None:
    """A connection is kept until either side says that it is the last request, or is HTTP/1.0 (§9)."""
    async with open_shell(echo, server) as shell:
        async with shell.connect() as wire:
            for number in range(50):
                line, body = f"POST /{number}", b"x" * number
                assert (await wire.ask(line, body=body)).body == line.encode() + b" " + body
            reply = await wire.ask("GET /last", "Connection: close")
            assert reply.headers["connection"] == "close"
            assert await wire.rest() == b""
        async with shell.connect() as wire:
            assert (await wire.ask("GET / HTTP/1.0")).status == 200
            assert await wire.rest() == b""


@on_every_server
async def test_requests_may_be_sent_ahead(server: ServerName) -> None:
    """Requests that are sent in one piece are answered one by one, in their order (F12)."""
    async with open_shell(echo, server) as shell, shell.connect() as wire:
        lines = [f"POST /{number}" for number in range(20)]
        await wire.send(b"".join(request(line, body=b"abc") for line in lines))
        replies = [await wire.reply() for _ in lines]
        assert [reply.body for reply in replies] == [f"{line} abc".encode() for line in lines]


@on_every_server
async def test_who_sends_too_far_ahead_is_cut(server: ServerName) -> None:
    """While one request is answered, no more than a bounded heap of later ones is taken (I18)."""
    go_on = anyio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await go_on.wait()
        await echo(scope, receive, send)

    async with open_shell(app, server) as shell, shell.connect() as wire:
        heap = request("GET /") * 1_000
        await wire.send(request("GET /"))
        sent = 0
        with anyio.move_on_after(SHORT_S), suppress(anyio.BrokenResourceError):
            while sent < 2**26:
                await wire.stream.send(heap)
                sent += len(heap)
        assert sent < 2**26
        go_on.set()


@on_every_server
async def test_a_reply_has_a_head_of_its_own(server: ServerName) -> None:
    """Every answer has a date, and nothing that names the program which made it (§9)."""
    async with open_shell(echo, server) as shell, shell.connect() as wire:
        reply: Reply = await wire.ask("GET /")
        assert reply.headers["date"].endswith(" GMT")
        assert "server" not in reply.headers
