"""The bulletin: what this process has to tell the others, until the listener has told it."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class Bulletin:
    """The queues that may have ready jobs since the last word to the others.

    A notification that is part of a commit makes all such commits of the database wait for one another. So
    the writers leave a note here, and the listener, which has a connection of its own, sends what has
    gathered. While there is no listener they send it themselves.
    """

    def __init__(self) -> None:
        """Start without a listener."""
        self._lock = Lock()
        self._queues: set[str] = set()
        self._ring: Callable[[], None] | None = None

    def attend(self, ring: Callable[[], None]) -> None:
        """Say who is to be woken by a new note from now on."""
        with self._lock:
            self._ring = ring

    def leave(self, ring: Callable[[], None]) -> None:
        """Say that nobody listens any more, unless somebody else has come meanwhile."""
        with self._lock:
            if self._ring == ring:
                self._ring = None
                self._queues.clear()

    @property
    def attended(self) -> bool:
        """True while there is a listener."""
        return self._ring is not None

    def post(self, queues: Iterable[str]) -> None:
        """Leave a note that these queues may have ready jobs."""
        with self._lock:
            if self._ring is None:
                return
            before = len(self._queues)
            self._queues.update(queues)
            if before == 0:
                self._ring()

    def take(self) -> set[str]:
        """Take down what has gathered."""
        with self._lock:
            taken, self._queues = self._queues, set()
            return taken
