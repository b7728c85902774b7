"""Recent claims: what this process gave out, kept for the moment when it is acknowledged.

A record is compared with the server's when it is written, so one that is out of date costs a round and
never counts. Whoever finds his job here need not read it first.
"""

from __future__ import annotations

from collections import OrderedDict
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from actorq.backends.redis.records import Record
    from actorq.core.job import Job

MOST: Final = 10_000
"""How many records are kept: more than a few servers' worth of jobs that run at the same time."""

LARGEST: Final = 4_096
"""Up to how many characters of payload a record is kept: the others are read again."""


class Recent:
    """The latest records that were claimed through one store. Safe to use from several threads."""

    __slots__ = ("_records",)

    def __init__(self) -> None:
        """Start with none."""
        # Each call on it is one step, whatever other threads do.
        self._records: OrderedDict[str, Record] = OrderedDict()

    def keep(self, records: dict[str, Record]) -> None:
        """Keep records that were claimed, or renewed, a moment ago; the oldest make room."""
        for job_id, record in records.items():
            if len(record.job.payload) <= LARGEST:
                self._records[job_id] = record
        while len(self._records) > MOST:
            # Another thread may take the last ones away at the same moment.
            with suppress(KeyError):
                self._records.popitem(last=False)

    def renew(self, jobs: Iterable[Job]) -> None:
        """Take over jobs that have been written since, of those that are kept."""
        for job in jobs:
            record = self._records.get(job.id)
            if record is not None:
                self._records[job.id] = record._replace(job=job)

    def find(self, job_id: str) -> Record | None:
        """Return what is known of a job."""
        return self._records.get(job_id)

    def forget(self, job_id: str) -> None:
        """Let a record go."""
        self._records.pop(job_id, None)
