"""What workers, producers and ghosts have in common: their order, their end, and how they crash."""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Final, NoReturn

import msgspec

from benchmarks.chaos.door import Client
from benchmarks.chaos.notes import Notes

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

CRASHED: Final = 1


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What one process is to be. It comes as JSON, as the only argument."""

    name: str
    ports: tuple[int, ...]
    notes: str
    seed: int
    queue: str = ""
    rate: float = 0.0
    lease: float = 0.0
    slots: int = 1


class Crew:
    """One process of the load: what it was ordered, what it notes, and whether it is to stop."""

    def __init__(self, order: Order, notes: Notes) -> None:
        """Begin."""
        self.order = order
        self.notes = notes
        self.stopping = threading.Event()
        """Set by SIGTERM."""

        signal.signal(signal.SIGTERM, self._stop)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self.stopping.set()

    def draw(self, purpose: str) -> Random:
        """Return a source of choices, the same in every run of this seed."""
        # Choices, not secrets.
        return Random(f"{self.order.seed} {self.order.name} {purpose}")  # noqa: S311 - see above

    def client(self, purpose: str) -> Client:
        """Return a client for one thread."""
        return Client(self.order.ports, self.draw(purpose))


def main(work: Callable[[Crew], None]) -> None:
    """Be what the argument orders. Whatever goes wrong, in any thread, ends the process with 1."""
    threading.excepthook = _crash
    order = msgspec.json.decode(sys.argv[1], type=Order)
    notes = Notes(Path(order.notes), order.name)
    try:
        work(Crew(order, notes))
    except BaseException:  # noqa: BLE001 - the end of the line: other threads may go on for ever
        traceback.print_exc()
        _leave()


def _crash(what: threading.ExceptHookArgs) -> None:
    traceback.print_exception(what.exc_type, what.exc_value, what.exc_traceback)
    _leave()


def _leave() -> NoReturn:
    sys.stderr.flush()
    os._exit(CRASHED)
