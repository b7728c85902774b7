"""The settler: tells the queue how jobs ended, all that wait in one call."""

from __future__ import annotations

import logging
from collections import Counter, deque
from typing import TYPE_CHECKING, Final

import anyio

from actorq.core.commands import Ack, Fail
from actorq.core.retry import Failure
from actorq.errors import ActorqError, InternalError, InvalidInput, LeaseLost, NotFound, NotLeased
from actorq.sdk.door import MOST_ITEMS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actorq.sdk.door import Door, Settling
    from actorq.sdk.worker.book import LeaseBook
    from actorq.sdk.worker.hold import Hold

_FIRST_PAUSE_S: Final = 0.05
_LONGEST_PAUSE_S: Final = 2.0
_MOST_TRIES: Final = 5
"""How often an item is sent that meets a bug of the server; one that is away is asked for ever."""

_log = logging.getLogger("actorq.worker")


class _Entry:
    """One settlement on its way."""

    __slots__ = ("hold", "item", "tries")

    def __init__(self, hold: Hold, item: Settling) -> None:
        self.hold = hold
        self.item = item
        self.tries = 0


class Settler:
    """Gathers settlements while one call is under way, and sends them in the next: group commit.

    A call without an answer is made again until there is one, as a repeat by the same token changes nothing;
    the leases are renewed meanwhile.
    """

    def __init__(self, door: Door, book: LeaseBook) -> None:
        """Settle through ``door``, and strike leases out of ``book``."""
        self._door = door
        self._book = book
        self._entries: deque[_Entry] = deque()
        self._under_way = 0
        self._arrival = anyio.Event()
        self._change = anyio.Event()
        self._is_closed = False
        self._is_away = False
        self.settled: Counter[type[Settling]] = Counter()
        """How many were settled, by the way."""

    @property
    def backlog(self) -> int:
        """How many settlements have no answer yet."""
        return len(self._entries) + self._under_way

    def put(self, hold: Hold, item: Settling) -> None:
        """Settle a job soon."""
        hold.settling = True
        self._entries.append(_Entry(hold, item))
        self._arrival.set()

    async def room(self, most: int) -> None:
        """Wait while more than ``most`` settlements have no answer."""
        while self.backlog > most:
            self._change = anyio.Event()
            await self._change.wait()

    def close(self) -> None:
        """End, once everything is settled."""
        self._is_closed = True
        self._arrival.set()

    async def run(self) -> None:
        """Settle until closed."""
        failures = 0
        while True:
            if not self._entries:
                if self._is_closed:
                    return
                self._arrival = anyio.Event()
                await self._arrival.wait()
                continue
            failures = failures + 1 if await self._settle() else 0
            self._change.set()
            if failures:
                await anyio.sleep(min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** min(failures, 10)))

    async def _settle(self) -> bool:
        """Make one call for all that waits; tell whether some of it must be sent again."""
        count = min(len(self._entries), MOST_ITEMS)
        batch = [self._entries.popleft() for _ in range(count)]
        self._under_way = count
        answers: Sequence[ActorqError | None]
        try:
            answers = await self._door.settle([entry.item for entry in batch])
        except ActorqError as error:
            answers = [error] * count
        if self._is_away and not all(_is_away(answer) for answer in answers):
            self._is_away = False
            _log.info("jobs are settled again")
        again: list[_Entry] = []
        done: list[Hold] = []
        for entry, answer in zip(batch, answers, strict=True):
            if answer is None:
                done.append(entry.hold)
                self.settled[type(entry.item)] += 1
            elif self._is_to_be_sent_again(entry, answer):
                again.append(entry)
            else:
                done.append(entry.hold)
        self._under_way = 0
        self._entries.extendleft(reversed(again))
        self._book.drop(done)
        return bool(again)

    def _is_to_be_sent_again(self, entry: _Entry, error: ActorqError) -> bool:
        """Read a refusal; an entry that is to be sent otherwise is changed."""
        entry.tries += 1
        job = entry.hold.job
        about = {"job_id": job.id, "attempt": job.attempt, "task": job.task}
        if _is_away(error):
            if not self._is_away:
                self._is_away = True
                _log.warning("jobs cannot be settled: %s", error)
            return True
        if isinstance(error, LeaseLost | NotLeased | NotFound):
            _log.warning("a job was settled too late: it belongs to another by now", extra=about)
            return False
        if isinstance(error, InvalidInput) and isinstance(entry.item, Ack):
            # It was done, and to do it again would not help: its result is what cannot be kept.
            reason = f"the result was refused: {error}"
            entry.item = Fail(job.id, entry.hold.token, Failure(reason, retryable=False))
            return True
        if isinstance(error, InternalError) and entry.tries < _MOST_TRIES:
            return True
        _log.error("a job could not be settled: %s", error, extra=about)
        return False


def _is_away(answer: ActorqError | None) -> bool:
    """Tell whether it was the queue that could not answer, and not the job that was refused."""
    return answer is not None and answer.retryable
