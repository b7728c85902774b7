"""Listings: newest first, on an index of queue, status and id (contract §8, §9)."""

from __future__ import annotations

from heapq import nlargest
from typing import TYPE_CHECKING, Final, cast

import msgspec

from actorq.backends.sqlite.drift import Drift, read_drift
from actorq.backends.sqlite.queues import queues_by_name
from actorq.backends.sqlite.rows import CODES
from actorq.backends.sqlite.statements import statement
from actorq.core.results import Page

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from actorq.backends.sqlite.work import Work
    from actorq.core.commands import ListJobs
    from actorq.core.job import Job

SCAN_LIMIT: Final = 2_000
"""How many jobs are looked at for one page; a filter that few of them pass gives a short page then."""

SCAN_STEP: Final = 250
"""How many jobs are read at once where a filter decides."""

_EVERYWHERE: Final = statement("listing", "everywhere")
_OF_QUEUE: Final = statement("listing", "of_queue")
_HEADS: Final = statement("listing", "heads")
_ABOVE_ALL: Final = "\U0010ffff"


def list_jobs(work: Work, query: ListJobs) -> Page:
    """Return one page."""
    scan = _Scan(work.sqlite, query)
    filtered = query.metadata or query.error is not None
    found: list[Job] = []
    looked_at = 0
    while looked_at < SCAN_LIMIT:
        step = SCAN_STEP if filtered else query.limit + 1 - len(found)
        ids = scan.next(step)
        jobs = work.load(ids)
        for job_id in ids:
            if job_id not in jobs:
                # It cannot be read.
                continue
            job = jobs[job_id].job
            if not query.matches(job):
                continue
            if len(found) == query.limit:
                return Page(tuple(found), found[-1].id)
            found.append(job)
        looked_at += len(ids)
        if len(ids) < step:
            return Page(tuple(found))
    return Page(tuple(found), scan.before)


class _Scan:
    """Walks down the ids that queue, statuses and time leave."""

    def __init__(self, sqlite: sqlite3.Connection, query: ListJobs) -> None:
        self._sqlite = sqlite
        drift = read_drift(sqlite)
        self.before = _before(query, drift)
        self._lowest = "" if query.created_from is None else drift.no_id_below(query.created_from)
        self._statuses = sorted(CODES[status] for status in query.statuses)
        self._everywhere = query.queue_name is None and not query.statuses
        self._queue: int | None = None
        if query.queue_name is not None:
            self._statuses = self._statuses or sorted(CODES.values())
            known = queues_by_name(sqlite, [query.queue_name])
            # No queue has this number: an unknown one has no jobs.
            self._queue = known[query.queue_name].id if known else -1

    def next(self, count: int) -> list[str]:
        """Return the next ids, fewer than ``count`` only at the end."""
        if self._everywhere:
            ids = self._ids(_EVERYWHERE, count)
        else:
            streams = self._streams(count)
            heads = [self._ids(_OF_QUEUE, count, *stream) for stream in streams]
            ids = nlargest(count, (job_id for head in heads for job_id in head))
        if ids:
            self.before = ids[-1]
        return ids

    def _streams(self, count: int) -> Sequence[tuple[int, int]]:
        """Return the queues and statuses from which the next ``count`` ids come."""
        if self._queue is not None:
            return [(self._queue, code) for code in self._statuses]
        # Each of these has its newest id among the newest; no other can have one among the first.
        statuses = msgspec.json.encode(self._statuses).decode()
        rows = self._sqlite.execute(_HEADS, (self.before, self._lowest, statuses, count))
        return [
            (queue, code) for queue, code, _ in cast("list[tuple[int, int, str]]", rows.fetchall())
        ]

    def _ids(self, sql: str, count: int, *stream: int) -> list[str]:
        values = (*stream, self.before, self._lowest, count)
        return [job_id for (job_id,) in cast("list[tuple[str]]", self._sqlite.execute(sql, values))]


def _before(query: ListJobs, drift: Drift) -> str:
    before = _ABOVE_ALL if query.before is None else query.before
    if query.created_to is not None:
        before = min(before, drift.no_id_above(query.created_to))
    return before
