"""Clocks that stand still until a test moves them."""

from __future__ import annotations

from mmap import mmap
from pathlib import Path
from typing import Final

from actorq.core.instants import to_us

START_US: Final = 1_767_225_600_000_000
"""Where a manual clock starts: 2026-01-01T00:00:00Z, in microseconds since the Unix epoch."""

_BYTES: Final = 8
"""The size of an instant in a shared clock's file."""


class ManualClock:
    """A store's clock for tests: calling it tells the instant, ``advance`` is all that moves it."""

    def __init__(self, start: int = START_US) -> None:
        """Start at the instant ``start``, in microseconds since the Unix epoch."""
        self._now = start

    def __call__(self) -> int:
        """Return the instant it shows: microseconds since the Unix epoch."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Move on by ``seconds``; a negative number turns the clock back, as an operator might."""
        self._now += to_us(seconds)


class SharedClock:
    """A manual clock in a file: every process that opens the file reads the same instant.

    It can be pickled, and so be handed to another process. Only one may move it at a time.
    """

    def __init__(self, path: str | Path, start: int = START_US) -> None:
        """Open the clock at ``path``; one that is not there yet is made, and starts at ``start``."""
        self._path = Path(path)
        if not self._path.exists():
            self._path.write_bytes(bytes(_BYTES))
            self._open()[0] = start
        self._face = self._open()

    def __call__(self) -> int:
        """Return the instant it shows: microseconds since the Unix epoch."""
        return self._face[0]

    def __reduce__(self) -> tuple[type[SharedClock], tuple[Path]]:
        return SharedClock, (self._path,)

    def advance(self, seconds: float) -> None:
        """Move on by ``seconds``; a negative number turns the clock back, as an operator might."""
        self._face[0] += to_us(seconds)

    def _open(self) -> memoryview[int]:
        # One aligned word of shared memory: it is read and written whole.
        with self._path.open("r+b") as file:
            return memoryview(mmap(file.fileno(), _BYTES)).cast("q")
