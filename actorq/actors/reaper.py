"""The reaper: ends leases whose holders fell silent, prunes what retention lets go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, assert_never

import anyio

from actorq.actors import messages as m
from actorq.actors.actor import Alarm, ask
from actorq.actors.mailbox import Reply
from actorq.errors import ActorqError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actorq.actors.mailbox import Mailbox
    from actorq.core.results import Sweep

REQUEUE_LIMIT: Final = 500
"""How many leases one round ends."""

PRUNE_LIMIT: Final = 500
"""How many jobs one round prunes: a few milliseconds, so it never sits in the way for long."""

PRUNE_EVERY_S: Final = 10.0
"""Seconds between looks for what retention lets go, when nothing is known to be due earlier."""

PRUNE_PAUSE_S: Final = 0.05
"""Seconds between two rounds while more waits: retention may take its time, an ack may not."""


class Reaper:
    """Sleeps until the next lease runs out, as the store told it, and ends what ran out then."""

    def __init__(self, *, lane: Mailbox[m.StorageMessage], alarm: Alarm) -> None:
        """Work through ``lane``; ``alarm`` decides when the next ``Beat`` comes."""
        self._lane = lane
        self._alarm = alarm
        self._prune_at = 0.0

    async def handle(self, messages: Sequence[m.ReaperMessage]) -> None:
        """Reap and prune at a beat; come earlier for a lease that ends earlier."""
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
            try:
                await self._reap()
                if anyio.current_time() >= self._prune_at:
                    await self._prune()
            except ActorqError:
                # The store is away, or the lane has logged a bug: the next beat tries again.
                return

    async def stop(self) -> None:
        """Nothing is held here: the truth is in the store."""

    async def _reap(self) -> None:
        reply: Reply[Sweep] = Reply()
        sweep = await ask(self._lane, reply, m.RequeueExpired(REQUEUE_LIMIT, reply))
        if sweep.next_in is not None:
            self._alarm.no_later_than(sweep.next_in)

    async def _prune(self) -> None:
        reply: Reply[tuple[int, float | None]] = Reply()
        pruned, next_in = await ask(self._lane, reply, m.PruneJobs(PRUNE_LIMIT, reply))
        pause = PRUNE_EVERY_S
        if pruned >= PRUNE_LIMIT:
            pause = PRUNE_PAUSE_S
        elif next_in is not None:
            pause = min(PRUNE_EVERY_S, max(next_in, PRUNE_PAUSE_S))
        self._prune_at = anyio.current_time() + pause
        self._alarm.no_later_than(pause)
