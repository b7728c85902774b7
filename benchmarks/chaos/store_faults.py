"""Faults of the store: one after the other, for what follows each is looked at by itself."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from benchmarks.chaos.places import ServedPlace, SqlitePlace
from benchmarks.chaos.places_redis import ClusterPlace, FailoverPlace

if TYPE_CHECKING:
    from random import Random

    from benchmarks.chaos.cast import Cast
    from benchmarks.chaos.diary import Diary
    from benchmarks.chaos.places import Place
    from benchmarks.chaos.plan import Plan
    from benchmarks.chaos.schedule import FaultKind

_STORE: Final = ("store",)
_ABSENCE_S: Final = (0.2, 2.0)
_PAUSE_LEASES: Final = (1.2, 2.5)
_REPLIES: Final = (3, 20)
_LOSING_S: Final = 2.0


class StoreFaults:
    """What is done to the store, in whatever way this one can be met."""

    def __init__(self, plan: Plan, cast: Cast, place: Place, diary: Diary) -> None:
        """Do it to the store at ``place``; one that is a file dies with those who have it open."""
        self._cast, self._place, self._diary = cast, place, diary
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
        with self._diary.fault(kind, "pause", _STORE):
            place.freeze()
            self._diary.rest(draw, *self._pause_s)
            place.thaw()

    def _kill_all_servers(self, draw: Random) -> None:
        """Kill every process that has the file open, at the same moment."""
        with ExitStack() as stack:
            seats = self._cast.of("server")
            for seat in seats:
                stack.enter_context(seat.free)
            names = [*_STORE, *(seat.child.name for seat in seats)]
            with self._diary.fault("kill store", "kill", names):
                for seat in seats:
                    seat.child.kill()
                self._diary.rest(draw, *_ABSENCE_S)
                for seat in seats:
                    seat.fill()
                for seat in seats:
                    if not seat.wait_until_ready():
                        self._diary.complain(f"{seat.child.name} did not become ready")

    # ── a server ────────────────────────────────────────────────────────────────────────────────

    def _meet_server(self, place: ServedPlace, kind: FaultKind, draw: Random) -> None:
        match kind:
            case "kill store":
                with self._diary.fault(kind, "kill", _STORE):
                    place.kill()
                    self._diary.rest(draw, *_ABSENCE_S)
                    place.start()
            case "restart store":
                with self._diary.fault(kind, "restart", _STORE):
                    place.stop()
                    place.start()
            case "pause store":
                with self._diary.fault(kind, "pause", _STORE):
                    place.freeze()
                    self._diary.rest(draw, *self._pause_s)
                    place.thaw()
            case "cut store":
                with self._diary.fault(kind, "cut", _STORE):
                    place.cut()
            case _:
                with self._diary.fault(kind, "lost_reply", _STORE):
                    place.lose_replies(draw.randint(*_REPLIES))
                    self._diary.over.wait(_LOSING_S)
                    place.lose_replies(0)

    # ── several servers ─────────────────────────────────────────────────────────────────────────

    def _fail_over(self, place: FailoverPlace, draw: Random) -> None:
        with self._diary.fault("fail over", "fail_over", _STORE):
            place.kill()
            self._diary.rest(draw, *_ABSENCE_S)
            place.start()

    def _meet_cluster(self, place: ClusterPlace, kind: FaultKind, draw: Random) -> None:
        if kind == "move slots":
            with self._diary.fault(kind, "slow", _STORE):
                place.move(draw)
            return
        with self._diary.fault(kind, "kill", _STORE):
            place.kill(draw)
            self._diary.rest(draw, *_ABSENCE_S)
            place.start()
