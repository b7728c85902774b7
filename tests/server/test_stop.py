"""The stop of the server shell: who is still served, who is let go, and when it is over (§9, G3)."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import anyio
import pytest

from actorq.errors import ConfigurationError
from actorq.http.server import ServerOptions, bind, serve
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
    from collections.abc import Awaitable, Callable

    from starlette.types import Receive, Scope, Send

    from actorq.http.server import ServerName

GRACE_S = 0.3
LATE_S = 1.0
"""A stop is over within the grace and this (G3)."""


class Slow:
    """An application whose answers to ``/slow`` wait for a word; ``cancelled`` counts those cut."""

    def __init__(self) -> None:
        self.begun = anyio.Event()
        self.go_on = anyio.Event()
        self.cancelled = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, when it is time."""
        await read_body(receive)
        if scope["path"] == "/slow":
            self.begun.set()
            try:
                await self.go_on.wait()
            except anyio.get_cancelled_exc_class():
                self.cancelled += 1
                raise
        await respond(send, body=b"done")


@on_every_server
async def test_a_stop_closes_what_is_idle_and_answers_what_is_not(server: ServerName) -> None:
    """Idle connections end at once; a request in flight is answered and its connection closed."""
    app = Slow()
    async with open_shell(app, server) as shell:
        async with shell.connect() as fresh, shell.connect() as kept, shell.connect() as busy:
            await kept.ask("GET /quick")
            await busy.send(request("GET /slow"))
            await app.begun.wait()
            shell.told_to_stop.set()
            assert await kept.rest() == b""
            assert await fresh.rest() == b""
            assert not shell.has_stopped.is_set()
            with pytest.raises(OSError, match="connect"):
                await anyio.connect_tcp("127.0.0.1", shell.port)
            app.go_on.set()
            reply = await busy.reply()
            assert (reply.body, reply.headers["connection"]) == (b"done", "close")
            assert await busy.rest() == b""
        await shell.has_stopped.wait()
    assert app.cancelled == 0


@on_every_server
async def test_a_stop_lets_a_body_come_to_its_end(server: ServerName) -> None:
    """A request whose body is still coming when the stop begins is read and answered."""
    async with open_shell(echo, server) as shell, shell.connect() as wire:
        await wire.send(request("POST /", "Content-Length: 10") + b"first")
        await anyio.wait_all_tasks_blocked()
        shell.told_to_stop.set()
        await anyio.wait_all_tasks_blocked()
        await wire.send(b" last")
        assert (await wire.reply()).body == b"POST / first last"


@on_every_server
async def test_the_grace_bounds_the_stop(server: ServerName) -> None:
    """A request that goes on beyond the grace is cut, and the server is gone soon after (G3)."""
    app = Slow()
    async with open_shell(app, server, grace=GRACE_S) as shell, shell.connect() as wire:
        await wire.send(request("GET /slow"))
        await app.begun.wait()
        start = anyio.current_time()
        shell.told_to_stop.set()
        await shell.has_stopped.wait()
        assert GRACE_S - 0.01 <= anyio.current_time() - start < GRACE_S + LATE_S
        # A connection that ends, and nothing that looks like a whole answer.
        assert not (await wire.rest()).startswith(b"HTTP/1.1 2")
        assert app.cancelled == 1


async def _never_reads(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with more than a connection takes up."""
    del scope
    await read_body(receive)
    await respond(send, body=bytes(2**26))


async def _never_ends(scope: Scope, receive: Receive, send: Send) -> None:
    """Wait for a body that does not come."""
    del scope, send
    await read_body(receive)


HANGING = [
    pytest.param(b"GET / HTTP/1.1\r\nHost: t\r\n", echo, id="half-a-head"),
    pytest.param(request("POST /", "Content-Length: 9"), _never_ends, id="half-a-body"),
    pytest.param(request("GET /"), _never_reads, id="unread-answer"),
]


@on_every_server
@pytest.mark.parametrize(("data", "app"), HANGING)
async def test_no_client_holds_the_stop(
    server: ServerName, data: bytes, app: Callable[[Scope, Receive, Send], Awaitable[None]]
) -> None:
    """A client in the middle of anything does not keep the server beyond its grace (G3)."""
    options = ServerOptions(idle_timeout=60.0, write_timeout=60.0, linger=60.0)
    async with open_shell(app, server, options, grace=GRACE_S) as shell, shell.connect() as wire:
        await wire.send(data)
        await anyio.wait_all_tasks_blocked()
        start = anyio.current_time()
        shell.told_to_stop.set()
        await shell.has_stopped.wait()
        assert anyio.current_time() - start < GRACE_S + LATE_S


@on_every_server
async def test_a_cancelled_server_leaves_nothing_behind(server: ServerName) -> None:
    """Whoever runs the server may cancel it: requests are cut, and the port is free again."""
    app = Slow()
    bound: list[int] = []
    ready = anyio.Event()

    def note(host: str, port: int) -> None:
        del host
        bound.append(port)
        ready.set()

    async def run() -> None:
        await serve(
            app,
            host="127.0.0.1",
            port=0,
            shutdown=anyio.Event().wait,
            server=server,
            on_bound=note,
        )

    with anyio.fail_after(PATIENCE_S):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(run)
            await ready.wait()
            async with await anyio.connect_tcp("127.0.0.1", bound[0]) as stream:
                await stream.send(request("GET /slow"))
                await app.begun.wait()
                tasks.cancel_scope.cancel()
    assert app.cancelled == 1
    with bind("127.0.0.1", bound[0]) as listener:
        assert listener.getsockname()[1] == bound[0]


@pytest.mark.parametrize(
    ("host", "port", "why"),
    [
        ("127.0.0.1", None, "in use by another program"),
        ("no.such.host.invalid", 0, "no.such.host.invalid"),
        ("192.0.2.1", 0, "192.0.2.1:0"),
        ("127.0.0.1", 70_000, "127.0.0.1:70000"),
        ("a" * 70, 0, "cannot listen"),
    ],
)
def test_an_address_that_cannot_be_had_is_named(host: str, port: int | None, why: str) -> None:
    """Whatever is wrong with the address: one clear error that names it."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        wanted = other.getsockname()[1] if port is None else port
        with pytest.raises(ConfigurationError, match="cannot listen on") as caught:
            bind(host, wanted)
    assert why in str(caught.value)


@pytest.mark.parametrize("anyio_backend", ["trio"])
async def test_uvicorn_needs_asyncio() -> None:
    """The combination that cannot work is refused before the port is taken."""
    with pytest.raises(ConfigurationError, match="asyncio only"):
        await serve(echo, host="127.0.0.1", port=0, shutdown=anyio.Event().wait, server="uvicorn")
