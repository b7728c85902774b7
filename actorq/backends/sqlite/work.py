"""The work of one transaction: the jobs that it read, what becomes of them, and one write at the end.

A verb loads the jobs that its items name, goes through the items one by one, each of which sees what
the earlier ones did, and flushes. So the statements are as many as the kinds of changes, not the items.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, cast

import msgspec

from actorq.backends.sqlite import aside, records, rows
from actorq.backends.sqlite.rows import CODES, Entry
from actorq.backends.sqlite.statements import statement
from actorq.core import dependence
from actorq.core.transitions import LIVE, Status

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from actorq.core.job import Job
    from actorq.core.policy import Policy

_LAST_SEQ: Final = statement("jobs", "last_seq")
_BY_ID: Final = statement("jobs", "by_id")
_BY_SEQ: Final = statement("jobs", "by_seq")
_HOLDERS: Final = statement("jobs", "holders")
_COUNT: Final = statement("queues", "count")

Place = tuple[int, str]
"""A dedupe key and the number of its queue."""

_Record = tuple[int, int, int, bytes, bytes]

_Family = tuple[str, Status | None, tuple[str, ...]]
"""A job that has ended, how it did (None: it was removed), and the jobs that depend on it."""


class Work:
    """What one transaction does."""

    def __init__(
        self, sqlite: sqlite3.Connection, policy: Policy, now: int, *, may_write: bool
    ) -> None:
        """Work on ``sqlite``, in whose transaction the store's instant is ``now``."""
        self.sqlite = sqlite
        self.policy = policy
        self.now = now
        self.entries: dict[str, Entry] = {}
        self.unreadable: dict[int, Exception] = {}
        self._may_write = may_write
        self._new: list[Entry] = []
        self._changed: dict[int, Entry] = {}
        self._edited: dict[int, Entry] = {}
        self._renewed: dict[int, Entry] = {}
        self._removed: list[int] = []
        self._moves: Counter[tuple[int, Status | None, Status | None]] = Counter()
        self._keys: dict[Place, list[Entry]] = {}
        self._last_seq = -1
        self._stirred: dict[int, Entry] = {}
        self._families: list[_Family] = []
        self._sought: set[str] = set()
        self._has_told = False
        self._is_telling = False

    # ── reading ─────────────────────────────────────────────────────────────────────────────────

    def select(self, sql: str, *values: object) -> list[Entry]:
        """Return the jobs that a statement selects, in its order, as they are by now.

        Rows that cannot be read are noted and left out. A write sets them aside, and looks for others.
        """
        found, unreadable = self._select(sql, values)
        while unreadable:
            self.unreadable |= unreadable
            if not self._may_write:
                break
            for (queue, status), count in aside.put(self.sqlite, unreadable).items():
                self._moves[queue, status, None] += count
            found, unreadable = self._select(sql, values)
        return found

    def _select(
        self, sql: str, values: tuple[object, ...]
    ) -> tuple[list[Entry], dict[int, Exception]]:
        found: list[Entry] = []
        unreadable: dict[int, Exception] = {}
        entries, decode = self.entries, records.decode
        selected = cast("list[_Record]", self.sqlite.execute(sql, values).fetchall())
        for seq, queue, record_format, state, body in selected:
            try:
                job = decode(state, body)
            except records.UNREADABLE as error:
                unreadable[seq] = error
                continue
            entry = entries.get(job.id)
            if entry is None:
                unknown = records.find_unknown(record_format, state, body)
                entry = Entry(seq, queue, job, job.status, unknown)
                entries[job.id] = entry
            found.append(entry)
        return found, unreadable

    def load(self, ids: Iterable[str]) -> dict[str, Entry]:
        """Load the jobs of these ids; returns all that this transaction knows, by id."""
        self.select(_BY_ID, msgspec.json.encode(list(ids)).decode())
        return self.entries

    def load_rows(self, seqs: Sequence[int]) -> list[Entry]:
        """Load the jobs of these rows."""
        return self.select(_BY_SEQ, msgspec.json.encode(seqs).decode()) if seqs else []

    def load_holders(self, places: Sequence[Place]) -> None:
        """Load the jobs that may hold these dedupe keys."""
        if places:
            for entry in self.select(_HOLDERS, msgspec.json.encode(places).decode()):
                self._note_key(entry)

    def holder(self, place: Place) -> Entry | None:
        """Return the job that holds a key whose holders were loaded: a live one before a window."""
        holders = [each for each in self._keys.get(place, ()) if each.job.holds_key(self.now)]
        return min(
            holders, key=lambda each: (each.job.status not in LIVE, each.job.id), default=None
        )

    # ── changing ────────────────────────────────────────────────────────────────────────────────

    def add(self, job: Job, queue: int) -> Job:
        """Write a new job."""
        if self._last_seq < 0:
            (last,) = cast("tuple[int | None]", self.sqlite.execute(_LAST_SEQ).fetchone())
            self._last_seq = last or 0
        self._last_seq += 1
        entry = Entry(self._last_seq, queue, job, None)
        self.entries[job.id] = entry
        self._new.append(entry)
        if job.dedupe_key is not None:
            self._note_key(entry)
        return job

    def change(self, entry: Entry, job: Job) -> Job:
        """Write what a step made of a job; its body stays. Returns the record as it is written.

        The children of a job that ends by it are told in the same step, and theirs of them.
        """
        before = entry.job
        if job.updated_at < before.updated_at:
            job = _not_before(job, before.updated_at)
        entry.job = job
        if entry.was is not None:
            self._changed[entry.seq] = entry
        if job.dedupe_key is not None:
            self._note_key(entry)
        if job.workflow is not None:
            self._tell(job.id, job.status, dependence.to_tell(before.status, job))
        return job

    def edit(self, entry: Entry, job: Job) -> Job:
        """Write what a step made of a job, body and all."""
        if entry.was is not None:
            self._edited[entry.seq] = entry
        return self.change(entry, job)

    def take_back(self, entry: Entry) -> None:
        """Write the row of a job that was set aside: its queue gets it as if it were new."""
        self.entries[entry.job.id] = entry
        self._changed[entry.seq] = entry
        self._note_key(entry)

    def renew(self, entry: Entry, job: Job) -> Job:
        """Write a change that leaves the job running: no index is touched but that of the leases."""
        if job.updated_at < entry.job.updated_at:
            job = _not_before(job, entry.job.updated_at)
        entry.job = job
        self._renewed[entry.seq] = entry
        return job

    def remove(self, entry: Entry) -> Job:
        """Take a job out; who depends on one that never ended is told."""
        job = entry.job
        assert entry.was is not None
        self.remove_rows([entry.seq], entry.queue, entry.was)
        for written in (self._changed, self._edited, self._renewed, self._stirred):
            written.pop(entry.seq, None)
        del self.entries[job.id]
        self._sought.add(job.id)
        if job.workflow is not None and job.status in LIVE:
            self._tell(job.id, None, dependence.dependents(job))
        return job

    def remove_rows(self, seqs: Sequence[int], queue: int, status: Status) -> None:
        """Take jobs of one queue and status out, unread."""
        self._removed += seqs
        self._moves[queue, status, None] += len(seqs)

    def _note_key(self, entry: Entry) -> None:
        if entry.job.dedupe_key is not None:
            known = self._keys.setdefault((entry.queue, entry.job.dedupe_key), [])
            if all(each is not entry for each in known):
                known.append(entry)

    # ── telling ─────────────────────────────────────────────────────────────────────────────────

    def stirred(self) -> list[Job]:
        """Return the jobs that changed as another one ended, as they are by now."""
        return [entry.job for entry in self._stirred.values()]

    def _tell(self, parent_id: str, end: Status | None, children: tuple[str, ...]) -> None:
        """Tell children how their parent ended, and those of each that ends of it, level by level."""
        if not children:
            return
        self._families.append((parent_id, end, children))
        if self._is_telling:
            # A child has ended, and its own children are the next level: a line may be long.
            return
        self._is_telling = True
        while self._families:
            level, self._families = self._families, []
            self._load_children(level)
            for parent, how, ids in level:
                for entry in filter(None, map(self.entries.get, ids)):
                    told = dependence.parent_ended(entry.job, parent, how, self.now)
                    if told is not None:
                        self._stirred[entry.seq] = entry
                        self.change(entry, told)
        self._is_telling = False

    def _load_children(self, families: Sequence[_Family]) -> None:
        """Load the children of a level, by one statement if any are not known yet."""
        wanted = {child for _, _, children in families for child in children}
        if not self._has_told:
            # The other jobs of the batch are about to end too, as likely as not.
            known = self.entries.values()
            wanted.update(child for each in known for child in dependence.dependents(each.job))
            self._has_told = True
        wanted -= self.entries.keys() | self._sought
        if wanted:
            self._sought |= wanted
            self.load(wanted)

    # ── writing ─────────────────────────────────────────────────────────────────────────────────

    def flush(self) -> None:
        """Write everything."""
        if self._new:
            rows.insert(self.sqlite, self._new)
            self._moves.update([(e.queue, None, e.job.status) for e in self._new])
        if self._changed:
            changed = self._changed.values()
            rows.update(self.sqlite, changed)
            self._moves.update([(e.queue, e.was, e.job.status) for e in changed])
        if self._renewed:
            rows.renew(self.sqlite, self._renewed.values())
        if self._edited:
            rows.update_bodies(self.sqlite, self._edited.values())
        if self._removed:
            rows.delete(self.sqlite, self._removed)
        if self._moves:
            self.sqlite.executemany(_COUNT, self._figures())

    def _figures(self) -> list[list[int]]:
        """Return what is added to the figures of each queue: accepted, pruned, each status, its number."""
        figures: dict[int, list[int]] = {}
        for (queue, old, new), count in self._moves.items():
            row = figures.setdefault(queue, [0] * (2 + len(CODES)) + [queue])
            if old is None:
                row[0] += count
            else:
                row[2 + CODES[old]] -= count
            if new is None:
                row[1] += count
            else:
                row[2 + CODES[new]] += count
        return list(figures.values())


def _not_before(job: Job, instant: int) -> Job:
    """Return a record whose last write is no earlier than ``instant``.

    The clock was turned back since the write before. What is due still goes by the clock, but the
    story that a record tells must not run backwards.
    """
    ended_at = None if job.completed_at is None else instant
    return msgspec.structs.replace(job, updated_at=instant, completed_at=ended_at)
