"""Planted: actors that lose wake-ups, waiters, jobs or the order of answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from actorq.actors import messages as m
from actorq.actors.caller import Caller
from actorq.actors.lease_manager import LeaseManager
from actorq.actors.reaper import Reaper
from actorq.actors.returner import Returner
from actorq.actors.scheduler import Scheduler
from actorq.actors.storage import StorageLane
from actorq.core import calls
from actorq.core.results import Claimed
from actorq.errors import ActorqError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from actorq.actors.actor import OnCrash
    from actorq.actors.hints import Hints, News
    from actorq.actors.runners import Runner
    from actorq.actors.verbs import Kind
    from actorq.backends.backend import Backend
    from actorq.core.commands import Claim, Release


class DeafManager(LeaseManager):
    """Look for jobs when a consumer comes, and never again: no hint and no beat is heard."""

    def _take_in(self, message: m.LeaseManagerMessage) -> bool:
        return super()._take_in(message) and isinstance(message, m.Dequeue)


class HintsWithoutBeats(LeaseManager):
    """Trust that every hint arrives: a beat is no reason to look."""

    def _take_in(self, message: m.LeaseManagerMessage) -> bool:
        return super()._take_in(message) and not isinstance(message, m.Beat)


class ForgetfulManager(LeaseManager):
    """Forget, with a beat, the consumers who wait: they get no answer, and no job."""

    async def handle(self, messages: Sequence[m.LeaseManagerMessage]) -> None:
        await super().handle(messages)
        if any(isinstance(message, m.Beat) for message in messages):
            self._waiting.clear()


class JobsIntoTheVoid(LeaseManager):
    """Do not look whether the consumer is still there when its job arrives."""

    async def _hand_out(
        self,
        consumers: list[m.Dequeue],
        claims: Sequence[Claim],
        answers: list[Claimed | ActorqError],
    ) -> None:
        served = [isinstance(answer, Claimed) and bool(answer.jobs) for answer in answers]
        for consumer, answer in zip(consumers, answers, strict=True):
            if isinstance(answer, Claimed) and answer.jobs:
                consumer.reply.set(answer)
        await super()._hand_out(
            [each for each, is_served in zip(consumers, served, strict=True) if not is_served],
            [each for each, is_served in zip(claims, served, strict=True) if not is_served],
            [each for each, is_served in zip(answers, served, strict=True) if not is_served],
        )


class HandsBackTwice(LeaseManager):
    """Hand jobs back although their consumers have got them, when there were several."""

    async def _hand_out(
        self,
        consumers: list[m.Dequeue],
        claims: Sequence[Claim],
        answers: list[Claimed | ActorqError],
    ) -> None:
        await super()._hand_out(consumers, claims, answers)
        if len(consumers) > 1:
            got = [answer for answer in answers if isinstance(answer, Claimed)]
            await self._returner.tell(m.HandBack(calls.hand_backs(got)))


class BareHandBacks(Returner):
    """Give back what nobody got without a token: from whoever has it by then."""

    def _owe(self, items: Sequence[Release]) -> None:
        super()._owe([replace(item, token=None) for item in items])


class _LostClaims(Caller):
    """Takes a claim whose answer was lost for one that took nothing."""

    def _find(self, claims: Sequence[Claim]) -> list[Claimed]:
        return [Claimed() for _ in claims]


class _ClaimsAgain(Caller):
    """Claims a second time when the answer to the first was lost."""

    def _find(self, claims: Sequence[Claim]) -> list[Claimed]:
        return self._connected().dequeue(claims)


class _OtherCaller(StorageLane):
    """A lane with a caller of its own."""

    kind = Caller

    def __init__(
        self,
        *,
        connect: Callable[[], Backend],
        run: Runner,
        hints: Hints,
        on_crash: OnCrash,
    ) -> None:
        super().__init__(connect=connect, run=run, hints=hints, on_crash=on_crash)
        self._caller = self.kind(connect, on_crash)


class LosesClaims(_OtherCaller):
    """Take a claim whose answer was lost for one that found nothing: its leases run out."""

    kind = _LostClaims


class RepeatsClaims(_OtherCaller):
    """Make a claim whose answer was lost once more, under the same tokens."""

    kind = _ClaimsAgain


class ShiftedAnswers(StorageLane):
    """Give each caller of a batch the answer to the one before it."""

    def _call(self, kind: Kind, items: Sequence[object]) -> tuple[list[object], News]:
        results, news = super()._call(kind, items)
        return results[-1:] + results[:-1], news


class GivesUpReaping(Reaper):
    """Stop reaping for good when the store is away once."""

    _over = False

    async def handle(self, messages: Sequence[m.ReaperMessage]) -> None:
        if not self._over:
            await super().handle(messages)

    async def _reap(self) -> None:
        try:
            await super()._reap()
        except ActorqError:
            self._over = True
            raise


class TrustsItsHints(Scheduler):
    """Look once at the start, and then only when told of something that this server has delayed."""

    _looked = False

    async def handle(self, messages: Sequence[m.SchedulerMessage]) -> None:
        hinted = any(isinstance(message, m.DueWithin) for message in messages)
        await super().handle(messages if hinted or not self._looked else ())
        self._looked = True
