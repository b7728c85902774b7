"""Steps: what ends with one job, so that another can wait for it; and how a workflow of them is enqueued."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar, cast

from msgspec.structs import replace

from actorq.core.results import Enqueued, Outcome, PrunedReplay
from actorq.core.workflow import MAX_DEPENDENTS
from actorq.errors import ActorqError, InvalidInput
from actorq.sdk.errors import TaskError
from actorq.sdk.handle import AnyHandle, JobHandle, cancel_all

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actorq.face import EnqueueOptions
    from actorq.sdk.door import Draft
    from actorq.sdk.task import Call

R_co = TypeVar("R_co", covariant=True)

Places: TypeAlias = tuple[int, ...]
"""Which jobs of a plan, by their places in it."""

Answers: TypeAlias = Sequence[Enqueued | PrunedReplay | ActorqError]
"""What a door says of each job of a plan."""


class Part(ABC):
    """A part of a workflow: a call, a chain, or a group."""

    @abstractmethod
    def lay(self, plan: Plan, after: Places, /) -> Places:
        """Add its jobs to ``plan``, to begin after others; return those that it ends with."""

    @abstractmethod
    def take(self, made: Iterator[JobHandle[Any]], /) -> AnyHandle:
        """Take the handles of its jobs, in the order of the plan, and return that of the whole."""


class Step(Part, Generic[R_co]):
    """A part that ends with one job, whose result is an ``R_co``: a call, or a chain."""

    @abstractmethod
    def take(self, made: Iterator[JobHandle[Any]], /) -> JobHandle[R_co]:
        """Return the handle of its last job."""


class Plan:
    """The jobs of a workflow, each behind those that it waits for: one call of a door makes them all."""

    def __init__(self) -> None:
        """Have none."""
        self._calls: list[Call[Any]] = []
        self.drafts: list[Draft] = []
        self._dependents: list[int] = []

    def add(self, call: Call[Any], after: Places) -> Places:
        """Add the job of a call; raises ``InvalidInput`` when too many would depend on one job."""
        for place in after:
            self._dependents[place] += 1
            if self._dependents[place] > MAX_DEPENDENTS:
                name = self._calls[place].task.name
                raise InvalidInput(
                    "/depends_on",
                    f"at most {MAX_DEPENDENTS} jobs may depend on one, here on that of task {name}",
                )
        options = call.draft.options
        if not after and not options.get("depends_on"):
            # There is nothing that could fail before it; behind an empty group, for example.
            known = {name: each for name, each in options.items() if name != "on_parent_failure"}
            options = cast("EnqueueOptions", known)
        self._calls.append(call)
        self.drafts.append(replace(call.draft, options=options, after=after))
        self._dependents.append(0)
        return (len(self._calls) - 1,)

    async def enqueue(self) -> Iterator[JobHandle[Any]]:
        """Enqueue all jobs in one step, and return their handles in order.

        Raises the first refusal, and what ``JobQueue.enqueue`` raises. A refused workflow does not run in
        part: what was made of it is cancelled, unless it has an idempotency key.
        """
        if not self._calls:
            return iter(())
        door = self._calls[0].task.door
        if any(call.task.door != door for call in self._calls):
            raise TaskError("the tasks of a workflow must be connected to the same queue")
        answers = await door.enqueue_many(self.drafts)
        pairs = zip(self._calls, answers, strict=True)
        # What was pruned since an earlier request made it has a handle too: the workflow is there.
        made = [
            call.task.handle(answer.id) if isinstance(answer, PrunedReplay) else call.handle(answer)
            for call, answer in pairs
        ]
        refused = first_refusal(answers)
        if refused is not None:
            fresh = set(to_cancel(self.drafts, answers))
            await cancel_all(
                [one for one in made if isinstance(one, JobHandle) and one.id in fresh]
            )
            raise refused
        return iter([one for one in made if isinstance(one, JobHandle)])


def first_refusal(answers: Answers) -> ActorqError | None:
    """Return why a workflow was not made: the first refusal, as those behind it follow from it."""
    return next((answer for answer in answers if isinstance(answer, ActorqError)), None)


def to_cancel(drafts: Sequence[Draft], answers: Answers) -> list[str]:
    """Return the ids of the jobs that a request made which was refused in part.

    Duplicates were there before it. What has an idempotency key of its caller's is left alone: the same
    request once more finds it, and makes the rest.
    """
    return [
        answer.job.id
        for draft, answer in zip(drafts, answers, strict=True)
        if isinstance(answer, Enqueued)
        and answer.outcome is Outcome.CREATED
        and draft.options.get("idempotency_key") is None
    ]
