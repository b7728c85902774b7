"""A crowd at a store that is right: a random run that keeps every promise, whatever goes wrong."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

from actorq.core.job import Job
from actorq.core.policy import Policy, Retention
from actorq.testing.invariants import events as e
from actorq.testing.invariants.history import History
from tests.testing.invariants.flights import HOSTILE, Fate, Flight
from tests.testing.invariants.told_ledger import ToldLedger, shown

if TYPE_CHECKING:
    from collections.abc import Callable

QUEUES = ("q", "r")
POLICY = Policy(
    max_expiries=1,
    max_interruptions=2,
    max_extension=5.0,
    idempotency_ttl=12.0,
    retention=Retention(completed=6.0, dead=6.0, cancelled=6.0),
)
FAULTS: tuple[e.FaultKind, ...] = ("kill", "pause", "clock_step", "fail_over", "fail_over")
PAUSES = (0.0, 0.0, 0.0, 0.001, 0.02, 0.2, 0.9)


class Crowd:
    """The run itself: its clock, its store, its calls under way, and what is recorded of it."""

    def __init__(self, seed: int, ledger: type[ToldLedger], *, prompt: bool = False) -> None:
        """Begin; a ``prompt`` run has no faults, and nobody is kept waiting."""
        self.rng = Random(seed)
        self.prompt = prompt
        self.history = History()
        self.ledger = ledger(POLICY, self.history.append)
        self.flights: list[Flight[Any]] = []
        self.known: list[str] = []
        """Ids that somebody was told of."""
        self._calls = 0
        self._ids = 0
        self._faults = 0
        retention = POLICY.retention
        self.record(
            e.Terms(
                at=0.0,
                actor="crowd",
                max_expiries=POLICY.max_expiries,
                max_interruptions=POLICY.max_interruptions,
                max_extension=POLICY.max_extension,
                idempotency_ttl=POLICY.idempotency_ttl,
                slack=0.001,
                recovery=25.0,
                lateness=0.5 if prompt else None,
                keeps=min(retention.completed, retention.dead, retention.cancelled),
            )
        )

    @property
    def at(self) -> float:
        return self.ledger.at

    def record(self, event: e.Event) -> None:
        self.history.append(event)

    def call(self) -> str:
        self._calls += 1
        return f"call-{self._calls}"

    def mint(self) -> str:
        """Return an id: they rise, but for now and then two servers' that cross."""
        self._ids += 1
        return f"job-{self._ids + self.rng.choice((0, 0, 0, 40)):05}-{self._ids}"

    def choose(self, *chances: tuple[Any, float]) -> Any:  # noqa: ANN401 - whatever was offered
        values, weights = zip(*chances, strict=True)
        return self.rng.choices(values, weights)[0]

    # ── calls ───────────────────────────────────────────────────────────────────────────────────

    def send(
        self,
        sent: e.Submit | e.Ask | e.Claim | e.Settle | e.Renew,
        act: Callable[[], Any],
        told: Callable[[Any], e.Event],
        *,
        repeats: bool = True,
        hand_back: Callable[[Any], None] | None = None,
    ) -> None:
        """Send a call; one that a server does not repeat is never applied twice."""
        self.record(sent)
        fate: Fate = "known" if self.prompt else self.rng.choice(HOSTILE)
        if fate == "twice" and not repeats:
            fate = "known"
        flight = Flight(sent.call, sent.actor, act, told, fate, hand_back=hand_back)
        flight.silent = self.rng.random() < 0.3
        self.flights.append(flight)

    def audit(self, job_id: str) -> None:
        """Read a job as an onlooker."""
        since = self.at

        def read() -> e.Seen | str:
            job = self.ledger.jobs.get(job_id)
            return "none" if job is None else shown(job, self.ledger.now)

        def told(answer: e.Seen | str) -> e.Event:
            seen = None if isinstance(answer, str) else answer
            return e.Audited(at=self.at, actor="audit", since=since, job_id=job_id, seen=seen)

        self.flights.append(Flight("", "audit", read, told))

    def go_on(self, flight: Flight[Any]) -> None:
        """Take one call a step further."""
        is_over, event = flight.go_on(self.at, self.rng)
        if event is not None:
            self.record(event)
        if is_over:
            self.flights.remove(flight)

    def drain(self) -> None:
        """Bring every call to its end."""
        while self.flights:
            self.go_on(self.rng.choice(self.flights))

    # ── time and trouble ────────────────────────────────────────────────────────────────────────

    def pass_time(self, seconds: float) -> None:
        """Let time pass; who is prompt takes no more than a moment for anything."""
        if not self.prompt:
            self.ledger.at += seconds
            return
        end = self.at + seconds
        while self.at < end:
            self.drain()
            self.ledger.upkeep()
            self.ledger.at = min(end, self.at + 0.1)

    def trouble(self) -> None:
        """Make a fault: the store's clock is turned, or the store forgets what nobody has seen."""
        self._faults += 1
        fault = f"fault-{self._faults}"
        kind = self.rng.choice(FAULTS)
        targets = ("store",) if kind in {"clock_step", "fail_over"} else ("worker-1",)
        self.record(
            e.FaultBegan(at=self.at, actor="trouble", fault=fault, kind=kind, targets=targets)
        )
        if kind == "clock_step":
            self.ledger.offset_us = self.rng.choice((0, 3_000_000, -2_000_000))
        elif kind == "fail_over":
            step, copy = self.ledger.steps, self.ledger.copy()
            self.ledger.upkeep()
            self.ledger.roll_back(copy)
            self.record(e.RolledBack(at=self.at, actor="store", step=step))
        self.record(e.FaultEnded(at=self.at, actor="trouble", fault=fault))

    def any_job(self) -> Job | None:
        """Return a job that somebody knows of, a late one rather."""
        jobs = [
            self.ledger.jobs[job_id] for job_id in self.known[-12:] if job_id in self.ledger.jobs
        ]
        return self.rng.choice(jobs) if jobs else None
