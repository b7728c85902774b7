"""Listing jobs, newest first (contract §8, §9)."""

from __future__ import annotations

from heapq import merge
from typing import TYPE_CHECKING, Final

from actorq.backends.memory.data import apart
from actorq.core.results import Page
from actorq.core.transitions import Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actorq.backends.memory.data import Data
    from actorq.core.commands import ListJobs
    from actorq.core.job import Job

SCAN: Final = 1_000
"""How many records one page looks at, at least, before it ends short."""


def list_jobs(data: Data, query: ListJobs) -> Page:
    """Return one page; what no index knows is looked for in a bounded number of records."""
    found: list[Job] = []
    last: str | None = None
    for scanned, job_id in enumerate(_candidates(data, query)):
        if len(found) == query.limit or scanned == max(SCAN, query.limit):
            return Page(tuple(found), last)
        last = job_id
        job = data.jobs[job_id]
        if query.matches(job):
            found.append(apart(job))
    return Page(tuple(found))


def _candidates(data: Data, query: ListJobs) -> Iterator[str]:
    """Walk down the ids that queue, statuses and time leave."""
    names = data.queues if query.queue_name is None else (query.queue_name,)
    queues = (data.queues[name] for name in names if name in data.queues)
    statuses = query.statuses or frozenset(Status)
    places = [queue.ids[status] for queue in queues for status in statuses if queue.ids[status]]
    before, lowest = query.before, ""
    if query.created_to is not None:
        end = data.drift.no_id_from(query.created_to)
        before = end if before is None else min(before, end or before)
    if query.created_from is not None:
        lowest = data.drift.no_id_below(query.created_from)
    for job_id in merge(*(ids.descending(before) for ids in places), reverse=True):
        if job_id < lowest:
            return
        yield job_id
