"""The messages of one request on their way from its connection to the application."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

import anyio

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.types import Message

_HIGH_WATER: Final = 64 * 1024
_MAX_PIECES: Final = 64


class Inbox:
    """A small queue with back-pressure that a disconnect always gets through.

    Hypercorn's own queue blocks the disconnect, and with it the connection and the request's task,
    for ever when an application answers without having read its body.
    """

    __slots__ = ("_gone", "_messages", "_news", "_room", "_size", "_want", "is_complete")

    def __init__(self, want: Callable[[], Awaitable[None]]) -> None:
        """Start empty, with the client present; ``want`` is called when a message is first waited for."""
        self._want: Callable[[], Awaitable[None]] | None = want
        self._messages: deque[Message] = deque()
        self._size = 0
        self._gone = False
        self.is_complete = False
        """Whether all of the body has arrived."""
        self._news: anyio.Event | None = None
        self._room: anyio.Event | None = None

    async def put(self, message: Message) -> None:
        """Add a message; wait while more than the application should hold lies unread."""
        if message["type"] == "http.disconnect":
            self._gone = True
        elif not self._gone:
            self._messages.append(message)
            self._size += len(message["body"])
            self.is_complete = not message["more_body"]
        if self._news is not None:
            self._news.set()
        if self._gone and self._room is not None:
            self._room.set()
        while not self._gone and (self._size > _HIGH_WATER or len(self._messages) > _MAX_PIECES):
            self._room = anyio.Event()
            await self._room.wait()

    async def receive(self) -> Message:
        """Give the next message (ASGI ``receive``); once the client has gone, say so every time.

        Pieces of the body that came before the client went are handed over first.
        """
        while not self._messages:
            if self._gone:
                return {"type": "http.disconnect"}
            if self._want is not None:
                want, self._want = self._want, None
                await want()
                continue
            # Kept when it is there already: two tasks of one request may wait here.
            if self._news is None or self._news.is_set():
                self._news = anyio.Event()
            await self._news.wait()
        message = self._messages.popleft()
        self._size -= len(message["body"])
        if self._room is not None:
            self._room.set()
        return message
