"""What a job knows of other jobs: those that it waits for, and those that wait for it."""

from enum import StrEnum
from typing import Final, Protocol

import msgspec

MAX_PARENTS: Final = 1_000
"""How many jobs one job may depend on."""

MAX_DEPENDENTS: Final = 1_000
"""How many jobs may depend on one job. Each of them stands in its record, which is written with it."""


class HasId(Protocol):
    """What stands for a job, as it has the job's id: a record, a job to be made, a handle."""

    @property
    def id(self) -> str:
        """The job's id."""
        ...


Parent = str | HasId
"""A job that another one is to depend on: itself, or its id."""


class OnParentFailure(StrEnum):
    """What becomes of a waiting job when one that it depends on ends dead, cancelled or purged."""

    CANCEL = "cancel"
    """It is cancelled too, and so are those that depend on it."""
    RUN = "run"
    """It waits for the others and runs: an end is an end."""


class Workflow(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A job's place among others; all are ids of jobs.

    ``depends_on`` is what was asked for and stays. ``waiting_for`` is the set of those whose ends are
    still to come; a cancelled job keeps what it waited for. ``not_before`` is the instant at which the job
    was asked to be due, which it keeps while it waits. ``dependents`` are told when this job ends.
    """

    depends_on: tuple[str, ...] = ()
    waiting_for: tuple[str, ...] = ()
    on_parent_failure: OnParentFailure = OnParentFailure.CANCEL
    not_before: int | None = None
    dependents: tuple[str, ...] = ()


NO_WORKFLOW: Final = Workflow()
"""What a job knows of others that nobody said anything about."""
