"""The data of a simulated store: the reference's, with every commit told and kept undoable."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from actorq.backends.memory.data import Data

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from actorq.core.job import Job
    from actorq.core.policy import Policy

    Undo = Callable[[], None]


class Change(NamedTuple):
    """What a commit did to one record: born (nothing before), changed, or removed (nothing after)."""

    before: Job | None
    after: Job | None


class Commit(NamedTuple):
    """One atomic step that wrote something, at one instant of the store's clock.

    ``verb`` is the backend's that did it. ``undo`` takes it all back, last thing first, once whatever was
    committed later is taken back.
    """

    verb: str
    instant: int
    changes: tuple[Change, ...]
    undo: tuple[Undo, ...]


class WatchedData(Data):
    """Memory's data, which tells of every commit as it happens."""

    def __init__(
        self, policy: Policy, clock: Callable[[], int], tell: Callable[[Commit], None]
    ) -> None:
        """Start empty; ``tell`` hears of every commit, in their order."""
        super().__init__(policy, clock)
        self.verb = ""
        """What is being called: whoever calls says so first."""
        self._tell = tell
        self._instant = 0
        self._changes: list[Change] = []

    def __enter__(self) -> int:
        self._instant = super().__enter__()
        return self._instant

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None and self._undo:
            changes = tuple(self._changes)
            self._tell(Commit(self.verb, self._instant, changes, tuple(reversed(self._undo))))
        self._changes.clear()
        super().__exit__(kind, error, traceback)

    def put(self, job: Job) -> Job:
        """Take over one record, and tell nobody."""
        before = self.jobs.get(job.id)
        written = super().put(job)
        self._changes.append(Change(before, self.jobs[job.id]))
        return written

    def remove(self, job: Job) -> Job:
        """Take a record out, and count it as pruned."""
        self._changes.append(Change(job, None))
        return super().remove(job)

    def revert(self, commit: Commit) -> None:
        """Take a commit back, after all later ones: nobody has heard of it, or the store forgot it."""
        with self._lock:
            for undo in commit.undo:
                undo()
