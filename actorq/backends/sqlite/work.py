"""The work of one transaction: the jobs that it read, what becomes of them, and one write at the end.

A verb loads the jobs that its items name, goes through the items one by one, each of which sees what
the earlier ones did, and flushes. So the statements are as many as the kinds of changes, not the items.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

import msgspec

from actorq.backends.sqlite import records
from actorq.backends.sqlite.statements import statement
from actorq.core.job import FORMAT, Job
from actorq.core.transitions import LIVE, Status

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from actorq.core.policy import Policy

CODES: Final = {
    Status.PENDING: 0,
    Status.DELAYED: 1,
    Status.RUNNING: 2,
    Status.COMPLETED: 3,
    Status.DEAD: 4,
    Status.CANCELLED: 5,
}
"""The numbers of the statuses in the file."""

LARGE_BODY: Final = 1_024
"""Bytes beyond which a body lies apart, so that a change of state does not copy it along."""

_INSERT: Final = statement("jobs", "insert")
_UPDATE: Final = statement("jobs", "update")
_UPDATE_BODY: Final = statement("jobs", "update_body")
_RENEW: Final = statement("jobs", "renew")
_DELETE: Final = statement("jobs", "delete")
_PUT_LARGE_BODY: Final = statement("jobs", "put_large_body")
_DELETE_LARGE_BODY: Final = statement("jobs", "delete_large_body")
_LAST_SEQ: Final = statement("jobs", "last_seq")
_BY_ID: Final = statement("jobs", "by_id")
_HOLDERS: Final = statement("jobs", "holders")
_COUNT: Final = statement("queues", "count")

_ACCEPTED, _PRUNED, _FIRST_STATUS = 0, 1, 2
_FIGURES: Final = _FIRST_STATUS + len(CODES)

Place = tuple[int, str]
"""A dedupe key and the number of its queue."""

_Record = tuple[int, int, int, bytes, bytes]


class Entry(msgspec.Struct):
    """A job in this transaction: its row, how it is by now, and how it was found (None: it is new)."""

    seq: int
    queue: int
    job: Job
    was: Status | None
    format: int = FORMAT
    unknown: records.Unknown | None = None


class Work:
    """What one transaction does."""

    def __init__(self, sqlite: sqlite3.Connection, policy: Policy, now: int) -> None:
        """Work on ``sqlite``, in whose transaction the store's instant is ``now``."""
        self.sqlite = sqlite
        self.policy = policy
        self.now = now
        self.entries: dict[str, Entry] = {}
        self._new: list[Entry] = []
        self._changed: dict[int, Entry] = {}
        self._edited: dict[int, Entry] = {}
        self._renewed: dict[int, Entry] = {}
        self._removed: list[int] = []
        self._figures: dict[int, list[int]] = {}
        self._keys: dict[Place, list[Entry]] = {}
        self._last_seq: int | None = None

    # ── reading ─────────────────────────────────────────────────────────────────────────────────

    def select(self, sql: str, *values: object) -> list[Entry]:
        """Return the jobs that a statement selects, in its order, as they are by now."""
        rows = cast("list[_Record]", self.sqlite.execute(sql, values).fetchall())
        return [self._enter(row) for row in rows]

    def load(self, ids: Iterable[str]) -> dict[str, Entry]:
        """Load the jobs of these ids; returns all that this transaction knows, by id."""
        wanted = msgspec.json.encode(list(ids)).decode()
        self.select(_BY_ID, wanted)
        return self.entries

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

    def _enter(self, row: _Record) -> Entry:
        seq, queue, record_format, state, body = row
        job = records.decode(state, body)
        known = self.entries.get(job.id)
        if known is not None:
            return known
        unknown = records.find_unknown(record_format, state, body)
        entry = Entry(seq, queue, job, job.status, record_format, unknown)
        self.entries[job.id] = entry
        return entry

    # ── changing ────────────────────────────────────────────────────────────────────────────────

    def add(self, job: Job, queue: int) -> Entry:
        """Write a new job."""
        if self._last_seq is None:
            (last,) = cast("tuple[int | None]", self.sqlite.execute(_LAST_SEQ).fetchone())
            self._last_seq = last or 0
        self._last_seq += 1
        entry = Entry(self._last_seq, queue, job, None)
        self.entries[job.id] = entry
        self._new.append(entry)
        self._note_key(entry)
        return entry

    def change(self, entry: Entry, job: Job) -> Job:
        """Write what a step made of a job; its body stays."""
        entry.job = job
        if entry.was is not None:
            self._changed[entry.seq] = entry
        if job.dedupe_key is not None:
            self._note_key(entry)
        return job

    def edit(self, entry: Entry, job: Job) -> Job:
        """Write what a step made of a job, body and all."""
        if entry.was is not None:
            self._edited[entry.seq] = entry
        return self.change(entry, job)

    def renew(self, entry: Entry, job: Job) -> Job:
        """Write a change that leaves the job running: no index is touched but that of the leases."""
        entry.job = job
        self._renewed[entry.seq] = entry
        return job

    def remove(self, entry: Entry) -> Job:
        """Take a job out."""
        assert entry.was is not None
        self.remove_rows([entry.seq], entry.queue, entry.was)
        del self.entries[entry.job.id]
        return entry.job

    def remove_rows(self, seqs: Sequence[int], queue: int, status: Status) -> None:
        """Take jobs of one queue and status out, unread."""
        self._removed += seqs
        self._figure(queue, _PRUNED, len(seqs))
        self._figure(queue, _FIRST_STATUS + CODES[status], -len(seqs))

    def _note_key(self, entry: Entry) -> None:
        if entry.job.dedupe_key is not None:
            known = self._keys.setdefault((entry.queue, entry.job.dedupe_key), [])
            if entry not in known:
                known.append(entry)

    def _figure(self, queue: int, place: int, by: int) -> None:
        self._figures.setdefault(queue, [0] * _FIGURES)[place] += by

    # ── writing ─────────────────────────────────────────────────────────────────────────────────

    def flush(self) -> None:
        """Write everything."""
        sqlite = self.sqlite
        if self._new:
            self._insert(self._new)
        if self._changed:
            changed = self._changed.values()
            sqlite.executemany(_UPDATE, [_update(entry) for entry in changed])
            for entry in changed:
                assert entry.was is not None
                if entry.job.status is not entry.was:
                    self._figure(entry.queue, _FIRST_STATUS + CODES[entry.was], -1)
                    self._figure(entry.queue, _FIRST_STATUS + CODES[entry.job.status], 1)
        if self._renewed:
            sqlite.executemany(_RENEW, [_renewal(entry) for entry in self._renewed.values()])
        if self._edited:
            self._put_bodies(self._edited.values())
        if self._removed:
            rows = [(seq,) for seq in self._removed]
            sqlite.executemany(_DELETE, rows)
            sqlite.executemany(_DELETE_LARGE_BODY, rows)
        if self._figures:
            sqlite.executemany(
                _COUNT, [(*figures, queue) for queue, figures in self._figures.items()]
            )

    def _insert(self, entries: list[Entry]) -> None:
        rows: list[tuple[object, ...]] = []
        large: list[tuple[int, bytes]] = []
        for entry in entries:
            job = entry.job
            state, body = records.encode_state(job), records.encode_body(job)
            inline = len(body) <= LARGE_BODY
            if not inline:
                large.append((entry.seq, body))
            stored = (FORMAT, state, body if inline else None)
            rows.append((entry.seq, job.id, entry.queue, job.created_at, *_indexed(job), *stored))
            self._figure(entry.queue, _ACCEPTED, 1)
            self._figure(entry.queue, _FIRST_STATUS + CODES[job.status], 1)
        self.sqlite.executemany(_INSERT, rows)
        if large:
            self.sqlite.executemany(_PUT_LARGE_BODY, large)

    def _put_bodies(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            body = records.encode_body(entry.job, entry.unknown)
            if len(body) > LARGE_BODY:
                self.sqlite.execute(_PUT_LARGE_BODY, (entry.seq, body))
                self.sqlite.execute(_UPDATE_BODY, (None, entry.seq))
            else:
                self.sqlite.execute(_DELETE_LARGE_BODY, (entry.seq,))
                self.sqlite.execute(_UPDATE_BODY, (body, entry.seq))


def _update(entry: Entry) -> tuple[object, ...]:
    state = records.encode_state(entry.job, entry.unknown)
    return (*_indexed(entry.job), state, entry.seq)


def _renewal(entry: Entry) -> tuple[object, ...]:
    assert entry.job.lease is not None
    state = records.encode_state(entry.job, entry.unknown)
    return (entry.job.lease.expires_at, state, entry.seq)


def _indexed(job: Job) -> tuple[object, ...]:
    """Return the columns that the indexes need: ``status`` to ``token``."""
    status, dedupe = job.status, job.dedupe_key
    code = CODES[status]
    if status is Status.PENDING:
        return code, job.priority, None, job.expires_at, dedupe, None, None
    if status is Status.DELAYED:
        return code, job.priority, job.available_at, job.expires_at, dedupe, None, None
    if status is Status.RUNNING:
        assert job.lease is not None
        return code, job.priority, job.lease.expires_at, None, dedupe, None, job.lease.token
    if job.holds_key(job.updated_at):
        return code, job.priority, job.completed_at, None, dedupe, job.dedupe_until, None
    return code, job.priority, job.completed_at, None, None, None, None
