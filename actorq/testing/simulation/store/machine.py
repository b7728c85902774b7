"""The machine on which a simulated store runs: what it keeps, who is connected, and what breaks."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Final, TypeVar

from actorq.core.transitions import Status
from actorq.testing.simulation.store.data import WatchedData
from actorq.testing.simulation.store.engine import Engine
from actorq.testing.simulation.store.fates import Fate, Fates, Odds
from actorq.testing.simulation.store.journal import Journal
from actorq.testing.simulation.store.site import SiteStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from actorq.backends.backend import Store
    from actorq.core.policy import Policy
    from actorq.testing.simulation.choices import Choices
    from actorq.testing.simulation.ports import NodePort, StorePort
    from actorq.testing.simulation.store.data import Commit
    from actorq.testing.simulation.store.flight import Flight
    from actorq.testing.simulation.store.listener import SimListener

T = TypeVar("T")

QUIET: Final = Odds()
"""No faults at all."""


class SimStore:
    """One store for a whole simulated cluster; ``at`` gives each node its face.

    Every call meets a fate by the odds. The rest is done to the machine from outside: ``cut``, ``restart``,
    ``freeze``, ``fail_over`` and ``drop_node``; ``heal`` ends all of it.
    """

    def __init__(
        self,
        port: StorePort,
        choices: Choices,
        policy: Policy,
        odds: Odds = QUIET,
        *,
        lag: float = 0.0,
        news: bool = True,
        engine: type[Engine] = Engine,
    ) -> None:
        """Start empty; ``lag`` is the seconds by which ``fail_over`` may go back.

        Without ``news`` nobody hears of the others' work. Verbs are carried out by ``engine``, which a test
        may give bugs.
        """
        self.port = port
        self.choices = choices
        self.fates = Fates(choices, odds)
        self.journal = Journal(port, lag)
        self.data = WatchedData(policy, port.now, self._committed)
        self.epoch = 0
        """Rises when all connections are cut: those of earlier epochs are dead."""
        self.boots = 0
        """Rises when its process is started anew: what had reached only the old one is gone."""
        self.met: Counter[str] = Counter()
        """How often each fate was met, and each other trouble."""
        self._news = news
        self._engine = engine
        self._up_at = -math.inf
        self._thaws_at = -math.inf
        self._strays_until = -math.inf
        self._strays: list[Commit] | None = None
        self._late = 0
        self._flights: dict[Flight, None] = {}
        self._listeners: dict[SimListener, None] = {}
        self._ready: set[str] = set()

    def at(self, node: NodePort) -> Store:
        """Return the store as ``node`` opens it."""
        return SiteStore(self, node, news=self._news)

    # ── what connections ask ────────────────────────────────────────────────────────────────────

    @property
    def down(self) -> bool:
        """Whether nothing answers here."""
        return self.port.time() < self._up_at

    @property
    def frozen_for(self) -> float:
        """For how many more seconds it takes nothing in; 0 when it works."""
        return max(0.0, self._thaws_at - self.port.time())

    def astray(self, epoch: int) -> bool:
        """Tell whether a connection of ``epoch`` still speaks with a primary that was deposed."""
        return epoch == self.epoch - 1 and self.port.time() < self._strays_until

    def engine(self, node: NodePort, step: Callable[[], None]) -> Engine:
        """Return what carries out the verbs of ``node``; it calls ``step`` between two steps of one."""
        return self._engine(self.data, node, step)

    def carry_out(self, node: str, verb: str, run: Callable[[], T]) -> T:
        """Let ``run`` take effect as ``verb``, for ``node``; all others hear the news of it."""
        self.data.verb = verb
        value = run()
        if self._ready:
            ready, self._ready = frozenset(self._ready), set()
            for listener in list(self._listeners):
                if listener.node != node:
                    listener.hear(ready)
        return value

    def carry_out_astray(self, verb: str, run: Callable[[], T]) -> T:
        """Answer as a primary does that was deposed and does not know it: nothing of it stays."""
        self.data.verb = verb
        self._strays = []
        try:
            return run()
        finally:
            strays, self._strays = self._strays, None
            for commit in reversed(strays):
                self.data.revert(commit)

    def _committed(self, commit: Commit) -> None:
        if self._strays is not None:
            self._strays.append(commit)
            return
        self.journal.add(commit)
        for before, after in commit.changes:
            was_pending = before is not None and before.status is Status.PENDING
            if after is not None and after.status is Status.PENDING and not was_pending:
                self._ready.add(after.queue_name)

    def acknowledge(self, step: int) -> None:
        """Let an answer leave that tells of ``step``: it is durable first, with all before it."""
        with self.data:
            self.journal.sync(step)

    def note(self, fate: Fate) -> None:
        """Take note that a call meets ``fate``."""
        self.met[fate.name.lower()] += 1

    # ── what is on its way ──────────────────────────────────────────────────────────────────────

    @property
    def expected(self) -> int:
        """How many calls are on their way, those included for whose answers nobody waits."""
        return self._late + len(self._flights)

    def depart(self, flight: Flight) -> None:
        """Note that a call is on its way."""
        self._flights[flight] = None

    def arrive(self, flight: Flight) -> None:
        """Note that it has arrived."""
        self._flights.pop(flight, None)

    def land(self, flight: Flight) -> None:
        """Let a call take effect for whose answer nobody waits."""
        self.carry_out(flight.node, flight.verb, flight.land)

    def land_later(self, seconds: float, flight: Flight) -> None:
        """Let a call take effect in ``seconds``, unless the process that has it is gone by then."""
        boots = self.boots
        self._late += 1

        def arrive() -> None:
            self._late -= 1
            if self.boots == boots:
                self.land(flight)

        self.port.later(seconds, arrive)

    def add_listener(self, listener: SimListener) -> None:
        """Tell a connection of news from now on."""
        self._listeners[listener] = None

    def drop_listener(self, listener: SimListener) -> None:
        """Tell it no more."""
        self._listeners.pop(listener, None)

    # ── trouble ─────────────────────────────────────────────────────────────────────────────────

    def drop_node(self, node: str) -> None:
        """Let a node be gone; of what it has sent some arrives, now or later."""
        for listener in [listener for listener in self._listeners if listener.node == node]:
            self.drop_listener(listener)
        for flight in [flight for flight in self._flights if flight.node == node]:
            self.arrive(flight)
            match self.choices.choose(f"{node} {flight.verb} sent", 3):
                case 1:
                    self.land(flight)
                case 2:
                    label = f"{node} {flight.verb} late"
                    self.land_later(self.choices.span(label, *self.fates.odds.late_by), flight)
                case _:
                    pass

    def cut(self) -> None:
        """Cut every connection."""
        self.met["cut"] += 1
        self.epoch += 1
        for listener in list(self._listeners):
            listener.hear(frozenset())

    def freeze(self, seconds: float) -> None:
        """Stop, and go on after ``seconds`` with what has come meanwhile."""
        self.met["freeze"] += 1
        self._thaws_at = max(self._thaws_at, self.port.time() + seconds)

    def restart(self, seconds: float, *, loses_power: bool = False) -> int:
        """Be away for ``seconds``; return how many steps were lost, which nobody was told of."""
        self.met["power" if loses_power else "restart"] += 1
        self.cut()
        self.boots += 1
        self._up_at = max(self._up_at, self.port.time() + seconds)
        self._thaws_at = -math.inf
        return self.journal.lose_power(self.data) if loses_power else 0

    def fail_over(self, lag: float, split: float) -> int:
        """Go on as a replica that lacks the last ``lag`` seconds; return how many steps were lost.

        Connections that were open go on speaking with the deposed primary, for ``split`` seconds:
        what it answers comes to nothing. This is outside of what is promised.
        """
        self.met["fail_over"] += 1
        self.cut()
        self._strays_until = self.port.time() + split
        return self.journal.fail_over(self.data, lag)

    def heal(self) -> None:
        """End all trouble, and let there be no more."""
        self.fates.set(self.fates.odds.harmless())
        self._up_at = self._thaws_at = self._strays_until = -math.inf
