"""Endings: which ended jobs retention lets go, and when (contract §8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from actorq.backends.memory.sorted_keys import SortedKeys

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actorq.core.job import Job

_AT_ONCE: Final = -(2**62)
"""Earlier than every instant: when a kind is due of which too many are kept."""


class Ended:
    """The ended jobs of one kind: of one queue and status. They go in the order of their ends.

    ``age_us`` is how long each is kept, ``most`` how many are. ``free`` holds those whose end is all
    that retention asks for; a job whose dedupe window still holds its key is not among them.
    """

    __slots__ = ("age_us", "due", "free", "ids", "most", "name")

    def __init__(self, name: str, ids: SortedKeys[str]) -> None:
        """Count the jobs in ``ids``, which its owner keeps; ``name`` is this kind's alone."""
        self.name = name
        self.ids = ids
        self.age_us = 0
        self.most = 0
        self.free: SortedKeys[tuple[int, str]] = SortedKeys()
        self.due: int | None = None
        """From when on the next one may go, as ``Endings`` has it on its list."""


class Endings:
    """The ended jobs of all kinds: finds the next one to let go without a look at the others."""

    __slots__ = ("_dues", "_held", "_jobs", "_kinds", "_turn", "_windows")

    def __init__(self, jobs: Mapping[str, Job]) -> None:
        """Start empty; ``jobs`` are the records, which their owner keeps."""
        self._jobs = jobs
        self._kinds: dict[str, Ended] = {}
        self._dues: SortedKeys[tuple[int, str]] = SortedKeys()
        self._held: dict[str, Ended] = {}
        self._windows: SortedKeys[tuple[int, str]] = SortedKeys()
        self._turn = 0

    def enter(self, ended: Ended, job: Job) -> None:
        """Take note of a job that has just ended; it is in ``ended.ids`` already."""
        if job.dedupe_until is not None and job.holds_key(job.updated_at):
            self._hold(ended, job.id, job.dedupe_until)
        else:
            self._free(ended, job)

    def leave(self, ended: Ended, job: Job) -> None:
        """Forget a job that goes, or lives again; it has left ``ended.ids`` already."""
        if job.dedupe_until is not None and self._held.pop(job.id, None) is not None:
            self._windows.discard((job.dedupe_until, job.id))
        elif job.completed_at is not None:
            ended.free.discard((job.completed_at, job.id))
        self.reckon(ended)

    def reckon(self, ended: Ended) -> None:
        """Work out anew when the next one of this kind may go."""
        first = ended.free.first()
        if first is None:
            due = None
        elif len(ended.ids) <= ended.most:
            due = first[0] + ended.age_us
        else:
            # Kinds of which there are too many take turns: none must wait for another's backlog.
            self._turn += 1
            due = _AT_ONCE + self._turn
        if due != ended.due:
            if ended.due is not None:
                self._dues.discard((ended.due, ended.name))
            if due is not None:
                self._kinds[ended.name] = ended
                self._dues.add((due, ended.name))
            ended.due = due

    def end_windows(self, limit: int, now: int) -> None:
        """Let up to ``limit`` jobs be free whose dedupe windows are over by ``now``."""
        for _ in range(limit):
            first = self._windows.first()
            if first is None or first[0] > now:
                return
            self._windows.discard(first)
            self._free(self._held.pop(first[1]), self._jobs[first[1]])

    def next(self, now: int) -> Job | None:
        """Return the next job that may go at the instant ``now``; it stays until it is taken away."""
        while (due := self._dues.first()) is not None and due[0] <= now:
            ended = self._kinds[due[1]]
            first = ended.free.first()
            assert first is not None
            job = self._jobs[first[1]]
            if job.dedupe_until is None or not job.holds_key(now):
                return job
            # The clock was turned back to before the end of the window.
            ended.free.discard(first)
            self._hold(ended, job.id, job.dedupe_until)
            self.reckon(ended)
        return None

    def due(self) -> int | None:
        """Return the instant from which on there may be something to let go; None: none is known."""
        firsts = (self._dues.first(), self._windows.first())
        return min((first[0] for first in firsts if first is not None), default=None)

    def _hold(self, ended: Ended, job_id: str, until: int) -> None:
        self._held[job_id] = ended
        self._windows.add((until, job_id))

    def _free(self, ended: Ended, job: Job) -> None:
        assert job.completed_at is not None
        ended.free.add((job.completed_at, job.id))
        self.reckon(ended)
