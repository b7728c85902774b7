"""The backend: one connection, each verb one transaction."""

from __future__ import annotations

import logging
import sqlite3
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from actorq.backends.sqlite import aside, listing, queues, retention, schedules, settlements, sweeps
from actorq.backends.sqlite import claims as claiming
from actorq.backends.sqlite import edits as editing
from actorq.backends.sqlite.connection import Connection
from actorq.backends.sqlite.drift import Drift, widen_drift
from actorq.backends.sqlite.enqueue import enqueue
from actorq.backends.sqlite.work import Work
from actorq.core.results import Check, Claimed, Enqueued, Page, PrunedReplay, Settled, Sweep
from actorq.errors import InternalError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from pathlib import Path

    from actorq.backends.sqlite.gate import Gate
    from actorq.core.commands import Ack, Claim, Edit, Extend, Fail, ListJobs, Release, Report
    from actorq.core.job import Job, NewJob
    from actorq.core.policy import Policy
    from actorq.core.queue import QueueEdit, QueueLength, QueueStats
    from actorq.core.schedule import Schedule, ScheduleChange
    from actorq.core.transitions import Status
    from actorq.errors import ActorqError

SAID: Final = 1_000
"""Of how many rows that cannot be read a connection says so: more would fill the log, and tell no more."""

STIRRED: Final = 10_000
"""How many jobs are remembered that others stirred: hints, of which the first are lost when nobody asks."""

_log = logging.getLogger("actorq.sqlite")


class SqliteBackend:
    """One connection to the file. The verbs are those of ``actorq.backends.backend``."""

    def __init__(self, path: Path, gate: Gate, policy: Policy, clock: Callable[[], int]) -> None:
        """Connect."""
        self._connection = Connection(path, gate)
        self._policy = policy
        self._clock = clock
        self._drift = Drift()
        self._stirred: deque[Job] = deque(maxlen=STIRRED)
        self._said: set[int] = set()

    def enqueue(self, items: Sequence[NewJob]) -> list[Enqueued | PrunedReplay | ActorqError]:
        """Write new jobs, with their dedupe and idempotency keys."""
        if not items:
            return []
        try:
            return self._enqueue(items, careful=False)
        except sqlite3.IntegrityError:
            # An id is there already: this is a repeat. It is rare, so it is not looked for first.
            return self._enqueue(items, careful=True)

    def _enqueue(
        self, items: Sequence[NewJob], *, careful: bool
    ) -> list[Enqueued | PrunedReplay | ActorqError]:
        with self._writing() as work:
            answers = enqueue(work, items, careful=careful)
            drift = self._covering(work, items)
        self._drift = drift
        return answers

    def _covering(self, work: Work, items: Sequence[NewJob]) -> Drift:
        """Return the drift with these new jobs; it is in the file before they are."""
        drift = self._drift.covering(items, work.now)
        if drift is not self._drift:
            widen_drift(work.sqlite, drift)
        return drift

    def dequeue(self, claims: Sequence[Claim]) -> list[Claimed]:
        """Claim and lease the best pending jobs."""
        if not claims:
            return []
        with self._writing() as work:
            return claiming.dequeue(work, claims)

    def find_claims(self, tokens: Sequence[str]) -> list[Job]:
        """Return the running jobs which are leased under one of ``tokens``."""
        if not tokens:
            return []
        with self._reading() as work:
            return claiming.find_claims(work, tokens)

    def ack(self, items: Sequence[Ack]) -> list[Settled | ActorqError]:
        """Complete jobs."""
        if not items:
            return []
        with self._writing() as work:
            return settlements.ack(work, items)

    def fail(self, items: Sequence[Fail]) -> list[Settled | ActorqError]:
        """Record failures and what follows from each."""
        if not items:
            return []
        with self._writing() as work:
            return settlements.fail(work, items)

    def release(self, items: Sequence[Release]) -> list[Settled | ActorqError]:
        """Take jobs back from their holders without a failure."""
        if not items:
            return []
        with self._writing() as work:
            return settlements.release(work, items)

    def extend(self, items: Sequence[Extend]) -> list[Job | ActorqError]:
        """Renew leases."""
        if not items:
            return []
        with self._writing() as work:
            return settlements.extend(work, items)

    def report(self, items: Sequence[Report]) -> list[Job | ActorqError]:
        """Record progress."""
        if not items:
            return []
        with self._writing() as work:
            return settlements.report(work, items)

    def cancel(self, ids: Sequence[str]) -> list[Job | ActorqError]:
        """Cancel waiting jobs, ask the holders of running ones."""
        if not ids:
            return []
        with self._writing() as work:
            return editing.cancel(work, ids)

    def redrive(self, ids: Sequence[str]) -> list[Job | ActorqError]:
        """Give dead jobs another life."""
        if not ids:
            return []
        with self._writing() as work:
            return editing.redrive(work, ids)

    def get_job(self, ids: Sequence[str]) -> list[Job | None]:
        """Read jobs as last committed."""
        if not ids:
            return []
        with self._reading() as work:
            found = {entry.job.id: entry.job for entry in work.load(ids).values()}
            for seq, error in work.unreadable.items():
                raise InternalError(aside.sentence(seq, error)) from error
            missing = [job_id for job_id in ids if job_id not in found]
            if missing:
                found |= aside.read(work.sqlite, missing)
        return [found.get(job_id) for job_id in ids]

    def update_job(self, edits: Sequence[Edit]) -> list[Job | ActorqError]:
        """Change waiting jobs."""
        if not edits:
            return []
        with self._writing() as work:
            return editing.update_job(work, edits)

    def delete(self, ids: Sequence[str]) -> list[Job | ActorqError]:
        """Remove ended jobs and count them as pruned."""
        if not ids:
            return []
        with self._writing() as work:
            return editing.delete(work, ids)

    def stirred(self) -> tuple[Job, ...]:
        """Return, once, the jobs that the verbs since the last time changed beyond those they answered."""
        known = tuple(self._stirred)
        self._stirred.clear()
        return known

    def requeue_expired(self, limit: int) -> Sweep:
        """End up to ``limit`` leases that ran out, oldest first."""
        return self._sweep(sweeps.NEXT_EXPIRY, limit, sweeps.requeue_expired)

    def promote_delayed(self, limit: int) -> Sweep:
        """Move up to ``limit`` delayed jobs that have become due, and bury waiting jobs that lapsed."""
        return self._sweep(sweeps.NEXT_PROMOTION, limit, sweeps.promote_delayed)

    def _sweep(self, next_instant: str, limit: int, sweep: Callable[[Work, int], Sweep]) -> Sweep:
        # A look first: most rounds find nothing, and need not stand in the writers' way for it.
        with self._reading() as work:
            next_in = sweeps.next_in(work.sqlite, next_instant, work.now)
        if next_in != 0.0:
            return Sweep((), next_in)
        with self._writing() as work:
            return sweep(work, limit)

    def prune(self, limit: int) -> tuple[int, float | None]:
        """Remove up to ``limit`` ended jobs and idempotency records that retention lets go."""
        with self._writing() as work:
            answer = retention.prune(work, limit)
        self._connection.catch_up()
        return answer

    def purge(self, queue_name: str, statuses: frozenset[Status], limit: int) -> int:
        """Remove up to ``limit`` jobs of these statuses, never running ones; answers how many."""
        with self._writing() as work:
            return retention.purge(work, queue_name, statuses, limit)

    def list_jobs(self, query: ListJobs) -> Page:
        """List jobs, newest first."""
        with self._reading() as work:
            return listing.list_jobs(work, query)

    def list_queues(self, names: Sequence[str] | None = None) -> list[QueueStats]:
        """Return the figures of all queues by name, or of ``names``."""
        with self._reading() as work:
            return queues.list_queues(work.sqlite, names)

    def get_queue_length(self, names: Sequence[str]) -> list[QueueLength]:
        """Return the exact lengths."""
        if not names:
            return []
        with self._reading() as work:
            return queues.get_queue_length(work.sqlite, names)

    def update_queue(self, edits: Sequence[QueueEdit]) -> list[QueueStats]:
        """Change settings of queues, making those that are not there yet."""
        if not edits:
            return []
        with self._writing() as work:
            return queues.update_queue(work.sqlite, edits)

    def change_schedules(self, changes: Sequence[ScheduleChange]) -> list[Schedule | ActorqError]:
        """Make, define anew, pause or remove schedules."""
        if not changes:
            return []
        with self._writing() as work:
            return schedules.change(work, changes)

    def get_schedules(self, names: Sequence[str]) -> list[Schedule | None]:
        """Read schedules as last committed."""
        if not names:
            return []
        with self._reading() as work:
            return schedules.get(work.sqlite, names)

    def list_schedules(self, after: str, limit: int) -> list[Schedule]:
        """List schedules by name."""
        with self._reading() as work:
            return schedules.page(work.sqlite, after, limit)

    def fire_schedules(self, limit: int) -> Sweep:
        """Make up to ``limit`` jobs of ticks that have come."""
        with self._reading() as work:
            next_in = sweeps.next_in(work.sqlite, schedules.NEXT, work.now)
        if next_in != 0.0:
            return Sweep((), next_in)
        with self._writing() as work:
            items, sweep = schedules.fire(work, limit)
            drift = self._covering(work, items) if items else self._drift
        self._drift = drift
        return sweep

    def check(self) -> Check:
        """Prove that a write would work now, and tell the store's clock."""
        self._connection.probe()
        with self._reading() as work:
            unreadable = aside.warnings(work.sqlite)
        return Check(self._clock(), (*self._connection.warnings(), *unreadable))

    def close(self) -> None:
        """Let the connection go; safe to call twice."""
        self._connection.close()

    @contextmanager
    def _writing(self) -> Generator[Work]:
        with self._connection.writing() as sqlite:
            # The clock is read under the lock, so that no later write has an earlier instant.
            work = Work(sqlite, self._policy, self._clock(), may_write=True)
            yield work
        self._say(work)
        # They are committed by now.
        self._stirred.extend(work.stirred())

    @contextmanager
    def _reading(self) -> Generator[Work]:
        with self._connection.reading() as sqlite:
            work = Work(sqlite, self._policy, self._clock(), may_write=False)
            yield work
        self._say(work)

    def _say(self, work: Work) -> None:
        for seq, error in work.unreadable.items():
            if seq not in self._said and len(self._said) < SAID:
                self._said.add(seq)
                _log.error("a job is left out: %s", aside.sentence(seq, error))
