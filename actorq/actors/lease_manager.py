"""The lease manager of one queue: matches waiting consumers with ready jobs, a batch at a time."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, assert_never

from actorq.actors import messages as m
from actorq.actors.actor import ask
from actorq.actors.mailbox import Reply
from actorq.core import calls
from actorq.core.commands import Claim
from actorq.core.results import Claimed
from actorq.errors import ActorqError, BackendUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from actorq.actors.mailbox import Mailbox

MAX_CLAIM: Final = 1_000
"""How many jobs one claim takes at most: what a store does in a few tens of milliseconds."""

IDLE_BEATS: Final = 30
"""After how many beats without a consumer a lease manager is let go."""

UNUSED_BEATS: Final = 2
"""The same for one that never had a job to give: anybody may ask for queues that do not exist."""


class LeaseManager:
    """Holds a queue's waiting consumers in order of arrival, and claims for all of them at once.

    A hint that comes while a claim is under way waits in the mailbox, and causes the next look: no
    wake-up is lost. A consumer that has gone by the time its job arrives never sees the lease; the
    job goes back through the returner, with the interruption counted and no retry spent.
    """

    def __init__(
        self,
        queue_name: str,
        *,
        lane: Mailbox[m.StorageMessage],
        returner: Mailbox[m.ReturnerMessage],
        mint_token: Callable[[], str],
        retire: Callable[[], bool],
    ) -> None:
        """Serve ``queue_name``; ``retire`` closes the manager's own mailbox if it is empty."""
        self._queue_name = queue_name
        self._lane = lane
        self._returner = returner
        self._mint_token = mint_token
        self._retire = retire
        self._waiting: deque[m.Dequeue] = deque()
        self._idle_beats = 0
        self._idle_most = UNUSED_BEATS
        self._limited = False
        self._draining = False

    async def handle(self, messages: Sequence[m.LeaseManagerMessage]) -> None:
        """Take in consumers and hints, then claim if somebody waits and there may be something."""
        look = [self._take_in(message) for message in messages]
        newcomers = [message for message in messages if isinstance(message, m.Dequeue)]
        self._forget_abandoned()
        if self._draining:
            self._answer_all(Claimed())
        elif self._waiting:
            self._idle_beats = 0
            if sum(look) > len(newcomers):
                await self._serve_waiting(MAX_CLAIM)
            elif newcomers:
                # The others have been told that there is nothing. So a crowd of n is not asked for
                # anew with each newcomer; what is found all the same goes to who has waited longest.
                await self._serve_waiting(sum(each.slots for each in newcomers))
        elif any(isinstance(message, m.Beat) for message in messages):
            self._rest()

    async def stop(self) -> None:
        """Answer all who wait: nothing will come any more."""
        self._answer_all(Claimed())

    def _take_in(self, message: m.LeaseManagerMessage) -> bool:
        """Note what ``message`` says; tell whether it is a reason to look for jobs."""
        match message:
            case m.Dequeue():
                self._waiting.append(message)
                return True
            case m.Beat() | m.JobsReady():
                return True
            case m.RoomMade():
                # The end of a lease is news for a queue at its bound of running jobs only.
                return self._limited
            case m.Drain():
                self._draining = True
                return False
            case _:
                assert_never(message)

    def _rest(self) -> None:
        self._idle_beats += 1
        if self._idle_beats >= self._idle_most:
            self._retire()

    async def _serve_waiting(self, slots: int) -> None:
        """Claim until every consumer has something, or the queue has no more; first up to ``slots``."""
        self._limited = False
        while self._waiting:
            consumers = self._next_consumers(slots)
            slots = MAX_CLAIM
            claims = tuple(self._claim(consumer) for consumer in consumers)
            reply: Reply[list[Claimed | ActorqError]] = Reply()
            answers: list[Claimed | ActorqError]
            try:
                answers = await ask(self._lane, reply, m.ClaimJobs(claims, reply))
            except ActorqError as error:
                answers = [error for _ in claims]
            await self._hand_out(consumers, claims, answers)
            away = [answer for answer in answers if isinstance(answer, BackendUnavailable)]
            if away:
                # Whoever waits is told that the store is away, and decides when to come again.
                self._fail_all(away[0])
                return
            empty = [
                answer for answer in answers if isinstance(answer, Claimed) and not answer.jobs
            ]
            if empty:
                self._limited = any(answer.limited for answer in empty)
                self._answer_impatient(empty[-1])
                return
            self._forget_abandoned()

    def _next_consumers(self, most: int) -> list[m.Dequeue]:
        consumers = [self._waiting.popleft()]
        slots = consumers[0].slots
        most = min(most, MAX_CLAIM)
        while self._waiting and slots + self._waiting[0].slots <= most:
            consumers.append(self._waiting.popleft())
            slots += consumers[-1].slots
        return consumers

    def _claim(self, consumer: m.Dequeue) -> Claim:
        return Claim(
            queue_name=self._queue_name,
            worker_id=consumer.worker_id,
            tokens=tuple(self._mint_token() for _ in range(consumer.slots)),
            visibility_timeout=consumer.visibility_timeout,
        )

    async def _hand_out(
        self,
        consumers: list[m.Dequeue],
        claims: Sequence[Claim],
        answers: list[Claimed | ActorqError],
    ) -> None:
        """Answer the consumers that got something; give back what found its consumer gone."""
        undelivered: list[Claimed] = []
        doubts: list[str] = []
        back: list[m.Dequeue] = []
        for consumer, claim, answer in zip(consumers, claims, answers, strict=True):
            if isinstance(answer, ActorqError):
                doubts += claim.tokens
                consumer.reply.fail(answer)
            elif answer.jobs:
                self._idle_most = IDLE_BEATS
                if not consumer.reply.set(answer):
                    undelivered.append(answer)
            elif not consumer.wait:
                consumer.reply.set(answer)
            else:
                consumer.reply.interim = answer
                back.append(consumer)
        self._waiting.extendleft(reversed(back))
        if doubts:
            await self._returner.tell(m.ClaimsInDoubt(tuple(doubts)))
        if items := calls.hand_backs(undelivered):
            await self._returner.tell(m.HandBack(items))

    def _answer_impatient(self, answer: Claimed) -> None:
        """Answer those who do not wait: the queue has just been seen empty (or paused)."""
        empty = Claimed(paused=answer.paused)
        patient: deque[m.Dequeue] = deque()
        for consumer in self._waiting:
            if consumer.wait:
                consumer.reply.interim = empty
                patient.append(consumer)
            else:
                consumer.reply.set(empty)
        self._waiting = patient

    def _forget_abandoned(self) -> None:
        # One that is settled already has its answer from elsewhere: an error of the dispatcher's.
        if any(c.reply.abandoned or c.reply.settled for c in self._waiting):
            left = (c for c in self._waiting if not (c.reply.abandoned or c.reply.settled))
            self._waiting = deque(left)

    def _answer_all(self, answer: Claimed) -> None:
        while self._waiting:
            self._waiting.popleft().reply.set(answer)

    def _fail_all(self, error: ActorqError) -> None:
        while self._waiting:
            self._waiting.popleft().reply.fail(error)
