"""The conductor: raises the curtain, makes the faults as scheduled, heals, waits, audits, and lets go."""

from __future__ import annotations

import threading
import traceback
from contextlib import ExitStack, closing
from random import Random
from typing import TYPE_CHECKING, Final

import msgspec

from actorq.testing.invariants.events import Healed, Measured, Quiet, Terms
from benchmarks.chaos.audit import Auditor, bound_queues
from benchmarks.chaos.cast import STOP_S, Cast
from benchmarks.chaos.diary import Diary, Made
from benchmarks.chaos.door import Client
from benchmarks.chaos.health import HealthWatch
from benchmarks.chaos.notes import Notes, now
from benchmarks.chaos.places import open_place
from benchmarks.chaos.plan import GRACE_S, MAX_EXPIRIES, Plan
from benchmarks.chaos.process_faults import ProcessFaults
from benchmarks.chaos.processes import Keeper
from benchmarks.chaos.schedule import draw
from benchmarks.chaos.store_faults import StoreFaults

if TYPE_CHECKING:
    from benchmarks.chaos.cast import Role
    from benchmarks.chaos.places import Place
    from benchmarks.chaos.processes import Child
    from benchmarks.chaos.schedule import Planned

_MIND_S: Final = 0.1
_BACKLOG_S: Final = 10.0
"""How many seconds of the load may wait in a queue: a machine that is too slow does not fill up."""

_SLACK_S: Final = 0.1
_READINESS_S: Final = 2.0
_LONG_S: Final = 3_600.0
_MOST_MB: Final = 300.0
_MOST_COMPLAINTS: Final = 20
"""After so many a run is given up: it would tell of nothing else."""


class Performance(msgspec.Struct, kw_only=True):
    """What came of a run, but for what the histories tell. Times are of the machine's clock."""

    began: float
    healed: float
    ended: float
    made: list[Made]
    complaints: list[str]
    server_mb: float
    """The most memory that a server has had which was there at the end, in millions of bytes."""


def perform(plan: Plan) -> Performance:
    """Make a run, from the first process to the last."""
    with ExitStack() as stack:
        keeper = stack.enter_context(closing(Keeper()))
        place = stack.enter_context(closing(open_place(plan)))
        cast = stack.enter_context(closing(Cast(plan, place.settings, keeper)))
        notes = stack.enter_context(Notes(cast.notes / "conductor.jsonl", "conductor"))
        return Conductor(plan, cast, place, notes).perform()


class Conductor:
    """One run."""

    def __init__(self, plan: Plan, cast: Cast, place: Place, notes: Notes) -> None:
        """Make those who make the faults."""
        self._plan, self._cast, self._notes = plan, cast, notes
        self._diary = Diary(notes)
        self._place = place
        self._processes = ProcessFaults(plan, cast, self._diary)
        self._threads: list[threading.Thread] = []

    def perform(self) -> Performance:
        """Go from the begin to the end."""
        plan, notes = self._plan, self._notes
        notes.note(
            lambda at, by: Terms(
                at=at,
                actor=by,
                max_expiries=MAX_EXPIRIES,
                slack=_SLACK_S,
                recovery=plan.quiet,
                readiness=_READINESS_S if plan.is_timed else _LONG_S,
            )
        )
        self._cast.wait_for_servers()
        with self._client("bounds") as client:
            bound_queues(client, depth=int(plan.rate * _BACKLOG_S))
        self._cast.enter()
        began = now()
        with closing(HealthWatch(self._cast, notes)) as health:
            store = StoreFaults(plan, self._cast, self._place, self._diary, health)
            try:
                self._make_trouble(began, store)
            finally:
                self._heal()
        healed = notes.note(lambda at, by: Healed(at=at, actor=by))
        server_mb = self._come_to_rest(healed)
        return Performance(
            began=began,
            healed=healed,
            ended=now(),
            made=self._diary.made,
            complaints=self._diary.complaints,
            server_mb=server_mb,
        )

    def _make_trouble(self, began: float, store: StoreFaults) -> None:
        """Begin each fault when it is due, in a thread of its own."""
        for number, planned in enumerate(draw(self._plan)):
            self._wait_until(began + planned.at)
            thread = threading.Thread(target=self._make, args=(number, planned, store))
            thread.start()
            self._threads.append(thread)
        self._wait_until(began + self._plan.seconds)

    def _make(self, number: int, planned: Planned, store: StoreFaults) -> None:
        chance = Random(f"{self._plan.seed} {number}")  # noqa: S311 - to be replayed
        try:
            if not self._processes.make(planned.kind, chance):
                store.make(planned.kind, chance)
        except Exception:  # noqa: BLE001 - it is told to whoever reads the report
            self._diary.complain(f"{planned.kind} could not be made:\n{traceback.format_exc()}")

    def _wait_until(self, moment: float) -> None:
        """Wait, and see who ends meanwhile though nobody did anything to it."""
        while (left := moment - now()) > 0:
            self._diary.over.wait(min(left, _MIND_S))
            for seat in self._cast.deserters():
                name, code = seat.child.name, seat.child.ended
                self._diary.complain(f"{name} ended by itself, with exit code {code}")
                if len(self._diary.complaints) > _MOST_COMPLAINTS:
                    raise RuntimeError(f"too much goes wrong: {self._diary.complaints}")
                self._processes.revive(seat)

    def _heal(self) -> None:
        """End every fault; what was killed is there again."""
        self._diary.over.set()
        for thread in self._threads:
            thread.join()

    def _come_to_rest(self, healed: float) -> float:
        """Have no more jobs asked for, wait until all have ended, and look at them.

        Returns the most memory of a server, in millions of bytes.
        """
        cast, diary = self._cast, self._diary
        with self._client("audit") as client:
            auditor = Auditor(client, self._notes)
            self._dismiss("producer")
            self._dismiss("ghost")
            if not auditor.wait_for_calm(healed + self._plan.quiet):
                diary.complain(f"jobs were still live {self._plan.quiet:g} s after the last fault")
            self._dismiss("worker")
            self._notes.note(lambda at, by: Quiet(at=at, actor=by))
            auditor.read_everything()
        server_mb = max(self._measure(seat.child) for seat in cast.of("server"))
        self._dismiss("server")
        return server_mb

    def _measure(self, server: Child) -> float:
        """Note the most memory that a server has had, next to what it may have (I18)."""
        peak = server.peak_mb()
        what = f"the memory of {server.name}, MB"
        self._notes.note(
            lambda at, by: Measured(at=at, actor=by, what=what, value=peak, bound=_MOST_MB)
        )
        return peak

    def _client(self, purpose: str) -> closing[Client]:
        """Return a client, as a block, that talks with the servers directly."""
        chance = Random(f"{self._plan.seed} {purpose}")  # noqa: S311 - to be replayed
        return closing(Client(self._cast.ports, chance))

    def _dismiss(self, role: Role) -> None:
        """Let all of a role stop, each in time and well."""
        seconds = GRACE_S if role == "server" else STOP_S
        for seat in self._cast.of(role):
            self._processes.stop(seat, seconds)
