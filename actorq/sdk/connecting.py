"""From where a queue is to a door to it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlsplit

from actorq.core.place import Place
from actorq.errors import ConfigurationError
from actorq.face import JobQueue
from actorq.sdk.door import Door
from actorq.sdk.embedded import EmbeddedDoor
from actorq.settings import Settings

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

Where: TypeAlias = str | Place | Settings | JobQueue | Door
"""A server's URL (``http``, ``https``), a store as ``open_queue`` takes it, or a queue that is open."""


@asynccontextmanager
async def open_door(where: Where) -> AsyncGenerator[Door]:
    """Open a door to ``where``, for the block; a queue that is open already stays open."""
    if isinstance(where, JobQueue):
        yield EmbeddedDoor(where)
    elif isinstance(where, str) and is_server(where):
        try:
            from actorq.sdk.client.door import open_door as open_client
        except ImportError as error:
            raise ConfigurationError(
                f'reaching a server needs an extra: pip install "actorq[client]" ({error})'
            ) from error
        async with open_client(where) as door:
            yield door
    elif isinstance(where, (str, Place, Settings)):
        from actorq.opening import open_queue

        async with open_queue(where) as queue:
            yield EmbeddedDoor(queue)
    else:
        yield where


def is_server(url: str) -> bool:
    """Tell whether a URL is a server's, and not a store's."""
    try:
        return urlsplit(url).scheme in {"http", "https"}
    except ValueError:
        return False
