"""The backend: one connection, each verb one transaction."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, TypeVar

from actorq.backends.postgres import (
    arrays,
    listing,
    queues,
    retention,
    schedules,
    settlements,
    sweeps,
)
from actorq.backends.postgres import claims as claiming
from actorq.backends.postgres import edits as editing
from actorq.backends.postgres.enqueue import enqueue
from actorq.backends.postgres.families import Entangled
from actorq.backends.postgres.sweeps import Upcoming, read_upcoming
from actorq.backends.postgres.transaction import ATTEMPTS, ask_once, perform
from actorq.backends.postgres.work import UnknownQueueError, Work, first
from actorq.core.bounds import is_job_id
from actorq.core.results import Check, Sweep
from actorq.errors import BackendUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from actorq.backends.postgres.connection import Connection, Result, Statement
    from actorq.backends.postgres.shared import Shared
    from actorq.backends.postgres.transaction import Transaction
    from actorq.core.commands import Ack, Claim, Edit, Extend, Fail, ListJobs, Release, Report
    from actorq.core.job import Job, NewJob
    from actorq.core.queue import QueueEdit, QueueLength, QueueStats
    from actorq.core.results import Claimed, Enqueued, Page, PrunedReplay, Settled
    from actorq.core.schedule import Schedule, ScheduleChange
    from actorq.core.transitions import Status
    from actorq.errors import ActorqError

T = TypeVar("T")

STIRRED: Final = 10_000
"""How many jobs are remembered that others stirred: hints, of which the first are lost when nobody asks."""


class PostgresBackend:
    """One connection to the database. The verbs are those of ``actorq.backends.backend``."""

    def __init__(self, connection: Connection, shared: Shared) -> None:
        """Work on ``connection``, which is this backend's from now on."""
        self._connection = connection
        self._shared = shared
        self._stirred: deque[Job] = deque(maxlen=STIRRED)

    def _do(self, verb: Callable[[Work], T]) -> T:
        """Do a verb in a transaction, anew if another one is in its way."""
        attempts = 0
        beside: frozenset[str] = frozenset()

        def attempt(transaction: Transaction) -> tuple[T, Work]:
            nonlocal attempts
            attempts += 1
            work = Work(transaction, self._shared, again=attempts > 1, beside=beside)
            return verb(work), work

        while True:
            try:
                answer, work = perform(self._connection, self._shared.begin, attempt)
            except UnknownQueueError:
                # Another process made the queue. One look at the list, and it is known for ever.
                self._learn_queues()
            except Entangled as error:
                if attempts >= ATTEMPTS:
                    raise BackendUnavailable(
                        f"PostgreSQL: others were in the way again and again: {error}"
                    ) from error
                beside |= error.ids
            else:
                self._stirred.extend(entry.job for entry in work.families.stirred.values())
                return answer

    def _ask(self, statement: Statement) -> list[Result]:
        """Run one statement, which is a transaction of its own."""
        return perform(self._connection, self._shared.begin, lambda t: t.finish(statement))

    def _learn_queues(self) -> None:
        (result,) = self._ask(self._shared.statements("queues.names"))
        for number, name in result.rows(_numbered):
            self._shared.names.learn(number, name)

    # ── enqueue and claim ───────────────────────────────────────────────────────────────────────

    def enqueue(self, items: Sequence[NewJob]) -> list[Enqueued | PrunedReplay | ActorqError]:
        """Write new jobs, with their dedupe and idempotency keys."""
        return self._do(lambda work: enqueue(work, items)) if items else []

    def dequeue(self, claims: Sequence[Claim]) -> list[Claimed]:
        """Claim and lease the best pending jobs."""
        return self._do(lambda work: claiming.dequeue(work, claims)) if claims else []

    def find_claims(self, tokens: Sequence[str]) -> list[Job]:
        """Return the running jobs which are leased under one of ``tokens``."""
        return self._do(lambda work: claiming.find_claims(work, tokens)) if tokens else []

    # ── the holder's verbs ──────────────────────────────────────────────────────────────────────

    def ack(self, items: Sequence[Ack]) -> list[Settled | ActorqError]:
        """Complete jobs."""
        return self._do(lambda work: settlements.ack(work, items)) if items else []

    def fail(self, items: Sequence[Fail]) -> list[Settled | ActorqError]:
        """Record failures and what follows from each."""
        return self._do(lambda work: settlements.fail(work, items)) if items else []

    def release(self, items: Sequence[Release]) -> list[Settled | ActorqError]:
        """Take jobs back from their holders without a failure."""
        return self._do(lambda work: settlements.release(work, items)) if items else []

    def extend(self, items: Sequence[Extend]) -> list[Job | ActorqError]:
        """Renew leases."""
        return self._do(lambda work: settlements.extend(work, items)) if items else []

    def report(self, items: Sequence[Report]) -> list[Job | ActorqError]:
        """Record progress."""
        return self._do(lambda work: settlements.report(work, items)) if items else []

    # ── anybody's verbs ─────────────────────────────────────────────────────────────────────────

    def cancel(self, ids: Sequence[str]) -> list[Job | ActorqError]:
        """Cancel waiting jobs, ask the holders of running ones."""
        return self._do(lambda work: editing.cancel(work, ids)) if ids else []

    def redrive(self, ids: Sequence[str]) -> list[Job | ActorqError]:
        """Give dead jobs another life."""
        return self._do(lambda work: editing.redrive(work, ids)) if ids else []

    def get_job(self, ids: Sequence[str]) -> list[Job | None]:
        """Read jobs as last committed."""
        known = [job_id for job_id in ids if is_job_id(job_id)]

        def verb(work: Work) -> list[Job | None]:
            question = work.statements("jobs.read", arrays.uuids(known))
            (result,) = work.transaction.finish(question)
            work.enter(result)
            found = (work.entries.get(job_id) for job_id in ids)
            return [None if entry is None else entry.job for entry in found]

        return self._do(verb) if ids else []

    def update_job(self, edits: Sequence[Edit]) -> list[Job | ActorqError]:
        """Change waiting jobs."""
        return self._do(lambda work: editing.update_job(work, edits)) if edits else []

    def delete(self, ids: Sequence[str]) -> list[Job | ActorqError]:
        """Remove ended jobs and count them as pruned."""
        return self._do(lambda work: editing.delete(work, ids)) if ids else []

    def stirred(self) -> tuple[Job, ...]:
        """Return the jobs that the verbs since the last time changed beyond those they answered."""
        told = tuple(self._stirred)
        self._stirred.clear()
        return told

    # ── sweeps ──────────────────────────────────────────────────────────────────────────────────

    def requeue_expired(self, limit: int) -> Sweep:
        """End up to ``limit`` leases that ran out, oldest first."""
        upcoming = self._look_ahead()
        if not upcoming.moved and not upcoming.has_come(upcoming.expiry):
            return Sweep((), upcoming.seconds_to(upcoming.expiry))
        return self._do(lambda work: sweeps.requeue_expired(work, limit))

    def promote_delayed(self, limit: int) -> Sweep:
        """Move up to ``limit`` delayed jobs that have become due, and bury waiting jobs that lapsed."""
        upcoming = self._look_ahead()
        if not upcoming.has_come(upcoming.promotion):
            return Sweep((), upcoming.seconds_to(upcoming.promotion))
        return self._do(lambda work: sweeps.promote_delayed(work, limit))

    def _look_ahead(self) -> Upcoming:
        """Ask what upkeep there is: one question, for most rounds find nothing to do."""
        since = arrays.int8(self._shared.rounds.since())
        question = self._shared.statements("sweeps.upcoming", since)
        return ask_once(self._connection, question).row(read_upcoming)

    def prune(self, limit: int) -> tuple[int, float | None]:
        """Remove up to ``limit`` ended jobs and idempotency records that retention lets go."""
        return self._do(lambda work: retention.prune(work, limit))

    def purge(self, queue_name: str, statuses: frozenset[Status], limit: int) -> int:
        """Remove up to ``limit`` jobs of these statuses, never running ones; answers how many."""
        return self._do(lambda work: retention.purge(work, queue_name, statuses, limit))

    # ── looking ─────────────────────────────────────────────────────────────────────────────────

    def list_jobs(self, query: ListJobs) -> Page:
        """List jobs, newest first."""
        return self._do(lambda work: listing.list_jobs(work, query))

    def list_queues(self, names: Sequence[str] | None = None) -> list[QueueStats]:
        """Return the figures of all queues by name, or of ``names``."""
        return self._do(lambda work: queues.list_queues(work, names))

    def get_queue_length(self, names: Sequence[str]) -> list[QueueLength]:
        """Return the exact lengths."""
        return self._do(lambda work: queues.get_queue_length(work, names)) if names else []

    def update_queue(self, edits: Sequence[QueueEdit]) -> list[QueueStats]:
        """Change settings of queues, making those that are not there yet."""
        return self._do(lambda work: queues.update_queue(work, edits)) if edits else []

    # ── schedules ───────────────────────────────────────────────────────────────────────────────

    def change_schedules(self, changes: Sequence[ScheduleChange]) -> list[Schedule | ActorqError]:
        """Make, define anew, pause or remove schedules."""
        return self._do(lambda work: schedules.change(work, changes)) if changes else []

    def get_schedules(self, names: Sequence[str]) -> list[Schedule | None]:
        """Read schedules as last committed."""
        return self._do(lambda work: schedules.get(work, names)) if names else []

    def list_schedules(self, after: str, limit: int) -> list[Schedule]:
        """List schedules by name."""
        return self._do(lambda work: schedules.page(work, after, limit))

    def fire_schedules(self, limit: int) -> Sweep:
        """Make up to ``limit`` jobs of ticks that have come."""
        question = self._shared.statements("schedules.next")
        upcoming = ask_once(self._connection, question).row(schedules.read_next)
        if upcoming.seconds != 0.0:
            return Sweep((), upcoming.seconds)
        return self._do(lambda work: schedules.fire(work, limit))

    # ── the connection itself ───────────────────────────────────────────────────────────────────

    def check(self) -> Check:
        """Write to the database, and tell its clock."""
        statement = self._shared.statements("queues.check")
        (result,) = self._ask(statement)
        return Check(result.row(first))

    def close(self) -> None:
        """Let the connection go; safe to call twice."""
        self._connection.close()


def _numbered(row: Sequence[Any]) -> tuple[int, str]:
    number, name = row
    return number, name
