"""The work of one transaction: the jobs that it read, what becomes of them, and one write at the end.

A verb locks the jobs that its items name, goes through the items one by one, each of which sees what the
earlier ones did, and finishes. So the statements are as many as the kinds of changes, not the items.
Rows are locked in the order of their ids, by every verb, so that no two wait for each other. Whoever waits
for a job that ends here hears of it before the commit: ``families``.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from actorq.backends.postgres import arrays, records, writes
from actorq.backends.postgres.families import End, Families
from actorq.backends.postgres.records import CODES, Entry
from actorq.core import dependence
from actorq.core.bounds import is_job_id
from actorq.core.transitions import ENDED, LIVE, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from actorq.backends.postgres.connection import Result, Statement
    from actorq.backends.postgres.shared import Shared
    from actorq.backends.postgres.transaction import Transaction
    from actorq.core.job import Job
    from actorq.core.policy import Policy

Place = tuple[int, str]
"""A dedupe key and the number of its queue."""

_LOOKS: Final = 5
"""How often a job is looked for that is on its way from one table to the other."""


def first(row: Sequence[Any]) -> int:
    """Return the one number of a row."""
    value: int = row[0]
    return value


def first_or_none(row: Sequence[Any]) -> int | None:
    """Return the one number of a row, which may be NULL."""
    value: int | None = row[0]
    return value


class Work:
    """What one transaction does."""

    def __init__(
        self,
        transaction: Transaction,
        shared: Shared,
        *,
        again: bool = False,
        beside: frozenset[str] = frozenset(),
    ) -> None:
        """Work in ``transaction``, ``again`` if another one was in the way of the first attempt.

        ``beside`` turned out to be needed then: these jobs are locked with the first ones.
        """
        self.transaction = transaction
        self.again = again
        self.beside = beside
        self.shared = shared
        self.statements = shared.statements
        self.now = 0
        self.entries: dict[str, Entry] = {}
        self.moves: dict[int, list[int]] = {}
        self.awake: set[int] = set()
        self.locked: set[str] = set()  # or known not to live
        self.families = Families(self)
        self._changed: dict[str, Entry] = {}
        self._removed: list[Entry] = []
        self._queues: dict[int, str] = {}
        self._keys: dict[Place, list[Entry]] = {}

    @property
    def policy(self) -> Policy:
        """Return the bounds of the installation."""
        return self.shared.policy

    # ── reading ─────────────────────────────────────────────────────────────────────────────────

    def ask(self, *statements: Statement, last: bool = False) -> list[Result]:
        """Run statements, and learn the store's instant after them; the ``last`` ones commit."""
        run = self.transaction.finish if last else self.transaction.ask
        *results, clock = run(*statements, self.statements("jobs.clock"))
        self.now = clock.row(first)
        if last:
            self._tell_names()
        return results

    def decode(self, result: Result) -> list[Entry]:
        """Return the jobs that a statement gave."""
        return result.rows(records.reader(self.queue_name))

    def enter(self, result: Result) -> list[Entry]:
        """Load the jobs that a statement gave, and return them in its order.

        What was loaded before is replaced: it was read, and is locked by now.
        """
        found = self.decode(result)
        self.entries.update((entry.job.id, entry) for entry in found)
        return found

    def enter_locked(self, result: Result) -> list[Entry]:
        """Load the jobs that a statement gave which locked them."""
        found = self.enter(result)
        self.locked.update(entry.job.id for entry in found)
        return found

    def lock_live(self, ids: Sequence[str]) -> None:
        """Lock those of these jobs that live, and load them; ``ids`` are in order."""
        (result,) = self.ask(self.statements("jobs.lock", arrays.uuids(ids)))
        self.enter(result)
        self.locked.update(ids)

    def lock(self, ids: Iterable[str], *, ended_too: bool = False) -> None:
        """Lock the live jobs of these ids, and those beside; ended ones are read, or locked as well."""
        left = sorted({job_id for job_id in ids if is_job_id(job_id)} | self.beside)
        table = "jobs.lock_ended" if ended_too else "jobs.read"
        for _ in range(_LOOKS if left else 0):
            self.lock_live(left)
            left = [job_id for job_id in left if job_id not in self.entries]
            if not left:
                return
            (result,) = self.ask(self.statements(table, arrays.uuids(left)))
            if not ended_too:
                found = self.decode(result)
                ended = [entry for entry in found if entry.job.status in ENDED]
                self.entries.update((entry.job.id, entry) for entry in ended)
                # What is live is not locked yet: it was redriven since the look before.
                left = [e.job.id for e in found if e.job.status not in ENDED]
            else:
                self.enter(result)
                left = self._there(job_id for job_id in left if job_id not in self.entries)
            if not left:
                return

    def take_up(self, holders: Sequence[tuple[str, str | None]], *, ending: bool) -> None:
        """Load the jobs whose holders speak, each with its token: from memory if all of them are there.

        Then they are not locked; if one has changed, the write finds out, and all is done again. Whoever
        waits for the end of one is locked with them.
        """
        known = None if self.again else self.shared.held.recall(holders)
        jobs = [e.job for e in known.values() if e.job.workflow is not None] if known else []
        children = [child for job in jobs for child in dependence.dependents(job)]
        if known is None or (children and ending):
            self.lock([*(job_id for job_id, _ in holders), *children])
            return
        self.ask()
        self.entries = {
            job_id: Entry(held.job, held.queue, held.job, held.format, held.unknown)
            for job_id, held in known.items()
        }

    def _there(self, ids: Iterable[str]) -> list[str]:
        """Return those ids that are in one of the tables, at one moment."""
        wanted = list(ids)
        if not wanted:
            return []
        (result,) = self.ask(self.statements("jobs.read", arrays.uuids(wanted)))
        return [entry.job.id for entry in self.decode(result)]

    def queue_name(self, number: int) -> str:
        """Return the name of a queue."""
        name = self.shared.names.name(number) or self._queues.get(number)
        if name is None:
            raise UnknownQueueError(number)
        return name

    def learn(self, number: int, name: str) -> None:
        """Take note of a queue; if this transaction makes it, others hear of it when it is done."""
        self._queues[number] = name

    def _tell_names(self) -> None:
        for number, name in self._queues.items():
            self.shared.names.learn(number, name)

    def load_holders(self, places: Sequence[Place], *, lock: Sequence[Place] = ()) -> None:
        """Load the jobs that may hold these dedupe keys; the live ones of ``lock`` are locked."""
        if not places:
            return
        questions = [self.statements("jobs.holders", *_columns(places))]
        if lock:
            # First: what is read after it stays as it is.
            questions.insert(0, self.statements("jobs.lock_holders", *_columns(lock)))
        for entry in self.enter(self.ask(*questions)[-1]):
            self._note_key(entry)

    def peek_holders(self, places: Sequence[Place]) -> list[str]:
        """Return the ids of the jobs that may hold these dedupe keys, which are not locked."""
        (result,) = self.ask(self.statements("jobs.holders", *_columns(places)))
        return [entry.job.id for entry in self.decode(result)]

    def holder(self, place: Place) -> Entry | None:
        """Return the job that holds a key whose holders were loaded: a live one before a window."""
        holders = [each for each in self._keys.get(place, ()) if each.job.holds_key(self.now)]
        return min(
            holders, key=lambda each: (each.job.status not in LIVE, each.job.id), default=None
        )

    def _note_key(self, entry: Entry) -> None:
        if entry.job.dedupe_key is not None:
            known = self._keys.setdefault((entry.queue, entry.job.dedupe_key), [])
            if all(other is not entry for other in known):
                known.append(entry)

    # ── changing ────────────────────────────────────────────────────────────────────────────────

    def add(self, job: Job, queue: int) -> Entry:
        """Write a new job."""
        entry = Entry(job, queue)
        self.entries[job.id] = self._changed[job.id] = entry
        self._note_key(entry)
        return entry

    def change(self, entry: Entry, job: Job) -> Job:
        """Write what a step made of a job; those who wait for it hear of its end."""
        children = () if job.workflow is None else dependence.to_tell(entry.job.status, job)
        entry.job = job
        self._changed[job.id] = entry
        self._note_key(entry)
        if children:
            self.families.end(End(job.id, job.status, children))
        return job

    def remove(self, entry: Entry) -> Job:
        """Take a job out."""
        del self.entries[entry.job.id]
        self._changed.pop(entry.job.id, None)
        self._removed.append(entry)
        return entry.job

    def move(self, queue: int, place: int, by: int) -> None:
        """Count: ``place`` is that of a figure in the table of moves."""
        self.moves.setdefault(queue, [0] * writes.FIGURES)[place] += by

    # ── writing ─────────────────────────────────────────────────────────────────────────────────

    def finish(self, *last: Statement) -> list[Result]:
        """Tell whom it concerns, write everything, run ``last``, and commit; returns what ``last`` gave."""
        self.families.finish()
        changes: list[Statement] = []
        if self._changed or self._removed:
            self._count()
            changes = writes.statements(self, list(self._changed.values()), self._removed)
        if self.moves:
            changes.append(writes.moves(self.statements, self.moves))
        names = sorted(self.queue_name(number) for number in self.awake)
        told_later = self.shared.bulletin.attended
        if names and not told_later:
            changes.append(
                self.statements("queues.notify", self.shared.channel, arrays.texts(names))
            )
        results = self.transaction.finish(*changes, *last)
        self.shared.held.note(self._changed.values())
        self._tell_names()
        if names and told_later:
            self.shared.bulletin.post(names)
        return results[len(changes) :]

    def _count(self) -> None:
        """Count what becomes of the jobs, and note the queues that have something to claim."""
        changed = self._changed.values()
        new = Counter((e.queue, e.job.status) for e in changed if e.was is None)
        moved = Counter((e.queue, e.was.status, e.job.status) for e in changed if e.was is not None)
        gone = Counter((e.queue, e.was.status) for e in self._removed if e.was is not None)
        for (queue, status), count in new.items():
            self.move(queue, writes.ACCEPTED, count)
            self._enter(queue, status, count)
        for (queue, was, status), count in moved.items():
            if was is not status:
                self.move(queue, writes.FIRST_STATUS + CODES[was], -count)
                self._enter(queue, status, count)
        for (queue, was), count in gone.items():
            self.move(queue, writes.PRUNED, count)
            self.move(queue, writes.FIRST_STATUS + CODES[was], -count)

    def _enter(self, queue: int, status: Status, count: int) -> None:
        self.move(queue, writes.FIRST_STATUS + CODES[status], count)
        if status is Status.PENDING:
            self.awake.add(queue)


def _columns(places: Sequence[Place]) -> tuple[bytes, bytes]:
    distinct = sorted(set(places))
    return arrays.int4s([q for q, _ in distinct]), arrays.texts([key for _, key in distinct])


class UnknownQueueError(Exception):
    """A row names a queue that this process has not heard of: it must read the list of queues."""
