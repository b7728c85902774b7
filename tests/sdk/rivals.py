"""Queues for workers in real time, each with somebody else who would take what a worker lets go."""

from __future__ import annotations

from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Final

import anyio
import anyio.from_thread

from actorq import open_queue
from actorq.sdk.client.door import open_door as open_client
from actorq.sdk.embedded import EmbeddedDoor
from tests.e2e.server_process import ACTORQ, Server

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator
    from pathlib import Path

    from actorq.sdk.door import Door

DOORS: Final = ("embedded", "http")


@asynccontextmanager
async def open_door(kind: str, folder: Path) -> AsyncGenerator[Door]:
    """Open a door to a queue whose leases somebody else sees to as well, in its own event loop."""
    if kind == "http":
        settings = {"BACKEND": "memory", "LOG_LEVEL": "warning"}
        with Server(folder, *ACTORQ, settings=settings) as server:
            url = await anyio.to_thread.run_sync(server.url)
            async with open_client(url) as door:
                yield door
    else:
        url = f"sqlite:///{folder}/jobs.db"
        with running_elsewhere(url):
            async with open_queue(url) as queue:
                yield EmbeddedDoor(queue)


@contextmanager
def running_elsewhere(url: str) -> Generator[None]:
    """Run a queue on the same store in another thread: it ends leases that run out."""
    with (
        anyio.from_thread.start_blocking_portal() as portal,
        portal.wrap_async_context_manager(open_queue(url)),
    ):
        yield
