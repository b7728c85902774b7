"""A world moved by hand: time passes while a call sleeps, and every choice is written down beforehand."""

from __future__ import annotations

from collections import Counter
from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING

from actorq.core.commands import Claim
from actorq.core.instants import to_us
from actorq.core.job import NewJob
from actorq.core.policy import Policy
from actorq.testing.clock import START_US
from actorq.testing.invariants.events import Move, RolledBack
from actorq.testing.simulation.choices import Choice, Choices
from actorq.testing.simulation.store import Fate, Odds, SimStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from actorq.backends.backend import Backend
    from actorq.testing.invariants.events import Event

QUEUE = "work"

ODDS = Odds(
    latency=(1.0, 2.0),
    late_by=(10.0, 20.0),
    silence=5.0,
    news_latency=0.5,
    slow=0.1,
    refused=0.1,
    unsent=0.1,
    unheard=0.1,
    late=0.1,
    twice=0.1,
    half=0.1,
    news_lost=0.1,
    news_doubled=0.1,
)
"""Every fate is possible, so the record of choices may name any; by itself all goes well, in a second."""


class Hand:
    """The store's port, and the time."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._now = 0.0
        self._planned: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()

    def now(self) -> int:
        return START_US + to_us(self._now)

    def time(self) -> float:
        return self._now

    def later(self, seconds: float, function: Callable[[], None]) -> None:
        heappush(self._planned, (self._now + seconds, next(self._numbers), function))

    def record(self, event: Event) -> None:
        self.events.append(event)

    def pass_by(self, seconds: float) -> None:
        """Let time pass, with whatever is planned for it."""
        until = self._now + seconds
        while self._planned and self._planned[0][0] <= until:
            self._now, _, function = heappop(self._planned)
            function()
        self._now = until


class Gone(BaseException):
    """The node has crashed: the call never comes back."""


class Node:
    """A machine that is moved by the same hand."""

    def __init__(self, hand: Hand, name: str) -> None:
        self.name = name
        self.rung = 0
        self.dead = False
        self._hand = hand

    def sleep(self, seconds: float) -> None:
        self._hand.pass_by(0.0 if self.dead else seconds)
        if self.dead:
            raise Gone

    def listen(self, seconds: float) -> None:
        self.sleep(seconds)

    def ring(self) -> None:
        self.rung += 1

    def alive(self) -> bool:
        return not self.dead


class Scene:
    """A store with two nodes. What is not said in ``choices`` goes well: label and value, one each."""

    def __init__(self, *choices: tuple[str, int], lag: float = 0.0) -> None:
        made: Counter[str] = Counter()
        record: list[Choice] = []
        for label, value in choices:
            record.append(Choice(label, made[label], value + 1, value))
            made[label] += 1
        self.hand = Hand()
        self.store = SimStore(self.hand, Choices(None, record), Policy(), ODDS, lag=lag)
        self.one = Node(self.hand, "one")
        self.two = Node(self.hand, "two")
        self.backend = self.connect()

    def connect(self) -> Backend:
        """Connect from the first node."""
        return self.store.at(self.one).connect()

    def status(self, *ids: str) -> list[str | None]:
        """Look at jobs past all lines; None for one that is not there."""
        jobs = [self.store.data.jobs.get(job_id) for job_id in ids]
        return [None if job is None else job.status.value for job in jobs]

    def moves(self) -> list[tuple[str, str]]:
        """Return which jobs had which event, as the history has it."""
        return [(e.job.job_id, e.event) for e in self.hand.events if isinstance(e, Move)]

    def rolled_back(self) -> list[int]:
        """Return the last steps that were kept, as the history has it."""
        return [e.step for e in self.hand.events if isinstance(e, RolledBack)]


def new(job_id: str) -> NewJob:
    return NewJob(id=job_id, queue_name=QUEUE, payload="{}")


def claim(*tokens: str) -> Claim:
    return Claim(queue_name=QUEUE, worker_id="w", tokens=tokens, visibility_timeout=30.0)


def meets(verb: str, fate: Fate) -> tuple[str, int]:
    """Say what the next call of ``verb`` from the first node meets."""
    return f"one {verb}", list(Fate).index(fate)
