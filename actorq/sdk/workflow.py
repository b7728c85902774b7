"""Chains and groups: calls whose jobs wait for each other, enqueued together in one step.

They are values, as calls are, and nothing runs before their ``enqueue``. A part may be a chain or a group
itself: what comes behind a part waits for the jobs that the part ends with.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast, overload

from actorq.sdk.errors import TaskError
from actorq.sdk.handle import ChainHandle, GroupHandle, JobHandle
from actorq.sdk.step import Part, Places, Plan, Step

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

R = TypeVar("R")
S = TypeVar("S")
R_co = TypeVar("R_co", covariant=True)


@dataclass(frozen=True)
class Chain(Step[R_co]):
    """Parts, each of which begins when the one before has completed. ``chain`` makes it."""

    before: tuple[Part, ...]
    last: Step[R_co]

    def lay(self, plan: Plan, after: Places, /) -> Places:
        """Add its jobs to ``plan``."""
        for part in self.before:
            after = part.lay(plan, after)
        return self.last.lay(plan, after)

    def take(self, made: Iterator[JobHandle[Any]], /) -> ChainHandle[R_co]:
        """Return the handle of its last job, and of its parts."""
        return ChainHandle([part.take(made) for part in self.before], self.last.take(made))

    async def enqueue(self) -> ChainHandle[R_co]:
        """Enqueue all its jobs in one step, durably; the handle is that of the last.

        Raises ``NotConnected``, what ``JobQueue.enqueue`` raises, and the first refusal: then what was
        made is cancelled. What has an idempotency key stays; the same enqueue once more makes the rest.
        """
        plan = Plan()
        self.lay(plan, ())
        return self.take(await plan.enqueue())


@dataclass(frozen=True)
class Group(Part, Generic[R_co]):
    """Steps that run beside each other, in any order. ``group`` makes it."""

    members: tuple[Step[R_co], ...]

    def lay(self, plan: Plan, after: Places, /) -> Places:
        """Add its jobs to ``plan``; an empty group ends with what it begins after."""
        ends = tuple(end for member in self.members for end in member.lay(plan, after))
        return ends or after

    def take(self, made: Iterator[JobHandle[Any]], /) -> GroupHandle[R_co]:
        """Return the handle of all its members."""
        return GroupHandle([member.take(made) for member in self.members])

    async def enqueue(self) -> GroupHandle[R_co]:
        """Enqueue all its jobs in one step, durably; raises as a chain does."""
        plan = Plan()
        self.lay(plan, ())
        return self.take(await plan.enqueue())


def chain(*parts: *tuple[*tuple[Part, ...], Step[R]]) -> Chain[R]:
    """Let calls wait for each other: each begins when the one before it has completed.

    ``await chain(fetch.call(url), store.call()).enqueue()`` makes all jobs at once. A part may be a group or
    a chain too, but the last is no group. A job whose parent fails, or is cancelled, is cancelled too;
    ``with_options(on_parent_failure="run")`` lets it run all the same. A handler reads what its parents
    returned by its context's ``results``.
    """
    given = cast("tuple[object, ...]", parts)  # not all callers are typed
    for part in given:
        if not isinstance(part, Part):
            raise TaskError(f"{part!a:.100} is no part of a chain: take task.call(...)")
    if not given or not isinstance(given[-1], Step):
        raise TaskError("a chain ends with a call of a task, or with another chain")
    return Chain(parts[:-1], parts[-1])


@overload
def group(members: Iterable[Step[R]]) -> Group[R]: ...


@overload
def group(members: Iterable[Step[R]], then: Step[S]) -> Chain[S]: ...


def group(members: Iterable[Step[R]], then: Step[S] | None = None) -> Group[R] | Chain[S]:
    """Let calls run beside each other, in any order.

    ``await group(resize.call(path) for path in paths).enqueue()`` makes all jobs at once. A member may be a
    chain. ``then`` is what begins when all of them have completed, as a chain's next part. A job may wait
    for 1,000 others, and 1,000 may wait for it.
    """
    made = Group(tuple(members))
    for member in made.members:
        if not isinstance(member, Step):  # pyright: ignore[reportUnnecessaryIsInstance] - not all callers are typed
            raise TaskError(f"{member!a:.100} is no member of a group: take task.call(...)")
    return made if then is None else chain(made, then)
