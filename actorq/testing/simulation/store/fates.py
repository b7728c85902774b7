"""Fates: what may become of one call of the store, and how likely each is."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

if TYPE_CHECKING:
    from actorq.testing.simulation.choices import Choices


class Fate(Enum):
    """What becomes of a call. Whoever makes it sees an answer, or only that there was none."""

    WELL = auto()
    """It takes effect once, and its answer arrives."""
    SLOW = auto()
    """The same, but it takes seconds."""
    REFUSED = auto()
    """The store says no for a passing reason; nothing has changed."""
    UNSENT = auto()
    """The connection breaks before it took effect."""
    UNHEARD = auto()
    """It takes effect, and the answer is lost with the connection."""
    LATE = auto()
    """The caller gives up; it takes effect afterwards, perhaps after the end of a lease."""
    TWICE = auto()
    """It reaches the store twice; the second answer is the one that arrives."""
    HALF = auto()
    """A part of its items takes effect, and the connection breaks: a batch that spans several shards."""


class Odds(msgspec.Struct, frozen=True, kw_only=True):
    """How a simulated store behaves. Durations are seconds, chances are per call; without any: no faults.

    The longest latencies are rare; two zeros: a call takes no time. ``silence`` is how long a connection
    waits for an answer before it counts as lost.
    """

    latency: tuple[float, float] = (0.0005, 0.05)
    slow_latency: tuple[float, float] = (0.2, 4.0)
    slow: float = 0.0
    refused: float = 0.0
    unsent: float = 0.0
    unheard: float = 0.0
    late: float = 0.0
    late_by: tuple[float, float] = (0.5, 60.0)
    twice: float = 0.0
    half: float = 0.0
    silence: float = 5.0
    news_latency: float = 0.05
    news_lost: float = 0.0
    news_doubled: float = 0.0

    def harmless(self) -> Odds:
        """Return the same store without faults: as far away as before, and as quick."""
        return Odds(
            latency=self.latency,
            late_by=self.late_by,
            silence=self.silence,
            news_latency=self.news_latency,
        )

    def weights(self) -> tuple[float, ...]:
        """Return the chances of all fates but the good one, in the order of ``Fate``."""
        return (
            self.slow,
            self.refused,
            self.unsent,
            self.unheard,
            self.late,
            self.twice,
            self.half,
        )


REFUSALS: Final = (
    "it takes no writes: is it a replica? (READONLY)",
    "two transactions waited for each other (40P01)",
    "another transaction was in the way (40001)",
    "a lock was held for too long (55P03)",
    "it is busy with a script (BUSY)",
    "it has no memory left (OOM)",
    "it has too many connections (53300)",
    "it does not know the script (NOSCRIPT)",
    "its disk is full (53100)",
    "it is starting up (57P03)",
)
"""The passing reasons for which the real stores refuse a call, as their connections tell them."""

_ONCE: Final = frozenset({"dequeue", "redrive", "update_job", "delete", "purge", "update_queue"})
"""Verbs that no caller repeats after an unknown outcome, nor any driver, whose own repeats are off: a
second run would claim more, or judge the effect of the first."""

_FATES: Final = tuple(Fate)


class Plan(NamedTuple):
    """A call's fate, decided before it leaves: its way to the store and back, in seconds."""

    fate: Fate
    there: float
    back: float


class Fates:
    """Draws the fates of calls, from the choices of a world."""

    def __init__(self, choices: Choices, odds: Odds) -> None:
        """Draw by ``odds``."""
        self._choices = choices
        self.set(odds)

    def set(self, odds: Odds) -> None:
        """Go by other odds from now on."""
        self.odds = odds
        weights = odds.weights()
        self._weights = weights if any(weights) else ()

    def plan(self, name: str, verb: str, items: int) -> Plan:
        """Decide what becomes of a call of ``verb`` from the node ``name``, with so many items."""
        call = f"{name} {verb}"
        fate = Fate.WELL
        if self._weights:
            fate = _fitting(_FATES[self._choices.weigh(call, self._weights)], verb, items)
        low, high = self.odds.slow_latency if fate is Fate.SLOW else self.odds.latency
        if high <= 0.0:
            return Plan(fate, 0.0, 0.0)
        whole = self._choices.span(f"{call} latency", low, high)
        # All of it before the effect, all of it after, or half and half: so every order can happen, and
        # most calls sleep once.
        match self._choices.choose(f"{call} way", 3):
            case 0:
                return Plan(fate, whole, 0.0)
            case 1:
                return Plan(fate, 0.0, whole)
            case _:
                return Plan(fate, whole / 2, whole / 2)


def _fitting(fate: Fate, verb: str, items: int) -> Fate:
    """Return ``fate``, or what stands for it where the verb cannot meet with it."""
    if fate is Fate.TWICE and verb in _ONCE:
        return Fate.UNHEARD
    if fate is Fate.HALF and items <= 1:
        return Fate.UNHEARD
    return fate
