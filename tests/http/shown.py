"""What a test reads of the answers: jobs, problems, results of batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")


class Held(msgspec.Struct):
    """What is read of a lease."""

    worker_id: str
    expires_at: str
    token: str | None = None
    visibility_timeout: float | None = None


class Failed(msgspec.Struct):
    """What is read of an entry of a job's history."""

    attempt: int
    kind: str
    message: str
    worker: str


class Shown(msgspec.Struct):
    """What is read of a job."""

    id: str
    queue_name: str
    status: str
    payload: str
    priority: int
    max_retries: int
    retry_count: int
    delivery: str
    available_at: str | None
    created_at: str
    metadata: dict[str, str]
    attempt: int
    interruptions: int
    errors: list[Failed]
    dead_reason: str | None
    cancel_requested: bool
    version: int
    lease: Held | None
    progress: object
    result: object
    depends_on: list[str] | None = None
    waiting_for: list[str] | None = None
    on_parent_failure: str | None = None
    not_before: str | None = None
    dependents: list[str] | None = None
    duplicate: bool = False
    replaced: bool = False
    directive: str | None = None

    @property
    def token(self) -> str:
        """The token of the lease, shown to its holder."""
        assert self.lease is not None
        assert self.lease.token is not None
        return self.lease.token


class Place(msgspec.Struct):
    """One place that a problem names."""

    pointer: str
    message: str


class Problem(msgspec.Struct, forbid_unknown_fields=True):
    """A problem document, complete and with nothing beside."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    retryable: bool
    request_id: str
    errors: list[Place] = []
    job_id: str | None = None
    job_status: str | None = None
    version: int | None = None


class Item(msgspec.Struct):
    """One result of a batch."""

    status: int
    job: Shown | None = None
    error: Problem | None = None
    replayed: bool = False


class Results(msgspec.Struct):
    """The answer to a batch."""

    results: list[Item]


class Figures(msgspec.Struct, forbid_unknown_fields=True):
    """The figures of one queue, complete."""

    name: str
    pending: int
    delayed: int
    running: int
    completed: int
    dead: int
    cancelled: int
    paused: bool
    oldest_pending_age: float | None
    accepted: int
    pruned: int
    as_of: str


class Answer:
    """One answer, as the client has it."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    def read(self, kind: type[T]) -> T:
        """Decode the body as a ``kind``."""
        assert self.headers["content-type"] == "application/json", self
        return msgspec.json.decode(self.body, type=kind)

    def job(self, status: int = 200) -> Shown:
        """Decode the job of an answer with this status."""
        assert self.status == status, self
        return self.read(Shown)

    def problem(self, status: int, code: str) -> Problem:
        """Decode the problem document of a refusal, and see that it is the one expected."""
        assert self.headers["content-type"] == "application/problem+json", self
        problem = msgspec.json.decode(self.body, type=Problem)
        assert (self.status, problem.status, problem.code) == (status, status, code), self
        assert problem.type == f"urn:actorq:problem:{code}"
        assert problem.request_id == self.headers["x-request-id"]
        return problem

    def places(self, status: int = 422, code: str = "invalid_input") -> list[str]:
        """Return the JSON pointers that a refusal names."""
        return [place.pointer for place in self.problem(status, code).errors]

    def __repr__(self) -> str:
        return f"<{self.status} {dict(self.headers)} {self.body[:500]!r}>"
