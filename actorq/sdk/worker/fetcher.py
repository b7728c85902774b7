"""The fetcher of one queue: claims jobs for free slots, and waits for them where there are none."""

from __future__ import annotations

import logging
import math
import random
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import anyio

from actorq.core.results import Claimed
from actorq.errors import ActorqError, ConfigurationError, InternalError, InvalidInput
from actorq.sdk.door import LONGEST_WAIT_S, MOST_ITEMS
from actorq.sdk.worker.hold import RENEW_AT, Hold, Why

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from actorq.sdk.door import Door
    from actorq.sdk.worker.book import LeaseBook
    from actorq.sdk.worker.options import Plan
    from actorq.sdk.worker.slots import Grant, Slots

_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 5.0
_USUAL_LEASE_S: Final = 30.0
_AT_ONCE_S: Final = 0.2
"""An empty answer to a claim that may wait, and comes sooner: the server is going away."""

_log = logging.getLogger("actorq.worker")


class Fetcher:
    """Claims from one queue for as long as the worker takes jobs.

    A queue that cannot be reached is asked again, less and less often; a claim that is wrong in itself (a
    name that cannot be, a missing permission) ends the worker.
    """

    def __init__(
        self,
        queue_name: str,
        *,
        door: Door,
        plan: Plan,
        slots: Slots,
        book: LeaseBook,
        take: Callable[[Sequence[Hold]], None],
        room: Callable[[], Awaitable[None]],
    ) -> None:
        """Ask ``door``, after each time that ``room`` has been waited for; what comes goes to ``take``."""
        self._queue_name = queue_name
        self._door = door
        self._worker_id = plan.worker_id
        self._visibility_timeout = plan.visibility_timeout
        self._slots = slots
        self._book = book
        self._take = take
        self._room = room
        self._lease = plan.visibility_timeout or _USUAL_LEASE_S
        self._failures = 0
        self.contact = -math.inf
        """The last moment at which the queue answered."""

    async def run(self) -> None:
        """Claim until cancelled."""
        while True:
            grant = await self._slots.reserve(self._queue_name)
            holds: list[Hold] = []
            try:
                await self._room()
                holds = await self._fetch(grant)
                await self._keep(holds)
            finally:
                self._slots.answered(self._queue_name, len(holds))
                # Also when the worker stops meanwhile: then they are handed back.
                self._take(holds)
            if not holds and self._failures:
                await self._pause()

    async def _fetch(self, grant: Grant) -> list[Hold]:
        """Make one claim; return what can be started."""
        sent = self._book.clock()
        try:
            claimed = await self._claim(grant)
        except (InvalidInput, ConfigurationError):
            raise
        except ActorqError as error:
            if not error.retryable and not isinstance(error, InternalError):
                raise
            self._failed(error)
            return []
        self.contact = self._book.clock()
        if claimed is None:
            return []
        self._answered(grant, claimed, self.contact - sent)
        holds = [Hold(job, sent) for job in claimed.jobs]
        if holds:
            self._lease = holds[0].visibility_timeout
        return holds

    async def _claim(self, grant: Grant) -> Claimed | None:
        """Ask for jobs; None when the claim was withdrawn in favour of another queue."""
        wait = min(LONGEST_WAIT_S, self._lease * RENEW_AT) if grant.is_patient else 0.0
        with anyio.CancelScope() as scope:
            self._slots.polls(self._queue_name, scope if grant.is_patient else None)
            try:
                return await self._door.dequeue(
                    self._queue_name,
                    worker_id=self._worker_id,
                    slots=min(grant.slots, MOST_ITEMS),
                    visibility_timeout=self._visibility_timeout,
                    wait=wait,
                )
            finally:
                self._slots.polls(self._queue_name, None)
        return None

    def _answered(self, grant: Grant, claimed: Claimed, seconds: float) -> None:
        is_sent_away = grant.is_patient and not claimed.jobs and seconds < _AT_ONCE_S
        if is_sent_away:
            self._failures += 1
        elif self._failures:
            self._failures = 0
            _log.info("jobs are taken again", extra={"queue_name": self._queue_name})

    def _failed(self, error: ActorqError) -> None:
        if not self._failures:
            _log.warning("no jobs can be taken: %s", error, extra={"queue_name": self._queue_name})
        self._failures += 1

    async def _pause(self) -> None:
        """Wait before the next try; at random, so that a thousand workers do not come back at once."""
        longest = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** min(self._failures, 10))
        await anyio.sleep(longest * random.uniform(0.5, 1.0))  # noqa: S311 - no secret

    async def _keep(self, holds: list[Hold]) -> None:
        """Write leases down. What is due for renewal already is renewed before anything is started.

        A claim that waited long, or an event loop that stood still, has used up a part of each lease.
        """
        now = self._book.clock()
        if any(hold.renew_at <= now for hold in holds):
            leases = [hold.extend() for hold in holds]
            with suppress(ActorqError):
                answer = await self._door.renew(self._worker_id, leases)
                for hold, lease in zip(holds, answer.leases, strict=True):
                    hold.renewed(now, lease)
        self._book.add([hold for hold in holds if hold.stopping is not Why.LOST])
