"""Memory stores with a bug planted in their workflows: what the conformance suite must find."""

from __future__ import annotations

from threading import Barrier, BrokenBarrierError
from typing import TYPE_CHECKING

from msgspec.structs import replace

from actorq.backends.memory.connection import MemoryBackend
from actorq.core import dependence, verdicts
from actorq.core.job import DependentJob
from actorq.core.results import Enqueued, Settled
from actorq.core.transitions import Status
from actorq.core.workflow import OnParentFailure
from actorq.errors import ActorqError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actorq.core.commands import Ack
    from actorq.core.job import Job, NewJob
    from actorq.core.results import PrunedReplay


class CancelTellsNobody(MemoryBackend):
    """A cancelled job's children are not told: only the verbs of a holder were thought of."""

    def cancel(self, ids: Sequence[str]) -> list[Job | ActorqError]:
        answers: list[Job | ActorqError] = []
        with self._data as now:
            for job_id in ids:
                after = verdicts.cancel(self._data.jobs.get(job_id), job_id, now)
                answers.append(after if isinstance(after, ActorqError) else self._data.put(after))
        return answers


class RepeatsAreCounted(MemoryBackend):
    """A repeated ack is one parent less to wait for, as with a counter."""

    def ack(self, items: Sequence[Ack]) -> list[Settled | ActorqError]:
        answers = super().ack(items)
        for answer in answers:
            if isinstance(answer, Settled) and answer.repeated:
                self._count(dependence.dependents(answer.job))
        return answers

    def _count(self, children: Sequence[str]) -> None:
        with self._data as now:
            for child in map(self._data.jobs.__getitem__, children):
                assert child.workflow is not None
                one = child.workflow.waiting_for[0]
                told = dependence.parent_ended(child, one, Status.COMPLETED, now)
                assert told is not None
                self._data.write(told)


class LookThenWait(MemoryBackend):
    """Whether a parent lives is looked up in one step, and its child written in the next."""

    _both = Barrier(2)

    def enqueue(self, items: Sequence[NewJob]) -> list[Enqueued | PrunedReplay | ActorqError]:
        (new,) = items
        if not isinstance(new, DependentJob):
            return super().enqueue(items)
        parents = self.get_job(new.depends_on)
        try:
            self._both.wait(0.05)
        except BrokenBarrierError:
            self._both.reset()
        with self._data as now:
            for parent in parents:
                noted = None if parent is None else dependence.with_dependent(parent, new.id, now)
                current = None if noted is None else self._data.jobs.get(noted.id)
                if noted is not None and current is not None and current.status is noted.status:
                    self._data.write(noted)
            return [Enqueued(self._data.write(dependence.create_child(new, parents, now)))]


class AnyEndWillDo(MemoryBackend):
    """A child runs whatever its parents came to."""

    def enqueue(self, items: Sequence[NewJob]) -> list[Enqueued | PrunedReplay | ActorqError]:
        careless = [
            replace(new, on_parent_failure=OnParentFailure.RUN)
            if isinstance(new, DependentJob)
            else new
            for new in items
        ]
        return super().enqueue(careless)


class OneIsEnough(MemoryBackend):
    """The first parent that is done lets its child go."""

    def ack(self, items: Sequence[Ack]) -> list[Settled | ActorqError]:
        answers = super().ack(items)
        with self._data as now:
            for answer in answers:
                job = answer.job if isinstance(answer, Settled) else None
                for child_id in () if job is None else dependence.dependents(job):
                    child = self._data.jobs[child_id]
                    if child.workflow is not None and child.waits_for_others:
                        last = replace(child.workflow, waiting_for=child.workflow.waiting_for[:1])
                        held = replace(child, workflow=last)
                        told = dependence.parent_ended(
                            held, last.waiting_for[0], Status.COMPLETED, now
                        )
                        assert told is not None
                        self._data.write(told)
        return answers
