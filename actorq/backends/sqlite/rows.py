"""Rows: what the indexes need of a job beside its record, and how many rows are written at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from actorq.backends.sqlite import records
from actorq.backends.sqlite.bulk import Bulk
from actorq.backends.sqlite.statements import statement
from actorq.core.job import FORMAT, Job
from actorq.core.transitions import Status

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

CODES: Final = {
    Status.PENDING: 0,
    Status.DELAYED: 1,
    Status.RUNNING: 2,
    Status.COMPLETED: 3,
    Status.DEAD: 4,
    Status.CANCELLED: 5,
}
"""The numbers of the statuses in the file."""

STATUSES: Final = {code: status for status, code in CODES.items()}
"""The statuses by their numbers. A row of another number was set aside: its record cannot be read."""

LARGE_BODY: Final = 1_024
"""Bytes beyond which a body lies apart, so that a change of state does not copy it along."""

_INSERT: Final = Bulk("jobs", "insert")
_UPDATE: Final = Bulk("jobs", "update")
_CLAIM: Final = Bulk("jobs", "claim")
_COMPLETE: Final = Bulk("jobs", "complete")
_RENEW: Final = Bulk("jobs", "renew")
_UPDATE_BODY: Final = statement("jobs", "update_body")
_DELETE: Final = statement("jobs", "delete")
_PUT_LARGE_BODY: Final = statement("jobs", "put_large_body")
_DELETE_LARGE_BODY: Final = statement("jobs", "delete_large_body")

Row = tuple[object, ...]


class Entry(msgspec.Struct):
    """A job in a transaction: its row, how it is by now, and how it was found (None: it is new)."""

    seq: int
    queue: int
    job: Job
    was: Status | None
    unknown: records.Unknown | None = None


def insert(sqlite: sqlite3.Connection, entries: Iterable[Entry]) -> None:
    """Write new jobs."""
    rows: list[Row] = []
    large: list[tuple[int, bytes]] = []
    for entry in entries:
        job = entry.job
        state, body = records.encode_state(job), records.encode_body(job)
        stored: Row = (FORMAT, state, body)
        if len(body) > LARGE_BODY:
            stored = (FORMAT, state, None)
            large.append((entry.seq, body))
        rows.append((entry.seq, job.id, entry.queue, job.created_at, *_indexed(job), *stored))
    _INSERT.run(sqlite, rows)
    if large:
        sqlite.executemany(_PUT_LARGE_BODY, large)


def update(sqlite: sqlite3.Connection, entries: Iterable[Entry]) -> None:
    """Write changed jobs; the two most frequent steps touch no more columns than they must."""
    claimed: list[Row] = []
    completed: list[Row] = []
    others: list[Row] = []
    for entry in entries:
        job = entry.job
        state = records.encode_state(job, entry.unknown)
        if entry.was is Status.PENDING and job.lease is not None:
            claimed.append((entry.seq, job.lease.expires_at, job.lease.token, state))
        elif job.status is Status.COMPLETED and job.dedupe_key is None:
            completed.append((entry.seq, job.completed_at, state))
        else:
            others.append((entry.seq, *_indexed(job), FORMAT, state))
    _CLAIM.run(sqlite, claimed)
    _COMPLETE.run(sqlite, completed)
    _UPDATE.run(sqlite, others)


def renew(sqlite: sqlite3.Connection, entries: Iterable[Entry]) -> None:
    """Write running jobs that go on running."""
    rows: list[Row] = []
    for entry in entries:
        assert entry.job.lease is not None
        state = records.encode_state(entry.job, entry.unknown)
        rows.append((entry.seq, entry.job.lease.expires_at, state))
    _RENEW.run(sqlite, rows)


def update_bodies(sqlite: sqlite3.Connection, entries: Iterable[Entry]) -> None:
    """Write what hardly ever changes, and did."""
    for entry in entries:
        body = records.encode_body(entry.job, entry.unknown)
        if len(body) > LARGE_BODY:
            sqlite.execute(_PUT_LARGE_BODY, (entry.seq, body))
            sqlite.execute(_UPDATE_BODY, (None, entry.seq))
        else:
            sqlite.execute(_DELETE_LARGE_BODY, (entry.seq,))
            sqlite.execute(_UPDATE_BODY, (body, entry.seq))


def delete(sqlite: sqlite3.Connection, seqs: Iterable[int]) -> None:
    """Take jobs out."""
    rows = [(seq,) for seq in seqs]
    sqlite.executemany(_DELETE, rows)
    sqlite.executemany(_DELETE_LARGE_BODY, rows)


def _indexed(job: Job) -> Row:
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
