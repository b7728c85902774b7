"""Listing jobs, newest first (contract §8, §9)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from actorq.backends.postgres import arrays, queues
from actorq.backends.postgres.drift import read_drift
from actorq.backends.postgres.records import CODES, decode_rest
from actorq.core.results import Page
from actorq.core.transitions import Status

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from actorq.backends.postgres.work import Work
    from actorq.core.commands import ListJobs

SCAN: Final = 500
"""How many records one page looks at, at least, for what no index knows, before it ends short."""


class _Candidate(NamedTuple):
    """A job that queue, statuses and time leave; ``rest`` only if it has to be looked at."""

    id: str
    created_at: int
    rest: str | None


def list_jobs(work: Work, query: ListJobs) -> Page:
    """Return one page; what no index knows is looked for in a bounded number of records."""
    queue: int | None = None
    if query.queue_name is not None:
        known = queues.named(work, [query.queue_name]).get(query.queue_name)
        if known is None:
            return Page(())
        queue = known.id
    scanning = bool(query.metadata) or query.error is not None
    most = max(SCAN, query.limit) if scanning else query.limit
    candidates = _candidates(work, query, queue, most + 1, scanning=scanning)
    found: list[str] = []
    last: str | None = None
    more = False
    for scanned, candidate in enumerate(candidates):
        more = len(found) == query.limit or scanned == most
        if more:
            break
        last = candidate.id
        if _matches(candidate, query):
            found.append(candidate.id)
    (result,) = work.ask(work.statements("jobs.read", arrays.uuids(found)), last=True)
    work.enter(result)
    jobs = [work.entries[job_id].job for job_id in found if job_id in work.entries]
    return Page(tuple(jobs), last if more else None)


def _candidates(
    work: Work, query: ListJobs, queue: int | None, count: int, *, scanning: bool
) -> list[_Candidate]:
    (result,) = work.ask(work.statements("listing.drift"))
    drift = result.row(read_drift)
    end = drift.end_of_ids(query.created_to)
    if query.before is not None:
        end = min(end, query.before)
    values = (
        arrays.uuid(drift.first_id(query.created_from)),
        arrays.uuid(end),
        arrays.int8(count),
        arrays.int4(int(scanning)),
    )
    if queue is None and not query.statuses:
        (result,) = work.ask(work.statements("listing.everywhere", *values))
    else:
        codes = [CODES[status] for status in query.statuses or Status]
        number = None if queue is None else arrays.int4(queue)
        statement = work.statements("listing.of_kinds", *values, number, arrays.int4s(codes))
        (result,) = work.ask(statement)
    return result.rows(_read)


def _matches(candidate: _Candidate, query: ListJobs) -> bool:
    if query.created_from is not None and candidate.created_at < query.created_from:
        return False
    if query.created_to is not None and candidate.created_at >= query.created_to:
        return False
    if candidate.rest is None:
        return True
    rest = decode_rest(candidate.rest)
    if not query.metadata.items() <= rest.metadata.items():
        return False
    return query.error is None or any(query.error in error.message for error in rest.errors)


def _read(row: Sequence[Any]) -> _Candidate:
    return _Candidate(*row)
