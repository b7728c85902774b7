"""The extender: renews leases for a thread that cannot wait for the event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from actorq.actors import messages as m
from actorq.actors.caller import Caller

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from actorq.actors.actor import OnCrash
    from actorq.backends.backend import Backend
    from actorq.core.commands import Extend
    from actorq.core.job import Job
    from actorq.errors import ActorqError


class Extender:
    """A connection of its own, used by one thread: no message, no mailbox, no loop.

    No actor needs to hear of it: a lease that ends later than the reaper was told costs it one look.
    """

    def __init__(self, connect: Callable[[], Backend], on_crash: OnCrash) -> None:
        """Connect on first use; report bugs to ``on_crash``."""
        self._caller = Caller(connect, on_crash)

    def extend_many(self, items: Sequence[Extend]) -> list[Job | ActorqError]:
        """Renew leases, already checked; one result each, in order. Blocks; never raises."""
        return cast("list[Job | ActorqError]", self._caller.batch(m.ExtendLeases, items))

    def close(self) -> None:
        """Let the connection go."""
        self._caller.close()
