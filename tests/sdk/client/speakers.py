"""Both clients behind one face, so that each test speaks for the blocking one and for the awaiting one."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, Literal, Protocol, TypeAlias, TypeVar

import anyio.to_thread
import pytest
from msgspec.structs import replace

from actorq.sdk.client import AsyncClient, Client, ClientOptions

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from actorq.sdk.client.calls import Calls
    from actorq.sdk.client.exchange import Conversation

T = TypeVar("T")

Kind: TypeAlias = Literal["awaiting", "blocking"]

HASTY: Final = ClientOptions(patience=0.0, timeout=5.0)
"""No repeats: a test sees the first thing that goes wrong."""

STEADY: Final = ClientOptions(patience=5.0, timeout=5.0, draw=lambda: 0.0)
"""A few repeats, after the shortest of pauses."""

with_each_client = pytest.mark.parametrize(
    ("anyio_backend", "kind"),
    [
        pytest.param("asyncio", "awaiting", id="asyncio"),
        pytest.param("trio", "awaiting", id="trio"),
        pytest.param("asyncio", "blocking", id="blocking"),
    ],
)
"""The awaiting client on both loops; the blocking one in a thread beside the server's loop."""


class Speaker(Protocol):
    """A client of either kind."""

    async def say(self, call: Callable[[Calls], Conversation[T]]) -> T:
        """Carry out one call."""
        ...


class Awaiting:
    """The client that awaits."""

    def __init__(self, client: AsyncClient) -> None:
        self.client = client

    async def say(self, call: Callable[[Calls], Conversation[T]]) -> T:
        """Carry out one call."""
        return await self.client.carry(call(self.client.calls))


class Blocking:
    """The client that blocks, in a thread."""

    def __init__(self, client: Client) -> None:
        self.client = client

    async def say(self, call: Callable[[Calls], Conversation[T]]) -> T:
        """Carry out one call in a thread."""
        return await anyio.to_thread.run_sync(
            lambda: self.client.carry(call(self.client.calls)), abandon_on_cancel=True
        )


@asynccontextmanager
async def speaking(
    kind: Kind, url: str, options: ClientOptions = HASTY
) -> AsyncGenerator[Awaiting | Blocking]:
    """Open a client of this kind."""
    if kind == "awaiting":
        async with AsyncClient(url, options=options) as client:
            yield Awaiting(client)
    else:
        with Client(url, options=options) as blocking:
            yield Blocking(blocking)


def patient(seconds: float) -> ClientOptions:
    """Return options that repeat for so long."""
    return replace(STEADY, patience=seconds)
