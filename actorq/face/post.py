"""The post: how the face's verbs reach the dispatcher, and what they share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

import anyio
import msgspec

from actorq.actors.mailbox import Mailbox, Reply
from actorq.core.job import Job
from actorq.core.lease import hidden
from actorq.core.policy import Policy
from actorq.errors import ActorqError, Overloaded, ShuttingDown

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from actorq.actors.messages import DispatcherMessage
    from actorq.core.commands import Extend, Release

R = TypeVar("R")
E = TypeVar("E", ActorqError, None)


class AnswerTo(Protocol):
    """Waits for an answer, within the patience that callers may have with the store."""

    async def __call__(self, reply: Reply[R], /) -> R:
        """Return the answer, or raise ``BackendUnavailable`` when it is overdue."""
        ...


class Extender(Protocol):
    """Renews leases by blocking calls, on a connection of its own; it belongs to one thread."""

    def extend_many(self, items: Sequence[Extend]) -> list[Job | ActorqError]:
        """Renew leases; one result each, in order, an error being a value."""
        ...

    def close(self) -> None:
        """Let the connection go."""
        ...


class Post(msgspec.Struct, frozen=True):
    """What a face needs of the running system: the dispatcher's mailbox, ids, bounds.

    ``draining`` tells whether the server is going away. ``hand_back`` takes jobs which nobody has got, and
    waits for nothing. ``extender`` makes what renews leases without the event loop.
    """

    dispatcher: Mailbox[DispatcherMessage]
    mint_id: Callable[[str], str]
    policy: Policy
    answer: AnswerTo
    draining: Callable[[], bool]
    hand_back: Callable[[Sequence[Release]], None]
    extender: Callable[[], Extender]

    def send(self, message: DispatcherMessage) -> None:
        """Give a message to the dispatcher, or raise: ``Overloaded``, or ``ShuttingDown``."""
        if not self.dispatcher.offer(message):
            if not self.dispatcher.open:
                raise ShuttingDown("actorq is shutting down")
            raise Overloaded("too much waits already; try again shortly")

    def ask(self, message: DispatcherMessage, reply: Reply[R]) -> Awaitable[R]:
        """Send a request which carries ``reply``; wait for its answer, within the patience."""
        self.send(message)
        return self.answer(reply)

    async def ask_for(
        self, message: DispatcherMessage, reply: Reply[R], seconds: float
    ) -> R | None:
        """Wait for an answer at most ``seconds``; then return what held last, if anything.

        An answer that comes in the very moment in which the wait ends is returned, or raised.
        """
        self.send(message)
        with anyio.move_on_after(seconds):
            return await reply.get()
        return await reply.get() if reply.settled else reply.interim


def seen(results: list[Job | E]) -> list[Job | E]:
    """Return what anybody may see: a lease's token is shown to its holder alone."""
    return [hidden(one) if isinstance(one, Job) else one for one in results]


def only(results: list[R | ActorqError]) -> R:
    """Return the one result of a request for one item, raising it if it is a refusal."""
    result = results[0]
    if isinstance(result, ActorqError):
        raise result
    return result
