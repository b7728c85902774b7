"""The lease manager of one queue: matches waiting consumers with ready jobs, a batch at a time."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, assert_never

from actorq.actors import messages as m
from actorq.actors.actor import ask
from actorq.actors.mailbox import Reply
from actorq.core.commands import Claim, Release
from actorq.core.results import Claimed
from actorq.errors import ActorqError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from actorq.actors.mailbox import Mailbox

MAX_CLAIM: Final = 1_000
"""How many jobs one claim takes at most: what a store does in a few tens of milliseconds."""

IDLE_BEATS: Final = 30
"""After how many beats without a consumer a lease manager is let go."""


class LeaseManager:
    """Holds a queue's waiting consumers in order of arrival, and claims for all of them at once.

    A hint that comes while a claim is under way waits in the mailbox, and causes the next look: no
    wake-up is lost. A consumer that has gone by the time its job arrives never sees the lease; the
    job is released, with the attempt's interruption counted and no retry spent.
    """

    def __init__(
        self,
        queue_name: str,
        *,
        lane: Mailbox[m.StorageMessage],
        mint_token: Callable[[], str],
        retire: Callable[[], bool],
    ) -> None:
        """Serve ``queue_name``; ``retire`` closes the manager's own mailbox if it is empty."""
        self._queue_name = queue_name
        self._lane = lane
        self._mint_token = mint_token
        self._retire = retire
        self._waiting: deque[m.Dequeue] = deque()
        self._idle_beats = 0
        self._draining = False

    async def handle(self, messages: Sequence[m.LeaseManagerMessage]) -> None:
        """Take in consumers and hints, then claim if somebody waits."""
        beat = False
        for message in messages:
            match message:
                case m.Dequeue():
                    self._waiting.append(message)
                case m.Beat():
                    beat = True
                case m.JobsReady():
                    pass
                case m.Drain():
                    self._draining = True
                case _:
                    assert_never(message)
        self._forget_abandoned()
        if self._draining:
            self._answer_all(Claimed())
        elif self._waiting:
            self._idle_beats = 0
            await self._serve_waiting()
        elif beat:
            self._rest()

    async def stop(self) -> None:
        """Answer all who wait: nothing will come any more."""
        self._answer_all(Claimed())

    def _rest(self) -> None:
        self._idle_beats += 1
        if self._idle_beats >= IDLE_BEATS:
            self._retire()

    async def _serve_waiting(self) -> None:
        """Claim until every consumer has something, or the queue has no more."""
        while self._waiting:
            consumers = self._next_consumers()
            reply: Reply[list[Claimed]] = Reply()
            claims = tuple(self._claim(consumer) for consumer in consumers)
            try:
                answers = await ask(self._lane, reply, m.ClaimJobs(claims, reply))
            except ActorqError as error:
                # The store is away: whoever waits is told, and decides when to come again.
                self._fail_all([*consumers, *self._waiting], error)
                self._waiting.clear()
                return
            served = self._hand_out(consumers, answers)
            await self._release_undelivered(served)
            if any(not answer.jobs for answer in answers):
                self._answer_impatient(answers[-1])
                return

    def _next_consumers(self) -> list[m.Dequeue]:
        consumers = [self._waiting.popleft()]
        slots = consumers[0].slots
        while self._waiting and slots + self._waiting[0].slots <= MAX_CLAIM:
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

    def _hand_out(self, consumers: list[m.Dequeue], answers: list[Claimed]) -> list[Claimed]:
        """Answer the consumers that got something; return what found its consumer gone."""
        undelivered: list[Claimed] = []
        back: list[m.Dequeue] = []
        for consumer, answer in zip(consumers, answers, strict=True):
            if answer.jobs:
                if consumer.reply.abandoned:
                    undelivered.append(answer)
                else:
                    consumer.reply.set(answer)
            elif not consumer.wait:
                consumer.reply.set(answer)
            else:
                consumer.reply.interim = answer
                back.append(consumer)
        self._waiting.extendleft(reversed(back))
        return undelivered

    async def _release_undelivered(self, undelivered: list[Claimed]) -> None:
        items = tuple(
            Release(job.id, job.lease.token)
            for answer in undelivered
            for job in answer.jobs
            if job.lease is not None
        )
        if items:
            await self._lane.tell(m.ReleaseJobs(items, Reply()))

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
        if any(consumer.reply.abandoned for consumer in self._waiting):
            self._waiting = deque(c for c in self._waiting if not c.reply.abandoned)

    def _answer_all(self, answer: Claimed) -> None:
        while self._waiting:
            self._waiting.popleft().reply.set(answer)

    @staticmethod
    def _fail_all(consumers: list[m.Dequeue], error: ActorqError) -> None:
        for consumer in consumers:
            consumer.reply.fail(error)
