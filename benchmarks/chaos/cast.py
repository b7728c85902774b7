"""The cast: servers, workers, producers and a ghost, each in a seat that it may lose to the next one."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import msgspec

from benchmarks.chaos.crew import Order
from benchmarks.chaos.plan import GRACE_S, MAX_EXPIRIES, QUEUES
from benchmarks.chaos.processes import Child
from tests.servers.processes import free_port
from tests.servers.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping
    from random import Random

    from benchmarks.chaos.plan import Plan
    from benchmarks.chaos.processes import Keeper

Role: TypeAlias = Literal["server", "worker", "producer", "ghost"]

READY_S: Final = 60.0
"""Seconds in which a server must be ready: its store may be away when it starts."""

STOP_S: Final = 30.0
"""Seconds in which a worker or a producer must have brought what it began to its end."""

_POLL_S: Final = 0.02
_GHOST_RATE: Final = 2.0

_KINDS: Final = (
    {"HTTP_SERVER": "uvicorn", "EVENT_LOOP": "asyncio"},
    {"HTTP_SERVER": "hypercorn", "EVENT_LOOP": "asyncio"},
    {"HTTP_SERVER": "hypercorn", "EVENT_LOOP": "trio"},
)
"""How servers run, in turns: a run has all kinds."""


class Seat:
    """A place in the cast. Who has it is called after it: ``worker-2.3`` is the third in this seat."""

    def __init__(self, role: Role, number: int, start: Callable[[str, int], Child]) -> None:
        """Fill it for the first time; ``start`` makes the process of a name and a number."""
        self.role = role
        self.free = threading.Lock()
        """Held by whoever does something to the process."""

        self._number = number
        self._start = start
        self._lives = 0
        self.child = self.fill()

    def fill(self) -> Child:
        """Start the next process."""
        self._lives += 1
        self.child = self._start(f"{self.role}-{self._number}.{self._lives}", self._number)
        return self.child

    def wait_until_ready(self) -> bool:
        """Wait until a server says that it is; False when it ends, or never says so."""
        end = time.monotonic() + READY_S
        while not self.child.has_said(" is ready on "):
            if self.child.ended is not None or time.monotonic() > end:
                return False
            time.sleep(_POLL_S)
        return True


class Cast:
    """Everybody, and the proxies through which servers are reached."""

    def __init__(self, plan: Plan, settings: Mapping[str, str], keeper: Keeper) -> None:
        """Start the servers; their clients come later."""
        self._plan = plan
        self._settings = settings
        self._keeper = keeper
        self.notes = plan.out / "notes"
        self.logs = plan.out / "logs"
        for folder in (self.notes, self.logs):
            folder.mkdir()
        self.ports = [free_port() for _ in range(plan.servers)]
        self.doors = [Proxy(port) for port in self.ports]
        self.seats: list[Seat] = []
        self._seat("server", plan.servers, self._start_server)

    def wait_for_servers(self) -> None:
        """Wait until every server is ready."""
        for seat in self.of("server"):
            if not seat.wait_until_ready():
                raise RuntimeError(f"a server did not start: see {seat.child.log}")

    def enter(self) -> None:
        """Start everybody else."""
        plan = self._plan
        self._seat("worker", plan.workers, self._start_worker)
        self._seat("producer", plan.producers, self._start_producer)
        self._seat("ghost", 1, self._start_ghost)

    def of(self, role: Role) -> list[Seat]:
        """Return all seats of a role."""
        return [seat for seat in self.seats if seat.role == role]

    @contextmanager
    def borrow(self, role: Role, draw: Random) -> Generator[Seat]:
        """Have a drawn seat of this role for oneself, as soon as one is free."""
        while True:
            seats = self.of(role)
            draw.shuffle(seats)
            for seat in seats:
                if seat.free.acquire(blocking=False):
                    try:
                        yield seat
                    finally:
                        seat.free.release()
                    return
            time.sleep(_POLL_S)

    def deserters(self) -> Iterable[Seat]:
        """Yield who has ended though nobody did anything to it; whoever asks has the seat meanwhile."""
        for seat in self.seats:
            if seat.free.acquire(blocking=False):
                try:
                    if seat.child.ended is not None:
                        yield seat
                finally:
                    seat.free.release()

    def close(self) -> None:
        """Kill whoever is left."""
        for seat in self.seats:
            seat.child.kill()
        for door in self.doors:
            door.close()

    # ── how each is started ─────────────────────────────────────────────────────────────────────

    def _seat(self, role: Role, count: int, start: Callable[[str, int], Child]) -> None:
        for number in range(count):
            self.seats.append(Seat(role, number, start))

    def _start_server(self, name: str, number: int) -> Child:
        settings = {
            **self._settings,
            **_KINDS[number % len(_KINDS)],
            "PORT": str(self.ports[number]),
            "GRACE": str(GRACE_S),
            "MAX_EXPIRIES": str(MAX_EXPIRIES),
            "LOG_LEVEL": "warning",
            "LOG_FORMAT": "json",
        }
        return self._child(name, ("-m", "actorq", "serve"), settings)

    def _start_worker(self, name: str, number: int) -> Child:
        plan = self._plan
        queue = QUEUES[number % len(QUEUES)]
        return self._crew(name, "worker", queue=queue, lease=plan.lease, slots=plan.slots)

    def _start_producer(self, name: str, number: int) -> Child:
        del number
        return self._crew(name, "producer", rate=self._plan.rate / self._plan.producers)

    def _start_ghost(self, name: str, number: int) -> Child:
        del number
        return self._crew(name, "ghost", rate=_GHOST_RATE, lease=self._plan.lease)

    def _crew(
        self,
        name: str,
        role: Role,
        *,
        queue: str = "",
        rate: float = 0.0,
        lease: float = 0.0,
        slots: int = 1,
    ) -> Child:
        order = Order(
            name=name,
            ports=tuple(door.port for door in self.doors),
            notes=str(self.notes / f"{name}.jsonl"),
            seed=self._plan.seed,
            queue=queue,
            rate=rate,
            lease=lease,
            slots=slots,
        )
        text = msgspec.json.encode(order).decode()
        return self._child(name, ("-m", f"benchmarks.chaos.{role}", text), {})

    def _child(self, name: str, command: tuple[str, ...], settings: Mapping[str, str]) -> Child:
        return Child(name, command, settings=settings, folder=self.logs, keeper=self._keeper)
