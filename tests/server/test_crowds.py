"""The application behind its servers, in a crowd: slow clients, many waiting ones, and those that leave."""

from __future__ import annotations

import socket
from collections import Counter
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Final

import anyio
import anyio.lowlevel

from actorq.http import AppOptions, BodyLimits
from actorq.http.server import ServerOptions
from tests.http.door import open_door
from tests.http.shown import Answer
from tests.server.shell import PATIENCE_S, Wire, on_each_kind, on_every_server, open_shell, request

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from actorq.http.server import ServerName
    from tests.http.door import Door
    from tests.http.shown import Shown
    from tests.server.shell import Shell

IDLE_S: Final = 0.3
BODY_S: Final = 0.5
OF_EACH: Final = 50
WAITING: Final = 1_000
SOON_S: Final = 1.0

POLL: Final = request("POST /queues/work/dequeue", body=b'{"wait": 20}')


class Counted:
    """Counts the requests that an application is at."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._news = anyio.Event()
        self.under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        self._count(1)
        try:
            await self._app(scope, receive, send)
        finally:
            self._count(-1)

    def _count(self, more: int) -> None:
        self.under_way += more
        self._news.set()

    async def until(self, count: int) -> None:
        """Wait until so many requests are under way."""
        while self.under_way != count:
            self._news = anyio.Event()
            await self._news.wait()


HALF: Final = b'POST /jobs HTTP/1.1\r\nHost: t\r\nContent-Length: 1000\r\n\r\n{"payload": '
SLOW: Final[list[tuple[bytes, bytes, bool]]] = [
    (b"", b"", False),
    (b"GET / HTTP/1.1\r\nX: ", b"x", False),
    (HALF, b"", True),
    (HALF, b" ", True),
]
"""What a slow client sends first, what then now and then, and whether it gets a word for it."""


async def be_slow(shell: Shell, first: bytes, then: bytes, *, is_told: bool) -> None:
    """Be a slow client until the server has had enough."""
    async with shell.connect() as wire, anyio.create_task_group() as tasks:
        await wire.send(first)

        async def drip() -> None:
            while then:
                # The pace of the client is what is tested.
                await anyio.sleep(IDLE_S / 10)
                await wire.send(then)

        tasks.start_soon(drip)
        if is_told:
            Answer(*await wire.reply()).problem(408, "body_too_slow")
        assert await wire.rest() == b""
        tasks.cancel_scope.cancel()


@on_every_server
async def test_slow_clients_are_cut_while_others_are_served(server: ServerName) -> None:
    """Silent clients, dripping heads, dripping and stalled bodies: each is cut, nobody waits (F9)."""
    limits = BodyLimits(max_body=10_000, body_timeout=BODY_S, rate_grace=BODY_S)
    options = ServerOptions(idle_timeout=IDLE_S, linger=0.1)
    async with (
        open_door(AppOptions(body=limits)) as door,
        open_shell(door.app, server, options) as shell,
    ):
        with anyio.fail_after(PATIENCE_S):
            async with anyio.create_task_group() as tasks:
                for first, then, is_told in SLOW * OF_EACH:
                    tasks.start_soon(
                        lambda f, t, i: be_slow(shell, f, t, is_told=i), first, then, is_told
                    )
                for _ in range(20):
                    async with shell.connect() as wire:
                        assert (await wire.ask("GET /queues")).status == 200
        assert await door.queue.list_queues() == []


@on_each_kind
async def test_a_thousand_may_wait_and_leave(server: ServerName) -> None:
    """A thousand clients wait, one more is refused, and all leave: their places are free at once (F10)."""
    async with open_door(AppOptions(max_waiters=WAITING)) as door:
        app = Counted(door.app)
        async with open_shell(app, server) as shell:
            async with AsyncExitStack() as crowd:
                for _ in range(WAITING):
                    wire = await crowd.enter_async_context(shell.connect())
                    await wire.send(POLL)
                await app.until(WAITING)
                async with shell.connect() as late:
                    await late.send(POLL)
                    refusal = Answer(*await late.reply())
                    refusal.problem(503, "overloaded")
                    assert int(refusal.headers["retry-after"]) >= 1
                    # Who does not wait is served all the same.
                    assert (await late.ask("POST /queues/work/dequeue")).status == 204
                await app.until(WAITING)
            with anyio.fail_after(SOON_S):
                await app.until(0)
            job = await door.put()
            async with shell.connect() as wire:
                await wire.send(POLL)
                assert job.id.encode() in (await wire.reply()).body


RACES: Final = 200
TURNS: Final = 20
"""Turns of the loop after which a waiting client is known to wait, or has been answered."""


async def turns(count: int) -> None:
    """Let the loop go round."""
    for _ in range(count):
        await anyio.lowlevel.checkpoint()


def begin_to_wait(port: int) -> socket.socket:
    """Ask for a job, on a bare socket of which nobody reads ahead."""
    client = socket.create_connection(("127.0.0.1", port))
    client.setblocking(False)
    client.sendall(POLL)
    return client


def has_news(client: socket.socket) -> bool:
    """Tell whether anything of an answer has arrived."""
    try:
        return bool(client.recv(1, socket.MSG_PEEK))
    except BlockingIOError:
        return False


async def race(door: Door, port: int, after: int) -> Shown | None:
    """Make a job for a waiting client, and let the client look and go ``after`` turns of the loop.

    Returns the job as the client has it; None if it found nothing and left.
    """
    asked = anyio.Event()

    def before(verb: str) -> None:
        if verb == "dequeue":
            asked.set()

    door.trouble.before = before
    with begin_to_wait(port) as client:
        await asked.wait()
        await turns(TURNS)
        await door.put()
        await turns(after)
        if not has_news(client):
            return None
        async with await anyio.abc.SocketStream.from_socket(client.dup()) as stream:
            return Answer(*await Wire(stream).reply()).job()


@on_every_server
async def test_no_lease_goes_to_who_has_left(server: ServerName) -> None:
    """A client leaves just as the job comes: it has the whole answer, or the job goes on at once (F11).

    Everything runs in one thread, so a client that finds nothing in its socket and closes it has left
    before a byte was written to it, in whichever turn of the loop that happens.
    """
    outcomes = Counter[str]()
    async with open_door() as door, open_shell(door.app, server) as shell:
        for number in range(RACES):
            with anyio.fail_after(PATIENCE_S):
                job = await race(door, shell.port, number % TURNS)
            if job is None:
                with anyio.fail_after(SOON_S):
                    job = await door.take(wait=20)
                outcomes["left"] += 1
                outcomes["interrupted"] += job.interruptions
            else:
                outcomes["stayed"] += 1
            assert job.attempt == job.interruptions + 1
            ack = await door.call("POST", f"/jobs/{job.id}/ack", {"lease": job.token})
            assert (ack.job().status, ack.job().errors) == ("completed", [])
    assert outcomes["left"] + outcomes["stayed"] == RACES
    assert min(outcomes.values()) > 0, outcomes
