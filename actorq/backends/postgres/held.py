"""The leases that this process gave out: their records, so that a settlement need not read them first.

A record is good as long as its version is: whoever changes a job raises it, and the statement that writes
compares it. When it has changed, the write fails and is done again, on the record as it is by then. A
refusal writes nothing, so it never rests on what is remembered here: the job may have been lost since,
and claimed at another server by the very one who speaks.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

if TYPE_CHECKING:
    from collections.abc import Iterable

    from actorq.backends.postgres.records import Entry

MOST: Final = 20_000
"""Records that are kept at once; the oldest go first."""

MOST_CHARACTERS: Final = 16 * 1024 * 1024
"""Characters of all payloads that are kept at once."""

LARGE: Final = 65_536
"""Characters of a payload that is not worth its memory."""


class Held:
    """The latest leases, by the id of the job. Safe to use from several threads."""

    def __init__(self) -> None:
        """Start empty."""
        self._lock = Lock()
        self._entries: dict[str, Entry] = {}
        self._characters = 0

    def recall(self, holders: Iterable[tuple[str, str | None]]) -> dict[str, Entry] | None:
        """Return the records of jobs, by id, for those who show a token for each, or for its current lease.

        None if one of them is not here, or is not held by that token as far as is remembered.
        """
        found: dict[str, Entry] = {}
        with self._lock:
            for job_id, token in holders:
                entry = self._entries.get(job_id)
                if entry is None or not _is_held_by(entry, token):
                    return None
                found[job_id] = entry
        return found

    def note(self, entries: Iterable[Entry]) -> None:
        """Take in what was committed: a running job is kept, any other is forgotten."""
        with self._lock:
            for entry in entries:
                job = entry.job
                if job.id in self._entries:
                    self._forget(job.id)
                if job.lease is not None and len(job.payload) <= LARGE:
                    self._entries[job.id] = _apart(entry) if job.metadata else entry
                    self._characters += len(job.payload)
            while len(self._entries) > MOST or self._characters > MOST_CHARACTERS:
                self._forget(next(iter(self._entries)))

    def _forget(self, job_id: str) -> None:
        self._characters -= len(self._entries.pop(job_id).job.payload)


def _is_held_by(entry: Entry, token: str | None) -> bool:
    lease = entry.job.lease
    return lease is not None and token in {None, lease.token}


def _apart(entry: Entry) -> Entry:
    """Return an entry that shares nothing with its job's reader, who may write to the metadata."""
    return replace(entry, job=replace(entry.job, metadata=dict(entry.job.metadata)))
