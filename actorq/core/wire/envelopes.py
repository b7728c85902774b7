"""What holds jobs in an answer: pages, results of batches, and the document of a problem."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from actorq.core.wire.views import JobView

JobOrPruned = Annotated[
    msgspec.Raw,
    Meta(
        description="The job; of one pruned since its request was first made, what is known.",
        extra_json_schema={
            "anyOf": [
                {"$ref": "#/components/schemas/JobView"},
                {"$ref": "#/components/schemas/PrunedView"},
            ]
        },
    ),
]
"""A job that is written already: it may have either of two forms."""


class ProblemPlace(msgspec.Struct, frozen=True):
    """One place of a request that is wrong: its JSON pointer (RFC 6901), and what is."""

    pointer: str
    message: str


class ProblemView(msgspec.Struct, frozen=True, kw_only=True):
    """A problem document (RFC 9457). ``code`` is the stable word that a program may compare.

    ``job_id`` names the job that is in the way, where there is one, ``job_status`` says in which status it
    is where that is why; ``version`` is that of a job which changed meanwhile.
    """

    type: str
    title: str
    status: int
    detail: str
    code: str
    retryable: bool
    errors: list[ProblemPlace] | UnsetType = UNSET
    job_id: str | UnsetType = UNSET
    job_status: str | UnsetType = UNSET
    version: int | UnsetType = UNSET
    request_id: str


class PageView(msgspec.Struct, frozen=True):
    """Some jobs, newest first; ``next`` is the cursor of the next page, null at the end."""

    jobs: list[JobView]
    next: str | None


class ItemView(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one item of a batch: its status as if it had come alone, and why."""

    status: int
    job: JobOrPruned | UnsetType = UNSET
    replayed: bool | UnsetType = UNSET
    error: ProblemView | UnsetType = UNSET


class BatchView(msgspec.Struct, frozen=True):
    """One result for each item, in the order in which they were sent."""

    results: list[ItemView]


class HeldView(msgspec.Struct, frozen=True, kw_only=True):
    """One lease after a heartbeat: ``ok``, ``lost``, or ``cancel`` (still held: please stop)."""

    id: str
    status: str
    expires_at: str | UnsetType = UNSET
    visibility_timeout: float | UnsetType = UNSET


class HeartbeatView(msgspec.Struct, frozen=True):
    """All leases of one worker, in the order in which they were sent.

    ``directive`` is ``continue``, or ``drain`` when this server is going away.
    """

    leases: list[HeldView]
    directive: str


class RemovedView(msgspec.Struct, frozen=True):
    """How many jobs were removed."""

    removed: int


class HealthView(msgspec.Struct, frozen=True):
    """That the process answers."""

    status: str


class ReadyView(msgspec.Struct, frozen=True):
    """That a job would be taken now; ``warnings`` are the store's words to its operator."""

    status: str
    warnings: list[str]
