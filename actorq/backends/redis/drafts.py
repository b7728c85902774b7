"""Drafts: a batch is decided on paper, item after item, and then written at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from actorq.backends.redis.writes import Writes
from actorq.core import dependence
from actorq.errors import BackendUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from actorq.backends.redis.access import Access
    from actorq.backends.redis.keys import Keys
    from actorq.backends.redis.records import Record
    from actorq.core.job import Job
    from actorq.core.transitions import Status

I = TypeVar("I")  # noqa: E741 - an item
R = TypeVar("R")

MOST_TRIES: Final = 100
"""How often a batch is decided anew because another has changed one of its jobs meanwhile. Each time
somebody else got ahead, so this many say that the store cannot be used this way."""


class Draft:
    """Some records, and what the items of a batch have made of them so far.

    ``told`` are the children that heard of the end of another job of the draft, as that left them.
    """

    def __init__(self, keys: Keys, now: int, records: dict[str, Record]) -> None:
        """Start from ``records``, which were read at ``now``."""
        self.now = now
        self.writes = Writes(keys, now)
        self.told: dict[str, Job] = {}
        self._records = records
        self._jobs: dict[str, Job | None] = {}

    def get(self, job_id: str) -> Job | None:
        """Return a job as the items before have left it."""
        if job_id in self._jobs:
            return self._jobs[job_id]
        record = self._records.get(job_id)
        return None if record is None else record.job

    def write(self, job: Job) -> Job:
        """Take over a job, made or changed."""
        self._jobs[job.id] = job
        return job

    def conclude(self, job: Job) -> Job:
        """Take over a job that may have ended: those of its children that are in the draft hear it at once.

        The items after it see that; all others hear of it by a note.
        """
        before = self.get(job.id)
        self.write(job)
        if job.workflow is not None:
            status = None if before is None else before.status
            self._tell(job.id, job.status, dependence.to_tell(status, job))
        return job

    def _tell(self, parent_id: str, status: Status, children: Sequence[str]) -> None:
        families = [(parent_id, status, children)]
        for parent, end, ids in families:
            for child in filter(None, map(self.get, ids)):
                told = dependence.parent_ended(child, parent, end, self.now)
                if told is not None:
                    self.told[child.id] = self.write(told)
                    families.append((told.id, told.status, dependence.to_tell(child.status, told)))

    def remove(self, job: Job) -> Job:
        """Take a job out."""
        self._jobs[job.id] = None
        return job

    def finish(self) -> Writes | None:
        """Return the writes that the draft comes to; None if it changes nothing."""
        changed = False
        for job_id, after in self._jobs.items():
            before = self._records.get(job_id)
            if (before is None and after is None) or (before is not None and before.job is after):
                continue
            self.writes.change(before, after)
            changed = True
        return self.writes if changed else None


def commit(access: Access, attempt: Callable[[], tuple[R, Writes | None]]) -> R:
    """Make decisions and write them, anew until nobody has changed their grounds meanwhile."""
    for _ in range(MOST_TRIES):
        answer, writes = attempt()
        if writes is None or access.commit(writes):
            return answer
    raise BackendUnavailable(f"others changed the same jobs {MOST_TRIES} times in a row")


def decide(
    access: Access,
    items: Sequence[I],
    job_id: Callable[[I], str],
    decision: Callable[[Draft, I], R],
) -> list[R]:
    """Answer each item by ``decision`` about its job, and write what that comes to in one step."""

    def attempt() -> tuple[list[R], Writes | None]:
        now, records = access.read(map(job_id, items))
        draft = Draft(access.keys, now, records)
        return [decision(draft, item) for item in items], draft.finish()

    return commit(access, attempt) if items else []


def judge(access: Access, ids: Iterable[str], decision: Callable[[Draft, Job], object]) -> None:
    """Apply ``decision`` to those of the jobs that are still there."""

    def one(draft: Draft, job_id: str) -> None:
        job = draft.get(job_id)
        if job is not None:
            decision(draft, job)

    decide(access, list(ids), str, one)
