"""A handler: what a worker does with a job, for how long, and how it ends, all by choice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypedDict

from msgspec.structs import astuple

from actorq.core.commands import Ack, Fail, Release, Report
from actorq.core.job import Delivery
from actorq.core.retry import Failure
from actorq.errors import LeaseLost
from actorq.testing.invariants import events as e
from actorq.testing.simulation.caller import IN_DOUBT, NOT_DONE

if TYPE_CHECKING:
    from actorq.testing.simulation.held import Held
    from actorq.testing.simulation.worker import Worker

FAILS, FAILS_FOR_NOW, REJECTS, HANDS_BACK, HANGS, DIES, SAYS_NO_TOKEN = range(1, 8)
"""What a handler may do, by number; 0 is that it does its job."""

ENDS: Final = (
    "does",
    "fails",
    "fails for now",
    "rejects",
    "hands back",
    "hangs",
    "dies",
    "says no token",
)
"""Their names."""

REPORTS: Final = 0.1
"""The chance that a handler tells its progress."""

HANGS_S: Final = 60.0
"""Virtual seconds that stand for ever: longer than any lease may be extended."""


class _About(TypedDict):
    """What all events of a handler have in common."""

    at: float
    actor: str
    job_id: str
    attempt: int
    token: str


class Handler:
    """The handlers of one worker."""

    def __init__(self, worker: Worker) -> None:
        """Draw from the world's choices."""
        self._worker = worker
        self._odds = astuple(worker.world.profile.handlers)
        self._end = f"{worker.name} handler"
        self._length = f"{worker.name} handler takes"
        self._delay = f"{worker.name} delay"
        self._progress = f"{worker.name} reports"

    async def run(self, held: Held) -> Ack | Fail | Release | None:
        """Work on a job and return what is to be told of it; None when it is not the worker's any more."""
        worker, world = self._worker, self._worker.world
        end = 0 if world.healed else world.choices.weigh(self._end, self._odds)
        if worker.at >= held.deadline:
            # The answer took so long that the lease may be over: not started, not settled.
            return None
        if end == HANDS_BACK or held.stopped:
            return Release(held.job.id, held.token, self._some_delay())
        worker.record(e.Start(**self._about(held)))
        await held.work(self._seconds(end) / 2)
        if end == DIES:
            worker.die()
        if not held.stopped:
            worker.record(e.Effect(**self._about(held)))
            await self._report(held)
            await held.work(self._seconds(end) / 2)
        return self._conclude(held, end)

    async def _report(self, held: Held) -> None:
        """Tell now and then how far it is; who is told that the lease is lost stops."""
        worker, world = self._worker, self._worker.world
        if world.healed or not world.choices.chance(self._progress, REPORTS):
            return
        item = Report(held.job.id, held.token, "0.5")
        try:
            answers = await worker.ask(lambda queue: queue.report_many([item]), may_double=True)
        except (*IN_DOUBT, *NOT_DONE):
            return
        if isinstance(answers[0], LeaseLost):
            held.stop()

    def _conclude(self, held: Held, end: int) -> Ack | Fail | Release | None:
        job_id, token = held.job.id, held.token
        if held.stopped:
            self._ended(held, "stopped")
            # To hand back what may be started once would say that it was not started.
            may_start_again = held.job.delivery is Delivery.AT_LEAST_ONCE
            hands_back = held.cancelled or self._worker.leaving
            return Release(job_id, token) if hands_back and may_start_again else None
        if end in {FAILS, FAILS_FOR_NOW, REJECTS}:
            self._ended(held, "raised")
            retry_in = self._some_delay() if end == FAILS_FOR_NOW else None
            return Fail(job_id, token, Failure("on purpose", end != REJECTS, retry_in))
        self._ended(held, "returned")
        # A bare acknowledgement means whatever lease the job has by then.
        return Ack(job_id, None if end == SAYS_NO_TOKEN else token, f'"done by {token}"')

    def _ended(self, held: Held, how: Literal["returned", "raised", "stopped"]) -> None:
        self._worker.record(e.End(how=how, **self._about(held)))

    def _about(self, held: Held) -> _About:
        job, worker = held.job, self._worker
        return _About(
            at=worker.at, actor=worker.name, job_id=job.id, attempt=job.attempt, token=held.token
        )

    def _seconds(self, end: int) -> float:
        world = self._worker.world
        low, high = world.profile.handling
        if world.healed:
            return low
        return HANGS_S if end == HANGS else world.choices.span(self._length, low, high)

    def _some_delay(self) -> float:
        """Return seconds, often 0."""
        return self._worker.world.choices.pick(self._delay, (0.0, 0.0, 0.3, 1.0))
