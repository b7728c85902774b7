"""Sorted ids: an index that can be walked from any place, in either direction."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNK: Final = 512
"""Ids in a chunk that was filled from its end; one that grew to twice that is cut in two."""


class SortedIds:
    """A set of ids in their order: chunks of a few hundred, found by the greatest id of each.

    Ids mostly come in their order, which appends. One that comes or goes elsewhere moves the rest of
    its chunk, never the whole list: a few kilobytes, however many jobs there are.
    """

    __slots__ = ("_chunks", "_count", "_greatest")

    def __init__(self) -> None:
        """Start empty."""
        self._chunks: list[list[str]] = []
        self._greatest: list[str] = []
        self._count = 0

    def __len__(self) -> int:
        """Return how many ids are here."""
        return self._count

    def add(self, job_id: str) -> None:
        """Add ``job_id``; nothing happens if it is here already."""
        chunks, greatest = self._chunks, self._greatest
        if not greatest or job_id > greatest[-1]:
            if chunks and len(chunks[-1]) < CHUNK:
                chunks[-1].append(job_id)
                greatest[-1] = job_id
            else:
                chunks.append([job_id])
                greatest.append(job_id)
            self._count += 1
            return
        place = bisect_left(greatest, job_id)
        chunk = chunks[place]
        at = bisect_left(chunk, job_id)
        if chunk[at] == job_id:
            return
        chunk.insert(at, job_id)
        self._count += 1
        if len(chunk) >= 2 * CHUNK:
            chunks[place : place + 1] = [chunk[:CHUNK], chunk[CHUNK:]]
            greatest.insert(place, chunk[CHUNK - 1])

    def discard(self, job_id: str) -> None:
        """Take ``job_id`` away if it is here."""
        place = bisect_left(self._greatest, job_id)
        if place == len(self._greatest):
            return
        chunk = self._chunks[place]
        at = bisect_left(chunk, job_id)
        if chunk[at] != job_id:
            return
        del chunk[at]
        self._count -= 1
        if not chunk:
            del self._chunks[place]
            del self._greatest[place]
        elif at == len(chunk):
            self._greatest[place] = chunk[-1]

    def ascending(self) -> Iterator[str]:
        """Walk from the smallest id up; nothing may be added or taken away meanwhile."""
        for chunk in self._chunks:
            yield from chunk

    def descending(self, before: str | None = None) -> Iterator[str]:
        """Walk down from the greatest id less than ``before``; nothing may change meanwhile."""
        chunks = self._chunks
        place = len(chunks) if before is None else bisect_left(self._greatest, before)
        if before is not None and place < len(chunks):
            chunk = chunks[place]
            for at in range(bisect_left(chunk, before) - 1, -1, -1):
                yield chunk[at]
        for earlier in range(place - 1, -1, -1):
            yield from reversed(chunks[earlier])
