"""Marks: where the pending jobs of each queue and priority begin, so that no claim scans the dead.

A claimed job leaves a dead entry at the head of the index of pending jobs. Vacuum takes it away, unless
some transaction of the database has been open since before: then the dead pile up, and a claim that
starts from the head would look at all of them. So a process remembers where they end.

A mark must never be beyond a job that is pending. Each row says which transaction made it pending
(``woken``). A claim first asks for all rows whose transaction was not finished at the snapshot of the last
look, and lowers the marks to them, whoever has written them, however late they were committed. A mark is
raised only to the first pending job that was seen after that, taken by another claim just now or not; and
not at all if it was lowered meanwhile.
"""

from __future__ import annotations

from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

MOST_PRIORITIES: Final = 64
"""Priorities of one queue that are kept track of; a queue with more is claimed from its head."""

MOST_WOKEN: Final = 2_000
"""Rows that one look takes in; after more than that, everything is found anew."""

MOST_QUEUES: Final = 10_000
"""Queues that are kept track of at once."""

FORGET_S: Final = 60.0
"""Seconds after which everything is found anew, whatever may have gone wrong."""


class Woken(msgspec.Struct, frozen=True):
    """The first of the jobs of a queue and priority that became pending since the last look."""

    snapshot: str
    complete: bool
    queue: int | None
    priority: int | None
    first: str | None


class First(msgspec.Struct, frozen=True):
    """The first pending job of a queue and priority; None: there is none."""

    queue: int
    priority: int
    id: str | None


class Reading(msgspec.Struct, frozen=True):
    """The marks of a queue at one moment: from where on there may be pending jobs, best first.

    ``marks`` is None while nothing is known: then the whole queue has to be looked at.
    """

    queue: int
    change: int
    marks: tuple[tuple[int, str], ...] | None


class _Known(msgspec.Struct):
    """What is known of a queue: the marks by priority. A priority that is not here has nothing pending."""

    marks: dict[int, str]


class Marks:
    """The marks of all queues. Safe to use from several threads."""

    def __init__(self) -> None:
        """Know nothing."""
        self._lock = Lock()
        self._snapshot: str | None = None
        self._known: dict[int, _Known] = {}
        self._changes = 0
        self._forgotten = 0
        self._changed: dict[int, int] = {}
        self._forget_at = 0.0

    @property
    def snapshot(self) -> str | None:
        """Return the snapshot up to which every job that became pending is accounted for."""
        return self._snapshot

    def note(self, rows: Sequence[Woken]) -> None:
        """Take in what a look found, and lower marks."""
        now = monotonic()
        with self._lock:
            if not rows[0].complete or now >= self._forget_at:
                self._forget()
                self._forget_at = now + FORGET_S
            else:
                for row in rows:
                    self._lower(row)
            self._snapshot = rows[0].snapshot

    def read(self, queue: int) -> Reading:
        """Return the marks of a queue, for a claim that looked a moment ago."""
        with self._lock:
            change = self._changed.get(queue, self._forgotten)
            known = self._known.get(queue)
            if known is None:
                return Reading(queue, change, None)
            return Reading(queue, change, tuple(sorted(known.marks.items(), reverse=True)))

    def settle(self, reading: Reading, firsts: Iterable[First]) -> None:
        """Take in where a claim that went by ``reading`` found the first pending jobs."""
        found = {first.priority: first.id for first in firsts}
        with self._lock:
            if self._changed.get(reading.queue, self._forgotten) != reading.change:
                return
            known = self._known.get(reading.queue)
            if known is None:
                if reading.marks is None and len(found) < MOST_PRIORITIES:
                    self._learn(reading.queue, found)
                return
            for priority, job_id in found.items():
                if job_id is None:
                    known.marks.pop(priority, None)
                else:
                    known.marks[priority] = job_id

    def _learn(self, queue: int, found: dict[int, str | None]) -> None:
        if len(self._known) >= MOST_QUEUES:
            self._forget()
            return
        marks = {priority: job_id for priority, job_id in found.items() if job_id is not None}
        self._known[queue] = _Known(marks)

    def _lower(self, row: Woken) -> None:
        if row.queue is None or row.priority is None or row.first is None:
            return
        self._changes += 1
        self._changed[row.queue] = self._changes
        known = self._known.get(row.queue)
        if known is None:
            return
        mark = known.marks.get(row.priority)
        known.marks[row.priority] = row.first if mark is None else min(mark, row.first)
        if len(known.marks) > MOST_PRIORITIES:
            del self._known[row.queue]

    def _forget(self) -> None:
        # Nobody who reads before this may settle after it.
        self._changes += 1
        self._forgotten = self._changes
        self._known.clear()
        self._changed.clear()


def read_woken(row: Sequence[Any]) -> Woken:
    """Make a row of a look."""
    return Woken(*row)


def read_first(row: Sequence[Any]) -> First:
    """Make a row of what a claim found."""
    return First(*row)
