"""Mailboxes and replies: how messages travel, and how their answers come back."""

from __future__ import annotations

from contextlib import suppress
from typing import Generic, TypeVar

import anyio
from anyio import BrokenResourceError, ClosedResourceError, EndOfStream, WouldBlock

M = TypeVar("M")
R = TypeVar("R")


class MailboxClosed(Exception):
    """Nobody reads this mailbox any more: whoever tells finds the next reader."""


class Mailbox(Generic[M]):
    """A bounded memory channel with one reader, who takes everything that has arrived.

    That is the whole of group commit: while the reader is busy with one batch, the next gathers.
    """

    def __init__(self, capacity: int) -> None:
        """Make room for ``capacity`` messages."""
        self._send, self._receive = anyio.create_memory_object_stream[M](capacity)
        self.open = True
        """Whether messages are still taken."""

    def offer(self, message: M) -> bool:
        """Leave a message if there is room and a reader; tell whether it was left."""
        try:
            self._send.send_nowait(message)
        except (WouldBlock, ClosedResourceError, BrokenResourceError):
            return False
        return True

    async def tell(self, message: M) -> None:
        """Leave a message, waiting for room; raise ``MailboxClosed`` when the reader has gone."""
        try:
            await self._send.send(message)
        except (ClosedResourceError, BrokenResourceError):
            raise MailboxClosed from None

    async def take(self, limit: int) -> list[M]:
        """Wait for a message and return all that have arrived, up to ``limit``; empty at the end."""
        batch: list[M] = []
        # Messages may stand before the end: they come first, the empty batch next time.
        with suppress(WouldBlock, EndOfStream):
            batch.append(await self._receive.receive())
            while len(batch) < limit:
                batch.append(self._receive.receive_nowait())
        return batch

    def close(self) -> None:
        """Take nothing new; the reader gets what is there, then the end."""
        self.open = False
        self._send.close()

    def close_if_empty(self) -> bool:
        """Close, unless a message is there or on its way; one step, as no await is in it."""
        state = self._send.statistics()
        if state.current_buffer_used or state.tasks_waiting_send:
            return False
        self.close()
        return True


class Reply(Generic[R]):
    """The slot into which a request's answer comes.

    A caller that stops waiting has *abandoned* it, and whoever serves the request looks. An answer
    may still come in the very moment in which its caller leaves: then ``value`` holds it, and whoever
    called ``get`` must see to it.
    """

    __slots__ = ("_error", "_event", "_value", "abandoned", "interim")

    def __init__(self) -> None:
        """Start without an answer."""
        self._event: anyio.Event | None = None
        self._value: tuple[R] | None = None
        self._error: Exception | None = None
        self.abandoned = False
        self.interim: R | None = None
        """What holds if the caller stops waiting now, for requests which wait on purpose."""

    @property
    def settled(self) -> bool:
        """Whether an answer or an error has come."""
        return self._value is not None or self._error is not None

    @property
    def value(self) -> R | None:
        """The answer, if one has come."""
        return None if self._value is None else self._value[0]

    def set(self, value: R) -> None:
        """Answer; a second answer is ignored."""
        if not self.settled:
            self._value = (value,)
            self._wake()

    def fail(self, error: Exception) -> None:
        """Answer with an error, raised at the caller; ignored after an answer."""
        if not self.settled:
            self._error = error
            self._wake()

    async def get(self) -> R:
        """Wait for the answer; being cancelled meanwhile abandons the request."""
        try:
            if not self.settled:
                self._event = anyio.Event()
                await self._event.wait()
        except BaseException:
            self.abandoned = True
            raise
        if self._error is not None:
            raise self._error
        assert self._value is not None
        return self._value[0]

    def _wake(self) -> None:
        if self._event is not None:
            self._event.set()
