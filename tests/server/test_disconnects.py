"""A client that leaves is noticed by whoever answers it, whatever it sent before (rows F10, F11)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import pytest

from actorq.http.server import ServerOptions, disconnected
from tests.server.shell import (
    PATIENCE_S,
    Wire,
    on_every_server,
    open_shell,
    read_body,
    request,
    reset,
    respond,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Receive, Scope, Send

    from actorq.http.server import ServerName

SOON_S = 1.0
"""The time within which the place of a client that left is free again."""


class Watch:
    """An application that waits for its client to leave, and then answers all the same."""

    def __init__(self, *, reads: bool = True) -> None:
        self.reads = reads
        self.begun = anyio.Event()
        self.left = anyio.Event()
        self.ended = anyio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer ``/quick`` at once, everything else when nobody is there any more."""
        if scope["path"] == "/quick":
            await respond(send)
            return
        if self.reads:
            await read_body(receive)
        self.begun.set()
        await disconnected(receive)
        self.left.set()
        # Whatever is written for nobody is no error, and the word that nobody is there does not change.
        await respond(send, body=b"x" * 1_000_000)
        assert (await receive())["type"] == "http.disconnect"
        self.ended.set()


WAYS: dict[str, Callable[[Wire], object]] = {"close": lambda _: None, "reset": reset}
REQUESTS = {
    "get": request("GET /"),
    "post": request("POST /", body=b"hello"),
    "upgrade": request("GET /", "Connection: Upgrade", "Upgrade: websocket"),
    "http/1.0": request("GET / HTTP/1.0"),
    "ahead": request("GET /") + request("GET /quick") * 3,
    "half-ahead": request("GET /") + b"GET /qui",
}


@on_every_server
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("data", REQUESTS.values(), ids=REQUESTS)
async def test_who_leaves_is_noticed(
    server: ServerName, data: bytes, way: Callable[[Wire], object]
) -> None:
    """The application learns within a second that its client has gone, however it went (F10)."""
    app = Watch()
    async with open_shell(app, server) as shell:
        async with shell.connect() as wire:
            await wire.send(data)
            await app.begun.wait()
            way(wire)
        with anyio.fail_after(SOON_S):
            await app.left.wait()
        with anyio.fail_after(PATIENCE_S):
            await app.ended.wait()
        async with shell.connect() as other:
            assert (await other.ask("GET /quick")).status == 200


@on_every_server
async def test_who_leaves_while_it_sends_ahead_is_noticed(server: ServerName) -> None:
    """Requests that come while another is answered do not hide that their client has gone (F10)."""
    app = Watch()
    async with open_shell(app, server) as shell:
        async with shell.connect() as wire:
            await wire.send(request("GET /"))
            await app.begun.wait()
            await wire.send(request("GET /quick") * 3)
            await anyio.wait_all_tasks_blocked()
        with anyio.fail_after(SOON_S):
            await app.left.wait()


@on_every_server
async def test_who_leaves_within_its_body_is_noticed(server: ServerName) -> None:
    """A body that breaks off is no complete one: the application is told instead (F9)."""
    seen: list[object] = []
    news = anyio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, send
        seen.append(await read_body(receive))
        news.set()

    async with open_shell(app, server) as shell:
        async with shell.connect() as wire:
            await wire.send(request("POST /", "Content-Length: 100") + b"x" * 99)
        with anyio.fail_after(SOON_S):
            await news.wait()
    assert seen == [None]


@on_every_server
async def test_who_leaves_with_its_body_unread_is_noticed(server: ServerName) -> None:
    """A body that nobody reads does not hide that its client has gone (F10)."""
    app = Watch(reads=False)
    async with open_shell(app, server) as shell:
        async with shell.connect() as wire:
            await wire.send(request("POST /", body=b"x" * 10_000))
            await app.begun.wait()
        with anyio.fail_after(SOON_S):
            await app.left.wait()


@on_every_server
async def test_places_are_free_again(server: ServerName) -> None:
    """Connections that ended, in whatever way, count no more against the bound (F10)."""
    app = Watch()
    async with open_shell(app, server, ServerOptions(max_connections=2)) as shell:
        for number in range(20):
            with anyio.fail_after(PATIENCE_S):
                async with shell.connect() as wire, shell.connect() as other:
                    assert (await other.ask("GET /quick")).status == 200
                    await wire.send(b"GET /" if number % 2 else request("POST /", body=b"x"))
                    if number % 3:
                        reset(wire)
