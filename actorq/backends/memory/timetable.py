"""The timetable: the records of schedules, by name and in the order in which they come due."""

from __future__ import annotations

from itertools import dropwhile, islice, takewhile
from typing import TYPE_CHECKING

from actorq.backends.memory.sorted_keys import SortedKeys

if TYPE_CHECKING:
    from actorq.core.schedule import Schedule


class Timetable:
    """The records by their names."""

    __slots__ = ("_dues", "_names", "_records")

    def __init__(self) -> None:
        """Start empty."""
        self._records: dict[str, Schedule] = {}
        self._names: SortedKeys[str] = SortedKeys()
        self._dues: SortedKeys[tuple[int, str]] = SortedKeys()

    def get(self, name: str) -> Schedule | None:
        """Return the record of this name."""
        return self._records.get(name)

    def put(self, name: str, after: Schedule | None) -> None:
        """Put a record in its place, or take it away."""
        before = self._records.pop(name, None)
        if before is not None:
            self._names.discard(name)
            if before.due_at is not None:
                self._dues.discard((before.due_at, name))
        if after is not None:
            self._records[name] = after
            self._names.add(name)
            if after.due_at is not None:
                self._dues.add((after.due_at, name))

    def page(self, after: str, limit: int) -> list[Schedule]:
        """Return the records that follow ``after`` by name."""
        names = dropwhile(lambda name: name <= after, self._names)
        return [self._records[name] for name in islice(names, limit)]

    def due(self, now: int, limit: int) -> list[Schedule]:
        """Return those that are due, the longest due first."""
        dues = takewhile(lambda due: due[0] <= now, self._dues)
        return [self._records[name] for _, name in islice(dues, limit)]

    def next_due(self) -> int | None:
        """Return the instant at which the next one is due."""
        first = self._dues.first()
        return None if first is None else first[0]
