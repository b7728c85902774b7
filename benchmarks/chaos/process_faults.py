"""Faults of processes and of the network between clients and servers."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING, Final

from benchmarks.chaos.cast import STOP_S
from benchmarks.chaos.notes import now
from benchmarks.chaos.plan import GRACE_S

if TYPE_CHECKING:
    from random import Random

    from benchmarks.chaos.cast import Cast, Role, Seat
    from benchmarks.chaos.diary import Diary
    from benchmarks.chaos.plan import Plan
    from benchmarks.chaos.schedule import FaultKind

_ABSENCE_S: Final = (0.1, 1.0)
"""How long whoever was killed is away: as long as somebody takes who starts it again."""

_PAUSE_LEASES: Final = (1.3, 2.5)
_SERVER_PAUSE_S: Final = (1.0, 4.0)
_REPLIES: Final = (3, 15)
_LOSING_S: Final = 2.0
_LATE_S: Final = 3.0
"""How much longer than in time is waited for the end of a process."""


class ProcessFaults:
    """What is done to workers, producers and servers, and to the connections between them."""

    def __init__(self, plan: Plan, cast: Cast, diary: Diary) -> None:
        """Do it to this cast."""
        self._plan, self._cast, self._diary = plan, cast, diary
        self._deploying = threading.Lock()

    def make(self, kind: FaultKind, draw: Random) -> bool:
        """Make a fault, from begin to end; False when it is none of these."""
        match kind:
            case "kill worker":
                self._kill(kind, "worker", draw)
            case "kill producer":
                self._kill(kind, "producer", draw)
            case "kill server":
                self._kill(kind, "server", draw)
            case "pause worker":
                shortest, longest = (share * self._plan.lease for share in _PAUSE_LEASES)
                self._pause(kind, "worker", draw, (shortest, longest))
            case "pause server":
                self._pause(kind, "server", draw, _SERVER_PAUSE_S)
            case "stop worker":
                self._stop_worker(draw)
            case "deploy":
                self._deploy()
            case "cut clients":
                self._cut_clients()
            case "lose client replies":
                self._lose_replies(draw)
            case _:
                return False
        return True

    def _kill(self, kind: FaultKind, role: Role, draw: Random) -> None:
        with self._cast.borrow(role, draw) as seat:
            if self._diary.over.is_set():
                return
            with self._diary.fault(kind, "kill", [seat.child.name]):
                seat.child.kill()
                self._diary.rest(draw, *_ABSENCE_S)
                self.revive(seat)

    def _pause(
        self, kind: FaultKind, role: Role, draw: Random, seconds: tuple[float, float]
    ) -> None:
        with self._cast.borrow(role, draw) as seat:
            if self._diary.over.is_set():
                return
            with self._diary.fault(kind, "pause", [seat.child.name]):
                seat.child.send(signal.SIGSTOP)
                self._diary.rest(draw, *seconds)
                seat.child.send(signal.SIGCONT)

    def _stop_worker(self, draw: Random) -> None:
        """Let a worker finish, as a deploy does, and start the next one."""
        with self._cast.borrow("worker", draw) as seat:
            if self._diary.over.is_set():
                return
            with self._diary.fault("stop worker", "restart", [seat.child.name]):
                self.stop(seat, STOP_S)
                seat.fill()

    def _deploy(self) -> None:
        """Replace every server, one after the other."""
        with self._deploying:
            for seat in self._cast.of("server"):
                with seat.free:
                    if self._diary.over.is_set():
                        return
                    with self._diary.fault("deploy", "restart", [seat.child.name]):
                        self.stop(seat, GRACE_S)
                        self.revive(seat)

    def stop(self, seat: Seat, seconds: float) -> None:
        """Ask a process to stop; it must do so in time, and well, unless the store was not itself."""
        asked = now()
        seat.child.send(signal.SIGTERM)
        code = seat.child.wait(seconds + _LATE_S)
        if code is None:
            seat.child.kill()
        is_late = now() > asked + seconds
        excused = self._diary.store_was_met(asked) or (is_late and not self._plan.is_timed)
        if code != 0 and not excused:
            how = f"with exit code {code}" if code is not None else "only when it was killed"
            self._diary.complain(f"{seat.child.name} stopped {how}")

    def revive(self, seat: Seat) -> None:
        """Start the next process of a seat; a server is there when it is ready."""
        seat.fill()
        if seat.role == "server" and not seat.wait_until_ready():
            self._diary.complain(f"{seat.child.name} did not become ready")

    # ── the network between clients and servers ─────────────────────────────────────────────────

    def _cut_clients(self) -> None:
        with self._diary.fault("cut clients", "cut", self._servers()):
            for door in self._cast.doors:
                door.cut()

    def _lose_replies(self, draw: Random) -> None:
        """Let replies of one server get lost, each with its connection."""
        number = draw.randrange(len(self._cast.doors))
        door = self._cast.doors[number]
        with self._diary.fault("lose client replies", "lost_reply", [self._servers()[number]]):
            door.lose_replies(draw.randint(*_REPLIES))
            self._diary.over.wait(_LOSING_S)
            door.lose_replies(0)

    def _servers(self) -> list[str]:
        return [seat.child.name for seat in self._cast.of("server")]
