"""A history: the events of one run in the order in which they were recorded, and its file."""

from __future__ import annotations

from heapq import merge
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from actorq.testing.invariants.events import Event

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Event).decode


def to_line(event: Event) -> bytes:
    """Return an event as one line of JSON, its end included: what a recorder appends to a file."""
    return _encode(event) + b"\n"


class History:
    """Events in the order of their recording. Appending is safe from several threads."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        """Start with ``events``."""
        self._events = list(events)

    def append(self, event: Event) -> None:
        """Record an event."""
        self._events.append(event)

    def __iter__(self) -> Iterator[Event]:
        return iter(self._events)

    def __len__(self) -> int:
        return len(self._events)

    def __getitem__(self, place: int) -> Event:
        return self._events[place]

    def save(self, path: str | Path) -> None:
        """Write the history to a file, one event a line."""
        with Path(path).open("wb") as file:
            file.writelines(map(to_line, self._events))

    @classmethod
    def load(cls, *paths: str | Path) -> History:
        """Read a history from the files of its recorders, which shared one clock.

        Each is in order of ``at`` by itself. A last line that was cut off, because its
        writer was killed, is left out: what it would have said had not been sent yet. Raises
        ``msgspec.DecodeError`` for any other line that is no event.
        """
        return cls(merge(*map(_read, paths), key=attrgetter("at")))


def _read(path: str | Path) -> Iterator[Event]:
    with Path(path).open("rb") as file:
        for line in file:
            if not line.endswith(b"\n"):
                return
            yield _decode(line)
