"""Faults of the store: one after the other, for what follows each is looked at by itself."""

from __future__ import annotations

import threading
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Final

from benchmarks.chaos.diary import STORE
from benchmarks.chaos.places import ServedPlace, SqlitePlace
from benchmarks.chaos.places_redis import ClusterPlace, FailoverPlace

if TYPE_CHECKING:
    from collections.abc import Generator
    from contextlib import AbstractContextManager
    from random import Random

    from benchmarks.chaos.cast import Cast
    from benchmarks.chaos.diary import Diary, Made, Nature
    from benchmarks.chaos.health import HealthWatch
    from benchmarks.chaos.places import Place
    from benchmarks.chaos.plan import Plan
    from benchmarks.chaos.schedule import FaultKind

_ABSENCE_S: Final = (0.2, 2.0)
_PAUSE_LEASES: Final = (1.2, 2.5)
_REPLIES: Final = (3, 20)
_LOSING_S: Final = 2.0


class StoreFaults:
    """What is done to the store, in whatever way this one can be met."""

    def __init__(
        self, plan: Plan, cast: Cast, place: Place, diary: Diary, health: HealthWatch
    ) -> None:
        """Do it to the store at ``place``; one that is a file dies with those who have it open."""
        self._cast, self._place, self._diary, self._health = cast, place, diary, health
        self._pause_s = [share * plan.lease for share in _PAUSE_LEASES]
        self._lane = threading.Lock()

    def make(self, kind: FaultKind, draw: Random) -> None:
        """Make a fault, from begin to end."""
        with self._lane:
            if self._diary.over.is_set():
                return
            match self._place:
                case SqlitePlace() as place:
                    self._meet_sqlite(place, kind, draw)
                case ServedPlace() as place:
                    self._meet_server(place, kind, draw)
                case FailoverPlace() as place:
                    self._fail_over(place, draw)
                case ClusterPlace() as place:
                    self._meet_cluster(place, kind, draw)
                case _:
                    raise AssertionError(self._place)

    # ── a file ──────────────────────────────────────────────────────────────────────────────────

    def _meet_sqlite(self, place: SqlitePlace, kind: FaultKind, draw: Random) -> None:
        if kind == "kill store":
            self._kill_all_servers(draw)
            return
        # Servers cannot write for a while, but they can read.
        with self._shaken(kind, "pause"):
            place.freeze()
            self._diary.rest(draw, *self._pause_s)
            place.thaw()

    def _kill_all_servers(self, draw: Random) -> None:
        """Kill every process that has the file open, at the same moment."""
        with ExitStack() as stack:
            seats = self._cast.of("server")
            for seat in seats:
                stack.enter_context(seat.free)
            names = [*STORE, *(seat.child.name for seat in seats)]
            with self._diary.fault("kill store", "kill", names):
                for seat in seats:
                    seat.child.kill()
                self._diary.rest(draw, *_ABSENCE_S)
                for seat in seats:
                    seat.fill()
                for seat in seats:
                    if not seat.wait_until_ready():
                        self._diary.complain(f"{seat.child.name} did not become ready")

    # ── servers of its own ──────────────────────────────────────────────────────────────────────

    @contextmanager
    def _away(self, kind: FaultKind, nature: Nature) -> Generator[None]:
        """Record a fault during which no server can reach the store: each has to say so."""
        with self._diary.fault(kind, nature, STORE):
            self._health.store_is(reachable=False)
            try:
                yield
            finally:
                self._health.store_is(reachable=True)

    def _shaken(self, kind: FaultKind, nature: Nature) -> AbstractContextManager[Made]:
        """Record a fault during which any server may reach the store, or not."""
        servers = (seat.child.name for seat in self._cast.of("server"))
        return self._diary.fault(kind, nature, (*STORE, *servers))

    def _meet_server(self, place: ServedPlace, kind: FaultKind, draw: Random) -> None:
        match kind:
            case "kill store":
                with self._away(kind, "kill"):
                    place.kill()
                    self._diary.rest(draw, *_ABSENCE_S)
                    place.start()
            case "restart store":
                with self._away(kind, "restart"):
                    place.stop()
                    place.start()
            case "pause store":
                with self._away(kind, "pause"):
                    place.freeze()
                    self._diary.rest(draw, *self._pause_s)
                    place.thaw()
            case "cut store":
                with self._shaken(kind, "cut"):
                    place.cut()
            case _:
                with self._shaken(kind, "lost_reply"):
                    self._lose_replies(place, draw.randint(*_REPLIES))

    def _lose_replies(self, place: ServedPlace, count: int) -> None:
        """Lose some replies; whatever is left after a while is not lost."""
        place.lose_replies(count)
        self._diary.over.wait(_LOSING_S)
        place.lose_replies(0)

    def _fail_over(self, place: FailoverPlace, draw: Random) -> None:
        with self._shaken("fail over", "fail_over"):
            place.kill()
            self._diary.rest(draw, *_ABSENCE_S)
            place.start()

    def _meet_cluster(self, place: ClusterPlace, kind: FaultKind, draw: Random) -> None:
        if kind == "move slots":
            with self._shaken(kind, "slow"):
                place.move(draw)
            return
        with self._shaken(kind, "kill"):
            place.kill(draw)
            self._diary.rest(draw, *_ABSENCE_S)
            place.start()
