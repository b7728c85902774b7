"""The agenda: which name is the next one, by one number each."""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_SLACK: Final = 64
"""How many stale entries are nothing to speak of."""


class Agenda:
    """Names, each under one number; tells the smallest number, and among equals the smallest name.

    A heap whose entries go stale instead of being searched for. An entry counts if it is under the
    number that the name has now. Stale ones are dropped when they come to the top, and all at once when
    they outnumber the others, so the memory stays in proportion to what is really here.
    """

    __slots__ = ("_heap", "_numbers")

    def __init__(self) -> None:
        """Start empty."""
        self._heap: list[tuple[int, str]] = []
        self._numbers: dict[str, int] = {}

    def __len__(self) -> int:
        """Return how many names are here."""
        return len(self._numbers)

    def __iter__(self) -> Iterator[str]:
        """Walk over the names in no order; nothing may be put or discarded meanwhile."""
        return iter(self._numbers)

    def put(self, name: str, number: int) -> None:
        """Add ``name`` under ``number``, or move it there."""
        heap, numbers = self._heap, self._numbers
        if numbers.get(name) == number:
            return
        numbers[name] = number
        heappush(heap, (number, name))
        if len(heap) > 2 * len(numbers) + _SLACK:
            self._renew()

    def discard(self, name: str) -> None:
        """Take ``name`` away if it is here."""
        numbers = self._numbers
        if numbers.pop(name, None) is not None and len(self._heap) > 2 * len(numbers) + _SLACK:
            self._renew()

    def first(self) -> tuple[int, str] | None:
        """Return the smallest number with its name; None when nothing is here."""
        heap, numbers = self._heap, self._numbers
        while heap:
            entry = heap[0]
            if numbers.get(entry[1]) == entry[0]:
                return entry
            heappop(heap)
        return None

    def _renew(self) -> None:
        """Make the heap anew, without a stale entry."""
        self._heap = [(number, name) for name, number in self._numbers.items()]
        heapify(self._heap)
