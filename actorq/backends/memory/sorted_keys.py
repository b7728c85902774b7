"""Sorted keys: the one index of this store, which can be walked from any place."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

K = TypeVar("K", int, str, tuple[int, str])

CHUNK: Final = 512
"""Keys in a chunk that was filled from its end; one that grew to twice that is cut in two."""


class SortedKeys(Generic[K]):
    """A set of keys in their order: chunks of a few hundred, found by the greatest key of each.

    A key is an id, an instant with a name, or a rank. Keys mostly come in their order, which appends, and go
    in it too, from the front. One that comes or goes elsewhere moves the rest of its chunk, never the
    whole list: a few kilobytes, however many keys there are.
    """

    __slots__ = ("_chunks", "_count", "_greatest")

    def __init__(self) -> None:
        """Start empty."""
        self._chunks: list[list[K]] = []
        self._greatest: list[K] = []
        self._count = 0

    def __len__(self) -> int:
        """Return how many keys are here."""
        return self._count

    def __iter__(self) -> Iterator[K]:
        """Walk from the smallest key up; nothing may be added or taken away meanwhile."""
        for chunk in self._chunks:
            yield from chunk

    def first(self) -> K | None:
        """Return the smallest key; None when nothing is here."""
        return self._chunks[0][0] if self._count else None

    def add(self, key: K) -> None:
        """Add ``key``; nothing happens if it is here already."""
        chunks, greatest = self._chunks, self._greatest
        if not greatest or key > greatest[-1]:
            if chunks and len(chunks[-1]) < CHUNK:
                chunks[-1].append(key)
                greatest[-1] = key
            else:
                chunks.append([key])
                greatest.append(key)
            self._count += 1
            return
        place = bisect_left(greatest, key)
        chunk = chunks[place]
        at = bisect_left(chunk, key)
        if chunk[at] == key:
            return
        chunk.insert(at, key)
        self._count += 1
        if len(chunk) >= 2 * CHUNK:
            chunks[place : place + 1] = [chunk[:CHUNK], chunk[CHUNK:]]
            greatest.insert(place, chunk[CHUNK - 1])

    def discard(self, key: K) -> None:
        """Take ``key`` away if it is here."""
        chunks = self._chunks
        if self._count and chunks[0][0] == key:
            place = at = 0
        else:
            place = bisect_left(self._greatest, key)
            if place == len(chunks):
                return
            at = bisect_left(chunks[place], key)
            if chunks[place][at] != key:
                return
        chunk = chunks[place]
        del chunk[at]
        self._count -= 1
        if not chunk:
            del chunks[place]
            del self._greatest[place]
        elif at == len(chunk):
            self._greatest[place] = chunk[-1]

    def descending(self, before: K | None = None) -> Iterator[K]:
        """Walk down from the greatest key less than ``before``; nothing may change meanwhile."""
        chunks = self._chunks
        place = len(chunks) if before is None else bisect_left(self._greatest, before)
        if before is not None and place < len(chunks):
            chunk = chunks[place]
            for at in range(bisect_left(chunk, before) - 1, -1, -1):
                yield chunk[at]
        for earlier in range(place - 1, -1, -1):
            yield from reversed(chunks[earlier])
