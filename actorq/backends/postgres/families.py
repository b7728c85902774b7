"""Families: whoever waits for a job is told of its end, in the transaction that ends it (contract §2).

A child's row is locked before it is decided upon. Nobody waits for a row while holding one of a greater
id, so no two wait for each other: children of greater ids are simply locked, others only if nobody has
them. If somebody has, all is given up and done again, and those rows are locked first then, in the order of
their ids, together with the ones that the verb is about.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from actorq.backends.postgres import arrays
from actorq.core import dependence
from actorq.core.transitions import WAITING, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from actorq.backends.postgres.records import Entry
    from actorq.backends.postgres.work import Work


class Entangled(Exception):
    """Somebody has rows that this transaction may not wait for, as it holds others: lock them first."""

    def __init__(self, ids: Iterable[str]) -> None:
        """Say which."""
        super().__init__("rows must be locked in another order")
        self.ids = frozenset(ids)


class End(NamedTuple):
    """What the children of a job have to be told: it ended as ``status``, or was removed (None)."""

    job_id: str
    status: Status | None
    children: Sequence[str]


class Families:
    """The ends of which somebody has still to be told, and who was changed beside the verb's own jobs."""

    def __init__(self, work: Work) -> None:
        """Start with nothing to tell."""
        self._work = work
        self._ends: list[End] = []
        self._telling = False
        self.stirred: dict[str, Entry] = {}

    def end(self, end: End) -> None:
        """Note an end; the children are told at once if they are locked, or else before the commit."""
        self._ends.append(end)
        if not self._telling:
            self._tell()

    def foresee(self, entries: Iterable[Entry]) -> None:
        """Lock whoever hears of it if waiting ones of these end, so that an item sees what others did."""
        parents = [e.job for e in entries if e.job.workflow is not None and e.job.status in WAITING]
        ids = {child for job in parents for child in dependence.dependents(job)}
        if ids:
            self._lock(ids, whole_line=True)

    def finish(self) -> None:
        """Tell everybody."""
        while self._ends:
            ids = {child for end in self._ends for child in end.children}
            # A success ends nobody else.
            whole_line = any(end.status is not Status.COMPLETED for end in self._ends)
            self._lock(ids, whole_line=whole_line)
            self._tell()

    def _tell(self) -> None:
        """Tell those whose rows are locked."""
        self._telling = True
        left: list[End] = []
        # Whoever ends of what it is told joins at the end of the list, however long the line is.
        for end in self._ends:
            if self._work.locked.issuperset(end.children):
                self._tell_children(end)
            else:
                left.append(end)
        self._ends = left
        self._telling = False

    def _tell_children(self, end: End) -> None:
        work = self._work
        for child_id in end.children:
            entry = work.entries.get(child_id)
            if entry is None:
                continue
            told = dependence.parent_ended(entry.job, end.job_id, end.status, work.now)
            if told is not None:
                self.stirred[child_id] = entry
                work.change(entry, told)

    def _lock(self, ids: Iterable[str], *, whole_line: bool) -> None:
        """Lock those of these jobs that live, and load them; or all that may hear of it in turn."""
        work = self._work
        if whole_line:
            (line,) = work.ask(work.statements("families.line", arrays.uuids(sorted(ids))))
            ids = line.rows(read_id)
        left = sorted(set(ids) - work.locked)
        if not left:
            return
        if left[0] > max(work.locked, default=""):
            work.lock_live(left)
        else:
            self._try(left)

    def _try(self, ids: Sequence[str]) -> None:
        """Lock jobs without waiting for anybody; give up if one is missing that has to be told."""
        work = self._work
        wanted = arrays.uuids(ids)
        got, read = work.ask(
            work.statements("families.try_lock", wanted), work.statements("jobs.read", wanted)
        )
        locked = set(got.rows(read_id))
        found = work.decode(read)
        if any(e.job.waits_for_others and e.job.id not in locked for e in found):
            raise Entangled(ids)
        work.entries.update((e.job.id, e) for e in found if e.job.id in locked)
        work.locked.update(ids)


def read_id(row: Sequence[Any]) -> str:
    """Return the id that a row begins with."""
    job_id: str = row[0]
    return job_id
