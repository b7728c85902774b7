"""The model test's looks at a store: listings, figures, another connection, another start."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from msgspec.structs import replace

from actorq.core.commands import ListJobs
from actorq.core.job import Job
from actorq.core.transitions import Status
from actorq.testing.conformance import moves as m
from actorq.testing.conformance.answers import ids
from actorq.testing.conformance.audit import audit, list_all
from actorq.testing.conformance.likeness import like
from actorq.testing.conformance.model_world import World


def passes(job: Job, query: ListJobs) -> bool:
    """Tell whether a listing must hold the job."""
    if query.queue_name is not None and job.queue_name != query.queue_name:
        return False
    if query.statuses and job.status not in query.statuses:
        return False
    if query.created_from is not None and job.created_at < query.created_from:
        return False
    if query.created_to is not None and job.created_at >= query.created_to:
        return False
    if query.error is not None and not any(query.error in error.message for error in job.errors):
        return False
    return query.metadata.items() <= job.metadata.items()


def by_id(job: Job) -> str:
    """Return what records are sorted by."""
    return job.id


class Looks(World):
    """What changes nothing."""

    @rule(query=m.listings, pick=m.picks, side=m.sides)
    def list_jobs(self, query: ListJobs, pick: m.Pick, side: str) -> None:
        """List jobs by every filter, to the end of the listing."""
        job = self.ledger.jobs.get(self.job_id(pick, frozenset(Status)))
        if job is not None and side == "from":
            query = replace(query, created_from=job.created_at)
        elif job is not None and side == "to":
            query = replace(query, created_to=job.created_at)
        wanted = [job.id for job in self.ledger.jobs.values() if passes(job, query)]
        assert ids(list_all(self.bench.backend, query)) == sorted(wanted, reverse=True)

    @rule(names=m.names)
    def look(self, names: list[str]) -> None:
        """Read every figure of every queue, ask for every lease, and balance the books."""
        backend = self.bench.backend
        known = sorted(self.ledger.settings)
        assert like([self.ledger.stats(name) for name in known], backend.list_queues())
        assert like([self.ledger.stats(name) for name in names], backend.list_queues(names))
        assert like([self.ledger.length(name) for name in names], backend.get_queue_length(names))
        running = [job for job in self.ledger.jobs.values() if job.status is Status.RUNNING]
        tokens = [token for known in self.tokens.values() for token in known]
        found = backend.find_claims([*tokens, "no such token"])
        assert like(sorted(running, key=by_id), sorted(found, key=by_id))
        audit(backend)

    @precondition(lambda self: self.any_in({Status.RUNNING}))
    @rule(restart=st.booleans())
    def connect(self, *, restart: bool) -> None:
        """Go on over another connection, or as a program that starts afterwards."""
        if restart:
            self.bench.reopen()
        else:
            self.bench.backend = self.bench.connect()
