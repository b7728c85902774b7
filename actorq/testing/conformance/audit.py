"""The books: what must balance in every store at every quiet moment (I2, I13, I14)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from actorq.core.commands import ListJobs
from actorq.core.transitions import ENDED, LIVE, Status
from actorq.testing.conformance.answers import ids, public

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actorq.backends.backend import Backend
    from actorq.core.job import Job
    from actorq.core.queue import QueueStats

MAX_PAGES = 10_000
"""A listing that goes on beyond this many pages does not end."""


def walk(backend: Backend, query: ListJobs) -> Iterator[tuple[Job, ...]]:
    """Follow the cursor to the end of a listing; it must move on with every page."""
    for _ in range(MAX_PAGES):
        page = backend.list_jobs(query)
        assert len(page.jobs) <= query.limit
        yield page.jobs
        if page.next_before is None:
            return
        assert query.before is None or page.next_before < query.before
        query = replace(query, before=page.next_before)
    raise AssertionError("the listing does not end")


def list_all(backend: Backend, query: ListJobs) -> list[Job]:
    """Return every job of a listing."""
    return [job for page in walk(backend, query) for job in page]


def audit(backend: Backend) -> None:
    """Check that records, indexes and figures of every queue tell the same story."""
    everything = list_all(backend, ListJobs(limit=200))
    assert ids(everything) == sorted(set(ids(everything)), reverse=True)
    queues = backend.list_queues()
    names = [stats.name for stats in queues]
    assert names == sorted(set(names))
    assert {job.queue_name for job in everything} <= set(names)
    for stats in queues:
        own = [job for job in everything if job.queue_name == stats.name]
        _audit_queue(backend, stats, own)
    for job, read in zip(everything, backend.get_job(ids(everything)), strict=True):
        assert read is not None
        assert public(read) == public(job)
        _audit_job(job)


def _audit_queue(backend: Backend, stats: QueueStats, jobs: list[Job]) -> None:
    tally = {status: sum(job.status is status for job in jobs) for status in Status}
    assert stats.counts == tally
    assert stats.accepted == len(jobs) + stats.pruned
    pending = [job.created_at for job in jobs if job.status is Status.PENDING]
    assert stats.oldest_pending_at == min(pending, default=None)
    (length,) = backend.get_queue_length([stats.name])
    counted = (length.pending, length.delayed, length.running)
    assert counted == (tally[Status.PENDING], tally[Status.DELAYED], tally[Status.RUNNING])
    assert length.paused is stats.settings.paused
    for status in Status:
        query = ListJobs(queue_name=stats.name, statuses=frozenset({status}), limit=200)
        found = list_all(backend, query)
        assert ids(found) == [job.id for job in jobs if job.status is status]
    holders = [job.dedupe_key for job in jobs if job.dedupe_key and job.status in LIVE]
    assert len(holders) == len(set(holders))


def _audit_job(job: Job) -> None:
    assert (job.lease is not None) == (job.status is Status.RUNNING)
    assert (job.completed_at is not None) == (job.status in ENDED)
    assert (job.dead_reason is not None) == (job.status is Status.DEAD)
    assert job.created_at <= job.updated_at
