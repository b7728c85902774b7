"""The timekeeper: measures how far this machine's clock is from the store's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actorq.actors import messages as m
from actorq.actors.actor import ask
from actorq.actors.mailbox import Reply
from actorq.errors import BackendUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from actorq.actors.mailbox import Mailbox
    from actorq.core.results import Check


class Timekeeper:
    """Keeps the ids of several servers in the order of the store's clock (contract §7)."""

    def __init__(self, *, lane: Mailbox[m.StorageMessage], correct: Callable[[int], None]) -> None:
        """Hand the store's instant to ``correct`` as soon as it has come."""
        self._lane = lane
        self._correct = correct

    async def handle(self, messages: Sequence[m.TimekeeperMessage]) -> None:
        """Measure once, however many beats have gathered."""
        del messages
        reply: Reply[Check] = Reply()
        try:
            check = await ask(self._lane, reply, m.CheckStore(reply))
        except BackendUnavailable:
            return
        self._correct(check.now)

    async def stop(self) -> None:
        """Nothing is held here."""
