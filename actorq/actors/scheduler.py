"""The scheduler: moves what has become due."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, assert_never

from actorq.actors import messages as m
from actorq.actors.actor import Alarm, ask
from actorq.actors.mailbox import Reply
from actorq.errors import ActorqError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actorq.actors.mailbox import Mailbox
    from actorq.core.results import Sweep

PROMOTE_LIMIT: Final = 500
"""How many jobs one round moves: a million due at once must not hold up the claims between."""


class Scheduler:
    """Sleeps until the next due time that the store told it, and promotes then.

    Its alarm rings on the monotonic clock; what is due is the store's decision alone.
    """

    def __init__(self, *, lane: Mailbox[m.StorageMessage], alarm: Alarm) -> None:
        """Work through ``lane``; ``alarm`` decides when the next ``Beat`` comes."""
        self._lane = lane
        self._alarm = alarm

    async def handle(self, messages: Sequence[m.SchedulerMessage]) -> None:
        """Promote at a beat; come earlier for something that is due earlier."""
        beat = False
        for message in messages:
            match message:
                case m.Beat():
                    beat = True
                case m.DueWithin(seconds):
                    self._alarm.no_later_than(seconds)
                case _:
                    assert_never(message)
        if beat:
            await self._promote()

    async def stop(self) -> None:
        """Nothing is held here: the truth is in the store."""

    async def _promote(self) -> None:
        reply: Reply[Sweep] = Reply()
        try:
            sweep = await ask(self._lane, reply, m.PromoteDelayed(PROMOTE_LIMIT, reply))
        except ActorqError:
            # The store is away, or the lane has logged a bug: the next beat tries again.
            return
        if sweep.next_in is not None:
            self._alarm.no_later_than(sweep.next_in)
