"""Health: what each server says of itself, asked twice a second, and whether its store was there (I20)."""

from __future__ import annotations

import http.client
import threading
from typing import TYPE_CHECKING, Final

from actorq.testing.invariants.events import Health, Reach
from benchmarks.chaos.door import OK
from benchmarks.chaos.notes import now

if TYPE_CHECKING:
    from benchmarks.chaos.cast import Cast, Seat
    from benchmarks.chaos.notes import Notes

_EVERY_S: Final = 0.5
_PATIENCE_S: Final = 2.0


class HealthWatch:
    """A thread for each server that asks it whether it is ready."""

    def __init__(self, cast: Cast, notes: Notes) -> None:
        """Begin to ask; the store is there."""
        self._cast, self._notes = cast, notes
        self._lock = threading.Lock()
        self._reachable = True
        self._known: set[str] = set()
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._watch, args=(seat, port))
            for seat, port in zip(cast.of("server"), cast.ports, strict=True)
        ]
        for thread in self._threads:
            thread.start()

    def store_is(self, *, reachable: bool) -> None:
        """Note that the store went away, or is back, for all servers."""
        with self._lock:
            self._reachable = reachable
            for seat in self._cast.of("server"):
                self._note_reach(seat.child.name)

    def close(self) -> None:
        """Ask no more."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _watch(self, seat: Seat, port: int) -> None:
        while not self._over.wait(_EVERY_S):
            child = seat.child
            if not child.has_said(" is ready on "):
                continue
            with self._lock:
                if child.name not in self._known:
                    self._note_reach(child.name)
            since = now()
            ready = _ask(port)
            # Another one may have come meanwhile, and have answered.
            if ready is not None and seat.child is child:
                self._note(child.name, since, ready=ready)

    def _note_reach(self, server: str) -> None:
        self._known.add(server)
        reachable = self._reachable
        self._notes.note(lambda at, by: Reach(at=at, actor=by, server=server, reachable=reachable))

    def _note(self, server: str, since: float, *, ready: bool) -> None:
        self._notes.note(
            lambda at, by: Health(at=at, actor=by, since=since, server=server, ready=ready)
        )


def _ask(port: int) -> bool | None:
    """Ask on a connection of its own; None without an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE_S)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == OK
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
