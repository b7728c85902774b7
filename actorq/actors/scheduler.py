"""The scheduler: moves what has become due, and fires schedules."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final, assert_never

import anyio

from actorq.actors import messages as m
from actorq.actors.actor import Alarm, ask
from actorq.actors.mailbox import Reply
from actorq.errors import ActorqError, BackendUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actorq.actors.mailbox import Mailbox
    from actorq.core.results import Sweep

PROMOTE_LIMIT: Final = 500
"""How many jobs one round moves: a million due at once must not hold up the claims between."""


FIRE_LIMIT: Final = 100
"""How many jobs of schedules one round makes."""

LOOK_EVERY_S: Final = 10.0
"""Seconds between looks for ticks when none is known to come earlier. Who defines a schedule tells its own
server, and ticks that are known of are known everywhere; this is for what was said to nobody who lived."""


class Scheduler:
    """Sleeps until the next due time that the store told it, and promotes and fires then.

    Its alarm rings on the monotonic clock; what is due is the store's decision alone. Jobs become due much
    more often than ticks come, so that it is noted for itself when to look for those.
    """

    def __init__(self, *, lane: Mailbox[m.StorageMessage], alarm: Alarm) -> None:
        """Work through ``lane``; ``alarm`` decides when the next ``Beat`` comes."""
        self._lane = lane
        self._alarm = alarm
        self._fire_at = 0.0

    async def handle(self, messages: Sequence[m.SchedulerMessage]) -> None:
        """Promote and fire at a beat; come earlier for something that is due earlier."""
        beat = False
        for message in messages:
            match message:
                case m.Beat():
                    beat = True
                case m.DueWithin(seconds):
                    self._alarm.no_later_than(seconds)
                case m.TickWithin(seconds):
                    self._fire_at = min(self._fire_at, anyio.current_time() + seconds)
                    self._alarm.no_later_than(seconds)
                case _:
                    assert_never(message)
        if beat:
            await self._see_to_what_is_due()

    async def stop(self) -> None:
        """Nothing is held here: the truth is in the store."""

    async def _see_to_what_is_due(self) -> None:
        # When the store is away, or the lane has logged a bug, the next beat tries again.
        try:
            await self._promote()
        except BackendUnavailable:
            return
        except ActorqError:
            # Whatever is wrong there need not be wrong here.
            pass
        with suppress(ActorqError):
            if anyio.current_time() >= self._fire_at:
                await self._fire()
            # The alarm forgets at each ring what lies beyond its longest pause.
            self._alarm.no_later_than(self._fire_at - anyio.current_time())

    async def _promote(self) -> None:
        reply: Reply[Sweep] = Reply()
        sweep = await ask(self._lane, reply, m.PromoteDelayed(PROMOTE_LIMIT, reply))
        if sweep.next_in is not None:
            self._alarm.no_later_than(sweep.next_in)

    async def _fire(self) -> None:
        reply: Reply[Sweep] = Reply()
        sweep = await ask(self._lane, reply, m.FireSchedules(FIRE_LIMIT, reply))
        self._fire_at = anyio.current_time() + LOOK_EVERY_S
        if sweep.next_in is not None:
            self._fire_at = min(self._fire_at, anyio.current_time() + sweep.next_in)
