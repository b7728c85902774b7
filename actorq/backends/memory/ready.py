"""The ready jobs of a queue, in the order in which they are claimed (contract §7)."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Final

from actorq.backends.memory.sorted_keys import SortedKeys

_SLACK: Final = 64
"""How many stale entries are nothing to speak of."""


class Ready:
    """Ids by priority, highest first, then by id.

    Each priority in use has its own ids, so the next one is found without a search, whatever
    waits behind it. A heap knows the priorities; those no longer in use leave it by and by.
    """

    __slots__ = ("_groups", "_ranks")

    def __init__(self) -> None:
        """Start empty."""
        self._groups: dict[int, SortedKeys[str]] = {}
        self._ranks: list[int] = []

    def add(self, job_id: str, priority: int) -> None:
        """Add ``job_id``."""
        group = self._groups.get(priority)
        if group is None:
            group = self._groups[priority] = SortedKeys()
            heappush(self._ranks, -priority)
            if len(self._ranks) > 2 * len(self._groups) + _SLACK:
                self._ranks = sorted(-known for known in self._groups)
        group.add(job_id)

    def discard(self, job_id: str, priority: int) -> None:
        """Take ``job_id`` away, which was added under ``priority``, if it is here."""
        group = self._groups.get(priority)
        if group is not None:
            group.discard(job_id)
            if not group:
                del self._groups[priority]

    def first(self) -> str | None:
        """Return the id to be claimed next; None when nothing is ready."""
        while self._ranks:
            group = self._groups.get(-self._ranks[0])
            if group is not None:
                return group.first()
            heappop(self._ranks)
        return None
