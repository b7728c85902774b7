"""Patience: how long callers wait for the store, without a timer for each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar, cast

from actorq.errors import BackendUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actorq.actors import messages as m
    from actorq.actors.mailbox import Reply

R = TypeVar("R")

BEATS: Final = 10
"""How many beats a patience has: what is overdue is noticed at most one beat late."""


class Patience:
    """Tells callers whose answer is overdue that it did not come, and that the outcome is unknown.

    A deadline for each request would cost as much as the rest of its way to the store. So a request only
    notes in which beat it came, and a beat looks at the oldest of those that still wait.
    """

    def __init__(self) -> None:
        """Begin with the first beat; ``BEATS`` of them make up the patience."""
        self._beat = 0
        # In order of arrival, which is the order in which they become overdue.
        self._came: dict[Reply[object], int] = {}

    async def get(self, reply: Reply[R]) -> R:
        """Wait for the answer; raise ``BackendUnavailable`` when it does not come in time."""
        noted = cast("Reply[object]", reply)
        self._came[noted] = self._beat
        try:
            return await reply.get()
        finally:
            del self._came[noted]

    async def handle(self, messages: Sequence[m.PatienceMessage]) -> None:
        """Give up on what is overdue. Beats that gathered while the loop stood still count as one."""
        del messages
        self._beat += 1
        for reply, came in self._came.items():
            # The beat in which it came was not a whole one: never early.
            if self._beat - came <= BEATS:
                return
            reply.give_up(
                BackendUnavailable("the store took too long; whether it was done is unknown")
            )

    async def stop(self) -> None:
        """Nothing is held here: whoever waits is answered by the lanes, or when they end."""
