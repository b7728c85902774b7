"""Planted: ends of which those that wait for them do not hear, or hear wrongly (contract, section 2)."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

from actorq.core import dependence
from actorq.core.results import Settled
from actorq.core.transitions import Status
from actorq.testing.simulation.store import Engine

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from actorq.core.commands import Ack, Fail
    from actorq.core.job import Job
    from actorq.errors import ActorqError

    Telling: TypeAlias = Callable[..., Job | None]
    """Of ``dependence``: a child, its parent's id and end in; the child's new record out."""


@contextmanager
def telling_nobody() -> Generator[None]:
    """Let ends be told to nobody in the block."""
    tell = dependence.to_tell
    dependence.to_tell = _to_nobody
    try:
        yield
    finally:
        dependence.to_tell = tell


def _to_nobody(before: Status | None, after: Job) -> tuple[str, ...]:
    del before, after
    return ()


class TellsAfterwards(Engine):
    """Complete a job, and tell those that wait for it a moment later."""

    def ack(self, items: Sequence[Ack]) -> list[Settled | ActorqError]:
        with telling_nobody():
            answers = super().ack(items)
        done = [each.job for each in answers if isinstance(each, Settled) and not each.repeated]
        if any(dependence.dependents(job) for job in done):
            self.step()
            for job in done:
                self._tell(job)
        return answers

    def _tell(self, job: Job) -> None:
        with self.data as now:
            for child_id in dependence.dependents(job):
                child = self.data.jobs.get(child_id)
                told = child and dependence.parent_ended(child, job.id, job.status, now)
                if told:
                    self.data.write(told)


class OnlySuccessIsTold(Engine):
    """Tell those that wait for a job when it is completed, and of no failure."""

    def fail(self, items: Sequence[Fail]) -> list[Settled | ActorqError]:
        with telling_nobody():
            return super().fail(items)


def first_end_is_enough(parent_ended: Telling) -> Telling:
    """Let a job go as soon as the first of those has ended that it waits for."""

    def hasty(child: Job, parent_id: str, status: Status | None, now: int) -> Job | None:
        told = parent_ended(child, parent_id, status, now)
        while told is not None and told.waits_for_others and told.workflow is not None:
            told = parent_ended(told, told.workflow.waiting_for[0], Status.COMPLETED, now)
        return told

    return hasty


def any_end_will_do(parent_ended: Telling) -> Telling:
    """Let a job run whatever the others came to that it waited for."""

    def easy(child: Job, parent_id: str, status: Status | None, now: int) -> Job | None:
        del status
        return parent_ended(child, parent_id, Status.COMPLETED, now)

    return easy
