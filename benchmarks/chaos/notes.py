"""Notes: each process writes what it sees into a file of its own, an event a line, at once."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

from actorq.testing.invariants.history import to_line

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType
    from typing import Self, TypeAlias

    from actorq.testing.invariants.events import Event

    Maker: TypeAlias = Callable[[float, str], Event]
    """Makes an event of its time and its actor."""


def now() -> float:
    """Return the seconds of the one clock that all processes of this machine share."""
    return time.monotonic()


class Notes:
    """The file of one recorder, safe from several threads; leaving the block closes it.

    Each line is handed to the system before ``note`` returns: it outlives the process, however that
    ends. Nothing here waits for the disk, for it is processes that die and not the machine.
    """

    def __init__(self, path: Path, actor: str) -> None:
        """Append to ``path`` what ``actor`` sees."""
        self.actor = actor
        self._lock = threading.Lock()
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        self._calls = 0

    def note(self, *makers: Maker) -> float:
        """Record events, in this order and at one time; return it."""
        with self._lock:
            # Read inside, so that the file is in the order of its times.
            at = now()
            os.write(self._file, b"".join(to_line(make(at, self.actor)) for make in makers))
        return at

    def call(self) -> str:
        """Return a name for a call that no other has."""
        with self._lock:
            self._calls += 1
            return f"{self.actor} {self._calls}"

    def __enter__(self) -> Self:
        """Use it as a block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        os.close(self._file)
