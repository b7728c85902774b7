"""The returner: gives back jobs which were leased to nobody, until the store has taken them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, assert_never

from actorq.actors import messages as m
from actorq.actors.actor import ask
from actorq.actors.mailbox import Reply
from actorq.core.commands import Release
from actorq.errors import ActorqError, BackendUnavailable, InternalError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actorq.actors.mailbox import Mailbox
    from actorq.core.job import Job
    from actorq.core.results import Settled

STEP: Final = 500
"""How many tokens are looked up, and how many jobs released, in one call."""

MAX_HELD: Final = 10_000
"""How many of each are remembered while the store is away; the leases of what is beyond expire."""

DOUBT_BEATS: Final = 5
"""For how many beats a claim is looked for that took nothing yet: it may reach the store late."""


class Returner:
    """Keeps leases from going into the void, and at-most-once jobs from ending by it.

    A job comes here whose consumer left before it got its lease; and the tokens of a claim of which
    nobody knows whether it took anything. A store that is away is asked again at each beat.
    """

    def __init__(self, *, lane: Mailbox[m.StorageMessage]) -> None:
        """Work through ``lane``."""
        self._lane = lane
        self._owed: list[Release] = []
        self._doubts: dict[str, int] = {}

    async def handle(self, messages: Sequence[m.ReturnerMessage]) -> None:
        """Take in what is to be given back, and see to all of it."""
        beat = False
        for message in messages:
            match message:
                case m.HandBack():
                    self._owe(message.items)
                case m.ClaimsInDoubt():
                    room = MAX_HELD - len(self._doubts)
                    # The first are those of calls that broke off; later ones met a closed door.
                    first = message.tokens[: max(0, room)]
                    self._doubts.update(dict.fromkeys(first, DOUBT_BEATS))
                case m.Beat():
                    beat = True
                case _:
                    assert_never(message)
        await self._settle(beat=beat)

    async def stop(self) -> None:
        """Try once more."""
        await self._settle(beat=False)

    async def _settle(self, *, beat: bool) -> None:
        try:
            if self._doubts:
                await self._look(beat=beat)
            while self._owed:
                await self._release(self._owed[:STEP])
        except ActorqError:
            # Away, or overloaded: what is left is tried again at the next beat.
            return

    def _owe(self, items: Sequence[Release]) -> None:
        self._owed += items[: max(0, MAX_HELD - len(self._owed))]

    async def _look(self, *, beat: bool) -> None:
        """Find the jobs of claims in doubt; forget those that have been looked for long enough."""
        tokens = list(self._doubts)
        for start in range(0, len(tokens), STEP):
            step = tuple(tokens[start : start + STEP])
            reply: Reply[list[Job]] = Reply()
            found = await ask(self._lane, reply, m.FindClaims(step, reply))
            leases = [(job.id, job.lease.token) for job in found if job.lease is not None]
            self._owe([Release(job_id, token) for job_id, token in leases])
            gone = {token for _, token in leases}
            for token in step:
                self._doubts[token] -= beat
                if token in gone or not self._doubts[token]:
                    del self._doubts[token]

    async def _release(self, items: Sequence[Release]) -> None:
        reply: Reply[list[Settled | ActorqError]] = Reply()
        try:
            results = await ask(self._lane, reply, m.ReleaseJobs(tuple(items), reply))
        except InternalError as error:
            # One item that the store will not take: it is in the log, and its lease expires.
            results = [error] * len(items)
        again = [
            item
            for item, result in zip(items, results, strict=True)
            if isinstance(result, BackendUnavailable)
        ]
        self._owed = again + self._owed[len(items) :]
        if again:
            raise BackendUnavailable("some of it is still to be given back")
