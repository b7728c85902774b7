"""Threads that take jobs through their lives while a test disturbs the store."""

from __future__ import annotations

from threading import Event, Thread
from typing import TYPE_CHECKING

from actorq.actors import messages as m
from actorq.actors.caller import Caller
from actorq.clock import mint_token, random_bits, wall_clock
from actorq.core.commands import Ack, Claim
from actorq.core.ids import IdMint
from actorq.core.job import NewJob
from actorq.core.results import Claimed, Enqueued, Settled
from actorq.errors import BackendUnavailable
from actorq.testing.conformance.answers import token_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from actorq.backends.backend import Backend

LONG_S = 600.0
"""A lease that does not run out during a test, in seconds."""


def no_crash(actor: str, error: Exception) -> None:
    """Fail the test: in a lane this would be a bug."""
    raise AssertionError(f"{actor} crashed") from error


def claim_of(queue: str, count: int, worker: str = "w") -> Claim:
    """Make a claim for ``count`` jobs."""
    tokens = tuple(mint_token() for _ in range(count))
    return Claim(queue_name=queue, worker_id=worker, tokens=tokens, visibility_timeout=LONG_S)


class Crew(Thread):
    """Enqueues, claims and acknowledges in one queue over a lane of its own, until it is told to stop."""

    def __init__(self, connect: Callable[[], Backend], queue: str, enough: Event) -> None:
        super().__init__(name=f"crew-{queue}")
        self._lane = Caller(connect, no_crash)
        self._queue = queue
        self._enough = enough
        self._mint = IdMint(wall_clock, random_bits)
        self._error: BaseException | None = None
        self.accepted: list[str] = []
        """The ids of the jobs that were accepted, as the lane was told."""
        self.done: list[str] = []
        """The ids of the jobs that were acknowledged, as the lane was told."""

    def run(self) -> None:
        try:
            while not self._enough.is_set():
                self._step()
        except BaseException as error:  # noqa: BLE001 - it is raised by whoever waits for the thread
            self._error = error
        finally:
            self._lane.close()

    def _step(self) -> None:
        wishes = [
            NewJob(id=self._mint.mint(), queue_name=self._queue, payload="{}") for _ in range(5)
        ]
        answers = self._lane.batch(m.EnqueueJobs, wishes)
        self.accepted += [answer.job.id for answer in answers if isinstance(answer, Enqueued)]
        (claimed,) = self._lane.batch(m.ClaimJobs, [claim_of(self._queue, 5, self.name)])
        if isinstance(claimed, Claimed) and claimed.jobs:
            acks = [Ack(job.id, token_of(job)) for job in claimed.jobs]
            for answer in self._lane.batch(m.AckJobs, acks):
                assert isinstance(answer, Settled | BackendUnavailable), answer
                if isinstance(answer, Settled):
                    self.done.append(answer.job.id)

    def finish(self) -> None:
        """Wait for the thread; what went wrong in it is raised here."""
        self.join(30.0)
        assert not self.is_alive()
        if self._error is not None:
            raise self._error
