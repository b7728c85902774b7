"""Lives: of each job and each worker, what the figures need to know, gathered in one pass over a history."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import msgspec

from actorq.testing.invariants.events import (
    Accepted,
    Audited,
    Claimed,
    Delivery,
    Effect,
    Seen,
    Settle,
    Settled,
    Submit,
    Taken,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from actorq.testing.invariants.events import Event


class Attempt(msgspec.Struct):
    """One claim of a job whose answer reached a worker. Times are of the machine's clock."""

    worker: str
    number: int
    claimed: float
    took_effect: bool = False
    settled: float = float("inf")
    """When its holder was told that a settlement of it was taken."""


class Life(msgspec.Struct):
    """What happened to one job."""

    delivery: Delivery = "at_least_once"
    attempts: dict[str, Attempt] = msgspec.field(default_factory=dict[str, Attempt])
    """By token, in the order in which they were claimed."""

    end: Seen | None = None


class Lives:
    """Everything that the figures are made from."""

    def __init__(self, history: Iterable[Event]) -> None:
        """Read a history once."""
        self.jobs: dict[str, Life] = defaultdict(Life)
        self.by_worker: dict[str, list[tuple[str, Attempt]]] = defaultdict(list)
        """The attempts of each worker, with the job's id."""

        self.asked: set[str] = set()
        """The idempotency key of each job that was asked for; a repeat has the same."""

        self.accepted: list[float] = []
        """When each job was first acknowledged to whoever asked for it."""

        self.completed: list[float] = []
        """When each ack was told to have been taken."""

        self.outcomes: Counter[str] = Counter()
        """What settlements came to, by word."""

        self.events = 0
        self._settles: dict[str, Settle] = {}
        self._known: set[str] = set()
        for event in history:
            self.events += 1
            self._read(event)

    def _read(self, event: Event) -> None:
        match event:
            case Submit():
                self.asked.add(event.request.idempotency_key or event.call)
            case Accepted(outcome="created"):
                if event.job_id not in self._known:
                    self._known.add(event.job_id)
                    self.accepted.append(event.at)
            case Claimed():
                for taken in event.jobs:
                    self._claimed(event, taken)
            case Effect():
                self.jobs[event.job_id].attempts[event.token].took_effect = True
            case Settle():
                self._settles[event.call] = event
            case Settled():
                self._settled(event)
            case Audited():
                self.jobs[event.job_id].end = event.seen
            case _:
                pass

    def _claimed(self, event: Claimed, taken: Taken) -> None:
        life = self.jobs[taken.job_id]
        life.delivery = taken.delivery
        attempt = Attempt(worker=event.actor, number=taken.attempt, claimed=event.at)
        life.attempts[taken.token] = attempt
        self.by_worker[event.actor].append((taken.job_id, attempt))

    def _settled(self, event: Settled) -> None:
        sent = self._settles.pop(event.call)
        self.outcomes[event.outcome] += 1
        if event.outcome != "ok" or sent.token is None:
            return
        attempt = self.jobs[sent.job_id].attempts[sent.token]
        if attempt.settled == float("inf"):
            attempt.settled = event.at
            if sent.action == "ack":
                self.completed.append(event.at)
