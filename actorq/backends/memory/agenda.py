"""The agenda: which job is the next one, by one number each."""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import Final

_SLACK: Final = 64
"""How many stale entries are nothing to speak of."""


class Agenda:
    """Ids, each under one number; tells the smallest number, and among equals the smallest id.

    A heap whose entries go stale instead of being searched for. An entry counts if it is under the
    number that the id has now. Stale ones are dropped when they come to the top, and all at once when
    they outnumber the others, so the memory stays in proportion to what is really here.
    """

    __slots__ = ("_heap", "_numbers")

    def __init__(self) -> None:
        """Start empty."""
        self._heap: list[tuple[int, str]] = []
        self._numbers: dict[str, int] = {}

    def __len__(self) -> int:
        """Return how many ids are here."""
        return len(self._numbers)

    def put(self, job_id: str, number: int) -> None:
        """Add ``job_id`` under ``number``, or move it there."""
        self._numbers[job_id] = number
        heappush(self._heap, (number, job_id))
        self._tidy()

    def discard(self, job_id: str) -> None:
        """Take ``job_id`` away if it is here."""
        if self._numbers.pop(job_id, None) is not None:
            self._tidy()

    def first(self) -> tuple[int, str] | None:
        """Return the smallest number with its id; None when nothing is here."""
        return self._heap[0] if self._heap else None

    def _tidy(self) -> None:
        """Leave a heap whose top counts, and of which at least about half does."""
        heap, numbers = self._heap, self._numbers
        if len(heap) > 2 * len(numbers) + _SLACK:
            self._heap = [(number, job_id) for job_id, number in numbers.items()]
            heapify(self._heap)
            return
        while heap and numbers.get(heap[0][1]) != heap[0][0]:
            heappop(heap)
