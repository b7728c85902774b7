"""A line to a simulated store: one connection, on which every call meets its fate."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NoReturn, TypeVar

from actorq.errors import BackendUnavailable
from actorq.testing.simulation.store.fates import REFUSALS, Fate, Plan
from actorq.testing.simulation.store.flight import Flight

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from actorq.core.job import Job
    from actorq.testing.simulation.ports import NodePort
    from actorq.testing.simulation.store.engine import Engine
    from actorq.testing.simulation.store.machine import SimStore

X = TypeVar("X")
T = TypeVar("T")

_UNREACHABLE = frozenset({Fate.REFUSED, Fate.UNSENT, Fate.UNHEARD, Fate.LATE, Fate.HALF})
"""The fates with which a connection does not come about."""


def _go_on() -> None:
    """Do nothing: the way between two steps of a call for which nobody waits."""


class Line:
    """One connection from a node to the store. One call at a time, and none after it broke."""

    def __init__(self, store: SimStore, node: NodePort) -> None:
        """Connect, which takes its time; raises ``BackendUnavailable`` when nothing answers."""
        self._store = store
        self._node = node
        self._verb = "connect"
        self._epoch = store.epoch
        self._boots = store.boots
        self._open = True
        self._stirred: tuple[Job, ...] = ()
        plan = store.fates.plan(node.name, "connect", 0)
        self._sleep(plan.there + plan.back)
        self._epoch = store.epoch
        self._boots = store.boots
        if store.down or plan.fate in _UNREACHABLE:
            self._break("it cannot be reached")
        if (frozen := store.frozen_for) > 0.0:
            self._sleep(min(frozen, store.fates.odds.silence))
            if store.frozen_for > 0.0 or not self.connected:
                self._break("it does not answer")
        self._engine = store.engine(node, self._between)

    @property
    def connected(self) -> bool:
        """Whether the store still knows this connection; its node learns of that at its next call."""
        store = self._store
        known = self._epoch == store.epoch or store.astray(self._epoch)
        return self._open and known and not store.down

    def call(self, verb: str, items: Sequence[X], run: Callable[[Engine, Sequence[X]], T]) -> T:
        """Do ``run`` for ``items`` at the store, as ``verb``; raises ``BackendUnavailable``."""
        self._verb = verb
        if not self.connected:
            self._break("the connection was lost")
        plan = self._store.fates.plan(self._node.name, verb, len(items))

        flight = Flight(
            self._node.name, verb, lambda: run(self._store.engine(self._node, _go_on), items)
        )
        self._travel(plan.there, flight)
        if plan.fate is not Fate.WELL:
            self._meet(plan, flight)
        if plan.fate is Fate.HALF:
            part = items[: 1 + self._store.choices.choose(self._label("part"), len(items) - 1)]
            self._effect(lambda: run(self._engine, part))
            self._lose(plan, "the connection was lost in the middle of a batch")
        value = self._effect(lambda: run(self._engine, items))
        stirred = self._engine.stirred()
        if plan.fate is Fate.UNHEARD:
            self._lose(plan, "the answer was lost")
        if plan.fate is Fate.TWICE:
            self._travel(plan.there + plan.back, flight)
            value = self._effect(lambda: run(self._engine, items))
        step = self._store.journal.step
        self._sleep(plan.back)
        if not self.connected:
            self._break("the answer was lost")
        if self._epoch == self._store.epoch:
            self._store.acknowledge(step)
        self._stirred += stirred
        return value

    def stirred(self) -> tuple[Job, ...]:
        """Return, once, what the answers of the calls told of other jobs."""
        told, self._stirred = self._stirred, ()
        return told

    def close(self) -> None:
        """Let the connection go."""
        self._open = False

    # ── on the way ──────────────────────────────────────────────────────────────────────────────

    def _travel(self, seconds: float, flight: Flight) -> None:
        """Reach the store, or raise; a call that has left its node may land though the node dies."""
        store = self._store
        if seconds > 0.0:
            self._fly(seconds, flight)
        if (frozen := store.frozen_for) > 0.0:
            silence = store.fates.odds.silence
            if frozen > silence:
                # It lies before a door that will open: whoever sent it has gone by then.
                store.land_later(frozen, flight)
                self._sleep(silence)
                self._break("it does not answer")
            self._fly(frozen, flight)
        if not self.connected:
            arrived = self._boots == store.boots and not store.down
            if arrived and store.choices.choose(self._label("arrived"), 2):
                store.land(flight)
            self._break("the connection was lost")

    def _fly(self, seconds: float, flight: Flight) -> None:
        self._store.depart(flight)
        self._sleep(seconds)
        self._store.arrive(flight)

    def _meet(self, plan: Plan, flight: Flight) -> None:
        """Take what is wrong with the call before its effect; raises if it has none."""
        store = self._store
        store.note(plan.fate)
        match plan.fate:
            case Fate.REFUSED:
                self._sleep(plan.back)
                reason = store.choices.pick(self._label("reason"), REFUSALS)
                raise BackendUnavailable(f"the store refused: {reason}")
            case Fate.UNSENT:
                self._lose(plan, "the connection was lost")
            case Fate.LATE:
                odds = store.fates.odds
                delay = store.choices.span(self._label("late"), *odds.late_by)
                store.land_later(odds.silence + delay, flight)
                self._sleep(odds.silence)
                self._break("it does not answer")
            case _:
                pass

    def _effect(self, run: Callable[[], T]) -> T:
        store = self._store
        if store.astray(self._epoch):
            return store.carry_out_astray(self._verb, run)
        return store.carry_out(self._node.name, self._verb, run)

    def _between(self) -> None:
        """Go to the caller and back, between two steps of one verb."""
        plan = self._store.fates.plan(self._node.name, f"{self._verb} step", 0)
        self._sleep(plan.there + plan.back)
        if not self.connected or plan.fate not in {Fate.WELL, Fate.SLOW}:
            self._break("the connection was lost between two steps")
        self._store.data.verb = self._verb

    # ── how it ends ─────────────────────────────────────────────────────────────────────────────

    def _lose(self, plan: Plan, reason: str) -> NoReturn:
        """Let the caller learn at once that the connection broke, or only by the long silence."""
        silent = self._store.choices.choose(self._label("noticed"), 2)
        self._sleep(self._store.fates.odds.silence if silent else plan.back)
        self._break(reason)

    def _break(self, reason: str) -> NoReturn:
        self._open = False
        raise BackendUnavailable(f"the store: {reason}")

    def _sleep(self, seconds: float) -> None:
        if seconds > 0.0:
            self._node.sleep(seconds)
        if not self._node.alive():
            # It has crashed: nothing of it goes on.
            self._node.sleep(math.inf)

    def _label(self, what: str) -> str:
        return f"{self._node.name} {self._verb} {what}"
