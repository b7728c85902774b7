"""What a store is asked, item by item. Values are checked before they get here."""

import msgspec

from actorq.core.job import Job
from actorq.core.retry import Failure
from actorq.core.transitions import Status


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """One consumer's wish: up to ``len(tokens)`` jobs of a queue, one token for each.

    The caller mints the tokens, so that it can ask afterwards what a claim took whose answer was
    lost. ``visibility_timeout`` is seconds; None takes the queue's default.
    """

    queue_name: str
    worker_id: str
    tokens: tuple[str, ...]
    visibility_timeout: float | None = None


class Ack(msgspec.Struct, frozen=True):
    """The holder did the job; ``result`` is JSON text. A None token means the current lease."""

    id: str
    token: str | None = None
    result: str | None = None


class Fail(msgspec.Struct, frozen=True):
    """The holder failed. A None token means the current lease."""

    id: str
    token: str | None = None
    failure: Failure = Failure()


class Release(msgspec.Struct, frozen=True):
    """The holder hands the job back, to be given out again after ``delay`` seconds."""

    id: str
    token: str | None = None
    delay: float = 0.0


class Extend(msgspec.Struct, frozen=True):
    """The holder asks for ``visibility_timeout`` more seconds from now; None: as long as before."""

    id: str
    token: str | None = None
    visibility_timeout: float | None = None


class Report(msgspec.Struct, frozen=True):
    """The holder tells its progress, as JSON text."""

    id: str
    token: str | None
    progress: str


class Edit(msgspec.Struct, frozen=True, kw_only=True):
    """Change a waiting job; None leaves a field as it is.

    ``delay`` (seconds from now) and ``available_at`` (instant) exclude each other. With ``version``
    the edit holds only if the job is still at that version.
    """

    id: str
    version: int | None = None
    payload: str | None = None
    priority: int | None = None
    max_retries: int | None = None
    delay: float | None = None
    available_at: int | None = None
    metadata: dict[str, str] | None = None


class ListJobs(msgspec.Struct, frozen=True, kw_only=True):
    """Which jobs to list, newest first (id descending).

    Queue, statuses and time run on an index; ``metadata`` (all entries equal) and ``error`` (text
    in any recorded error) are a bounded scan. ``before`` is the id at which the last page ended;
    ``created_from`` (inclusive) and ``created_to`` (exclusive) are instants.
    """

    queue_name: str | None = None
    statuses: frozenset[Status] = frozenset()
    created_from: int | None = None
    created_to: int | None = None
    metadata: dict[str, str] = {}
    error: str | None = None
    before: str | None = None
    limit: int = 50

    def matches(self, job: Job) -> bool:
        """Tell whether a job of the queue and statuses has what else is asked for."""
        if self.created_from is not None and job.created_at < self.created_from:
            return False
        if self.created_to is not None and job.created_at >= self.created_to:
            return False
        if not self.metadata.items() <= job.metadata.items():
            return False
        return self.error is None or any(self.error in error.message for error in job.errors)
