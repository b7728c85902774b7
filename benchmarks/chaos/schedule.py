"""The schedule: which faults a run makes, and when, drawn from its seed."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.chaos.plan import Plan

FaultKind: TypeAlias = Literal[
    "kill worker", "pause worker", "stop worker", "kill producer",
    "kill server", "pause server", "deploy",
    "kill store", "pause store", "restart store", "cut store", "lose store replies",
    "cut clients", "lose client replies",
    "fail over", "kill node", "move slots",
]  # fmt: skip

# How often each fault is made in a minute.
_PROCESSES: Final[Mapping[FaultKind, float]] = {
    "kill worker": 5.0,
    "pause worker": 1.0,
    "stop worker": 0.8,
    "kill producer": 0.4,
    "kill server": 1.7,
    "pause server": 0.5,
    "deploy": 0.4,
    "lose client replies": 0.9,
}
_SERVED: Final[Mapping[FaultKind, float]] = {
    "kill store": 0.8,
    "pause store": 0.3,
    "restart store": 0.5,
    "cut store": 0.8,
    "cut clients": 0.3,
    "lose store replies": 0.7,
}
_EMBEDDED: Final[Mapping[FaultKind, float]] = {
    "kill store": 0.8,
    "pause store": 0.6,
    "cut clients": 0.9,
}
_FAIL_OVER: Final[Mapping[FaultKind, float]] = {"fail over": 1.4}
_CLUSTER: Final[Mapping[FaultKind, float]] = {"move slots": 3.5, "kill node": 0.8}


def store_rates(plan: Plan) -> Mapping[FaultKind, float]:
    """Return how often each fault of the store is made in a minute."""
    match plan.faults:
        case "failover" | "failover-wait":
            return _FAIL_OVER
        case "cluster":
            return _CLUSTER
        case "usual":
            return _EMBEDDED if plan.store == "sqlite" else _SERVED


_LEAD_S: Final = 1.0
"""Seconds at the begin without a fault: the load has to be there first."""


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """A fault to be made ``at`` so many seconds after the begin."""

    at: float
    kind: FaultKind


def draw(plan: Plan) -> list[Planned]:
    """Return the faults of a run, in the order of their times.

    Those of the store come one after the other with room between them, so that what follows one is
    not the next one's work. Those of processes may overlap.
    """
    lanes = [
        _lane(rates, plan.seconds, Random(f"{plan.seed} {name}"))  # noqa: S311 - to be replayed
        for name, rates in (("processes", _PROCESSES), ("store", store_rates(plan)))
    ]
    return sorted((planned for lane in lanes for planned in lane), key=lambda planned: planned.at)


def _lane(rates: Mapping[FaultKind, float], seconds: float, draw: Random) -> list[Planned]:
    """Spread faults evenly, in a drawn order; each of them is made once at least."""
    kinds: list[FaultKind] = [
        kind for kind, rate in rates.items() for _ in range(max(1, round(rate * seconds / 60)))
    ]
    draw.shuffle(kinds)
    width = max(0.0, seconds - _LEAD_S) / len(kinds)
    return [
        Planned(at=_LEAD_S + (place + draw.uniform(0.0, 0.5)) * width, kind=kind)
        for place, kind in enumerate(kinds)
    ]
