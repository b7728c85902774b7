"""The timekeeper: measures how far this machine's clock is from the store's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from actorq.actors import messages as m
from actorq.actors.actor import ask
from actorq.actors.mailbox import Reply
from actorq.core.instants import SECOND_US
from actorq.errors import ActorqError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from actorq.actors.mailbox import Mailbox
    from actorq.core.results import Check

LONGEST_US: Final = SECOND_US // 10
"""The longest that a measure may take: it is wrong by half of that at most (contract §7)."""


class Timekeeper:
    """Keeps the ids of several servers in the order of the store's clock.

    The store read its clock somewhere between the question and the answer, most likely half way. A
    store that took too long to answer says too little about its clock: the last measure stays.
    """

    def __init__(
        self,
        *,
        lane: Mailbox[m.StorageMessage],
        clock: Callable[[], int],
        correct: Callable[[int], None],
    ) -> None:
        """Compare the store's clock with ``clock``, and hand ``correct`` how far it is ahead."""
        self._lane = lane
        self._clock = clock
        self._correct = correct

    async def handle(self, messages: Sequence[m.TimekeeperMessage]) -> None:
        """Measure once, however many beats have gathered."""
        del messages
        reply: Reply[Check] = Reply()
        asked_at = self._clock()
        try:
            check = await ask(self._lane, reply, m.CheckStore(reply))
        except ActorqError:
            return
        answered_at = self._clock()
        if 0 <= answered_at - asked_at <= LONGEST_US:
            self._correct(check.now - (asked_at + answered_at) // 2)

    async def stop(self) -> None:
        """Nothing is held here."""
