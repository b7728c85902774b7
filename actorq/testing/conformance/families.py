"""Families: jobs that depend on others, as the tests of workflows make them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from actorq.core.job import DependentJob
from actorq.core.retry import Failure
from actorq.core.workflow import OnParentFailure, Workflow
from actorq.testing.conformance.answers import created

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actorq.core.job import Job, NewJob
    from actorq.testing.conformance.bench import Bench

LATER: Final = "later"
"""The queue of the jobs that wait."""

REJECT: Final = Failure("broken", retryable=False)
NOBODY: Final = "01900000-0000-7000-8000-000000000000"
"""The id of a job that never was."""


def after(
    bench: Bench,
    parents: Sequence[Job | NewJob],
    policy: OnParentFailure = OnParentFailure.CANCEL,
    **wish: object,
) -> DependentJob:
    """Describe a job of the queue ``LATER`` that depends on ``parents``."""
    plain = replace(bench.new(queue_name=LATER), **wish)
    return depending(plain, tuple(parent.id for parent in parents), policy)


def depending(new: NewJob, parents: tuple[str, ...], policy: OnParentFailure) -> DependentJob:
    """Return the same request, of a job that depends on others."""
    wishes = {name: getattr(new, name) for name in new.__struct_fields__}
    return DependentJob(**wishes, depends_on=parents, on_parent_failure=policy)


def known(job: Job) -> Workflow:
    """Return what a job knows of others; some there must be."""
    assert job.workflow is not None
    return job.workflow


def put_after(
    bench: Bench,
    parents: Sequence[Job | NewJob],
    policy: OnParentFailure = OnParentFailure.CANCEL,
    **wish: object,
) -> Job:
    """Enqueue a job that depends on ``parents``; it must be created."""
    (answer,) = bench.backend.enqueue([after(bench, parents, policy, **wish)])
    return bench.get(created(answer))
