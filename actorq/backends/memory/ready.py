"""The ready jobs of a queue, in the order in which they are claimed (contract §7)."""

from __future__ import annotations

from actorq.backends.memory.sorted_keys import SortedKeys


class Ready:
    """Ids by priority, highest first, then by id.

    Each priority in use has its own ids, so the next one is found without a search, whatever
    waits behind it.
    """

    __slots__ = ("_groups", "_ranks")

    def __init__(self) -> None:
        """Start empty."""
        self._groups: dict[int, SortedKeys[str]] = {}
        self._ranks: SortedKeys[int] = SortedKeys()

    def add(self, job_id: str, priority: int) -> None:
        """Add ``job_id``."""
        group = self._groups.get(priority)
        if group is None:
            group = self._groups[priority] = SortedKeys()
            self._ranks.add(-priority)
        group.add(job_id)

    def discard(self, job_id: str, priority: int) -> None:
        """Take ``job_id`` away, which was added under ``priority``, if it is here."""
        group = self._groups.get(priority)
        if group is not None:
            group.discard(job_id)
            if not group:
                del self._groups[priority]
                self._ranks.discard(-priority)

    def first(self) -> str | None:
        """Return the id to be claimed next; None when nothing is ready."""
        rank = self._ranks.first()
        return None if rank is None else self._groups[-rank].first()
