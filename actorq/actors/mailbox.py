"""Mailboxes and replies: how messages travel, and how their answers come back."""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

import anyio
import anyio.lowlevel

M = TypeVar("M")
R = TypeVar("R")


class MailboxClosed(Exception):
    """Nobody reads this mailbox any more: whoever tells finds the next reader."""


class _Sender(Generic[M]):
    """Somebody who waits for room."""

    __slots__ = ("let_in", "message", "turn")

    def __init__(self, message: M) -> None:
        self.message = message
        self.let_in = False
        self.turn = anyio.Event()


class Mailbox(Generic[M]):
    """A bounded channel with one reader, who takes everything that has arrived.

    That is the whole of group commit: while the reader is busy with one batch, the next gathers. A
    message is in the mailbox until ``take`` returns it, so a reader that is cancelled loses none.
    """

    def __init__(self, capacity: int) -> None:
        """Make room for ``capacity`` messages."""
        self._capacity = capacity
        self._messages: deque[M] = deque()
        self._senders: deque[_Sender[M]] = deque()
        self._arrival: anyio.Event | None = None
        self.open = True
        """Whether messages are still taken."""

    def offer(self, message: M) -> bool:
        """Leave a message if there is room and a reader; tell whether it was left."""
        if not self.open or len(self._messages) >= self._capacity:
            return False
        self._messages.append(message)
        self._wake()
        return True

    async def tell(self, message: M) -> None:
        """Leave a message, waiting for room; raise ``MailboxClosed`` when the reader has gone."""
        if self.offer(message):
            return
        if not self.open:
            raise MailboxClosed
        sender = _Sender(message)
        self._senders.append(sender)
        try:
            await sender.turn.wait()
        finally:
            if not sender.let_in and sender in self._senders:
                self._senders.remove(sender)
        if not sender.let_in:
            raise MailboxClosed

    async def take(self, limit: int) -> list[M]:
        """Wait for a message and return all that have arrived, up to ``limit``; empty at the end."""
        # One turn for everybody else first: what they are about to leave belongs to this batch.
        await anyio.lowlevel.checkpoint()
        while not self._messages:
            if not self.open:
                return []
            self._arrival = arrival = anyio.Event()
            await arrival.wait()
        return self._pop(limit)

    def close(self) -> None:
        """Take nothing new; the reader gets what is there, then the end."""
        self.open = False
        for sender in self._senders:
            sender.turn.set()
        self._senders.clear()
        self._wake()

    def close_if_empty(self) -> bool:
        """Close, unless a message is there or on its way; one step, as no await is in it."""
        if self._messages or self._senders:
            return False
        self.close()
        return True

    def abandon(self) -> list[M]:
        """Close without a reader, and return what nobody will take any more."""
        self.close()
        return self._pop(len(self._messages))

    def _pop(self, limit: int) -> list[M]:
        batch: list[M] = []
        while self._messages and len(batch) < limit:
            batch.append(self._messages.popleft())
            if self._senders:
                sender = self._senders.popleft()
                self._messages.append(sender.message)
                sender.let_in = True
                sender.turn.set()
        return batch

    def _wake(self) -> None:
        if self._arrival is not None:
            self._arrival.set()
            self._arrival = None


class Reply(Generic[R]):
    """The slot into which a request's answer comes.

    A caller that stops waiting has *abandoned* it, and ``set`` says so to whoever serves the request.
    An answer may still come in the very moment in which its caller leaves: then ``value`` holds it,
    and whoever called ``get`` must see to it.
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

    def set(self, value: R) -> bool:
        """Answer; tell whether somebody takes it: nobody does after another answer, or has left."""
        if self.settled or self.abandoned:
            return False
        self._value = (value,)
        self._wake()
        return True

    def fail(self, error: Exception) -> None:
        """Answer with an error, raised at the caller; ignored after an answer."""
        if not self.settled:
            self._error = error
            self._wake()

    def give_up(self, error: Exception) -> None:
        """Let the caller leave with an error: the request counts as abandoned."""
        if not self.settled:
            self.abandoned = True
            self.fail(error)

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
