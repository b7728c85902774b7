"""How tests run worlds: each seed must keep every promise, and all together must have met with enough."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from actorq.testing.simulation import PROFILES, simulate
from actorq.testing.simulation.reached import reached

if TYPE_CHECKING:
    from collections.abc import Iterable

SEEDS: Final = range(24)
"""The seeds of each profile that every run of the tests repeats; ``make proof`` runs thousands."""

LIFE: Final = frozenset(
    f"moved: {event}"
    for event in (
        "enqueue", "promote", "edit", "claim", "ack", "retry", "bury", "release", "postpone",
        "extend", "request_cancel", "cancel", "lapse", "redrive", "delete", "purge",
    )
)  # fmt: skip
"""The moves of a job's life that a calm world makes."""


def run(profile: str, seeds: Iterable[int]) -> Counter[str]:
    """Run worlds, all of which must keep their promises; return what they met with, counted."""
    met: Counter[str] = Counter()
    for seed in seeds:
        report = simulate(PROFILES[profile], seed)
        told = [str(violation) for violation in report.violations]
        again = f"python -m actorq.testing.simulation --profile {profile} --seed {seed}"
        assert not told, f"{again}\n" + "\n".join(told)
        met += reached(report)
        met["excused"] += len(report.excused)
    return +met
