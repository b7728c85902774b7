"""What connections and requests leave behind when they are over: nothing (row G1; I18)."""

from __future__ import annotations

import gc
from collections import Counter
from typing import TYPE_CHECKING, Final

import anyio
import anyio.lowlevel
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from actorq.http.request import Request
from actorq.http.server_connection import Connection
from actorq.http.server_inbox import Inbox
from actorq.http.server_protocol import Protocol
from actorq.http.server_uvicorn_connection import BoundedProtocol
from tests.http.door import open_door
from tests.server.shell import PATIENCE_S, on_each_kind, open_shell, request, reset

if TYPE_CHECKING:
    from actorq.http.server import ServerName
    from tests.server.shell import Shell

ROUNDS: Final = 100
OF_ONE_REQUEST: Final = (
    Connection,
    Protocol,
    Inbox,
    BoundedProtocol,
    RequestResponseCycle,
    Request,
)
JOB: Final = b'{"queue_name": "work", "payload": "x"}'


async def use(shell: Shell) -> None:
    """Have a server meet clients of every kind."""
    async with shell.connect() as wire:
        assert (await wire.ask("POST /jobs", body=JOB)).status == 201
        assert (await wire.ask("POST /jobs", body=b"{")).status == 400
        assert (await wire.ask("GET /none")).status == 404
        await wire.send(b"nonsense\r\n\r\n")
        await wire.rest()
    async with shell.connect() as wire:
        await wire.send(request("POST /queues/none/dequeue", body=b'{"wait": 20}'))
    async with shell.connect() as wire:
        await wire.send(request("POST /jobs", "Content-Length: 100") + b"half")
        reset(wire)
    async with shell.connect() as wire:
        await wire.send(request("GET /queues") * 3)


def leftovers() -> Counter[str]:
    """Count the objects of connections and requests that somebody still holds."""
    gc.collect()
    # By their types alone: what is lazy would be woken by the question what it is an instance of.
    kinds = Counter(map(type, gc.get_objects()))
    return Counter(
        {kind.__name__: count for kind, count in kinds.items() if issubclass(kind, OF_ONE_REQUEST)}
    )


@on_each_kind
async def test_nothing_is_left_of_what_is_over(server: ServerName) -> None:
    """When its clients have gone a server has as many tasks as before, and none of their objects."""
    async with open_door() as door, open_shell(door.app, server) as shell:
        await use(shell)
        # What stays, once it is there: the managers of the queues that were asked for.
        await anyio.wait_all_tasks_blocked()
        before = len(anyio.get_running_tasks())
        for _ in range(ROUNDS):
            await use(shell)
        with anyio.fail_after(PATIENCE_S):
            while len(anyio.get_running_tasks()) > before:
                await anyio.lowlevel.checkpoint()
            # The last connection may still be closing.
            while leftovers():
                await anyio.wait_all_tasks_blocked()
