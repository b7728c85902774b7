"""The gate: the writers of one process queue up here, instead of polling for the file's lock."""

from __future__ import annotations

from collections import deque
from threading import Lock


class Gate:
    """A lock that is handed on in the order of arrival.

    SQLite's own lock goes to whoever happens to ask at the right moment; a connection that renews
    leases could lose against a busy writer again and again.
    """

    def __init__(self) -> None:
        """Start open."""
        self._mutex = Lock()
        self._held = False
        self._waiting: deque[Lock] = deque()

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._waiting)

    def acquire(self, timeout: float) -> bool:
        """Take the lock, waiting up to ``timeout`` seconds; False if it did not come to that."""
        with self._mutex:
            if not self._held:
                self._held = True
                return True
            turn = Lock()
            turn.acquire()
            self._waiting.append(turn)
        if turn.acquire(timeout=timeout):
            return True
        with self._mutex:
            if turn in self._waiting:
                self._waiting.remove(turn)
                return False
        # It was handed over in the very moment in which the patience ended.
        return True

    def release(self) -> None:
        """Hand the lock on to whoever has waited longest."""
        with self._mutex:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._held = False
