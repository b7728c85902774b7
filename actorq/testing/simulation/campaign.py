"""Campaigns: many seeds, on all cores, and what came of them."""

from __future__ import annotations

import gc
import os
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from time import perf_counter
from typing import TYPE_CHECKING, Final

import msgspec

from actorq.testing.simulation.profiles import PROFILES
from actorq.testing.simulation.running import simulate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

BATCH: Final = 25
"""How many seeds a process runs before it tells of them."""


class Ran(msgspec.Struct, frozen=True):
    """What is kept of one world. ``violation`` is the first one, None when all was well."""

    profile: str
    seed: int
    seconds: float
    jobs: int
    faults: int
    trace: str
    violation: str | None


class Summary(msgspec.Struct):
    """The sum of a campaign. ``took`` is real seconds, ``seconds`` virtual ones."""

    seeds: int = 0
    seconds: float = 0.0
    jobs: int = 0
    faults: int = 0
    took: float = 0.0
    failed: list[Ran] = msgspec.field(default_factory=list[Ran])

    def add(self, ran: Ran) -> None:
        """Count one world."""
        self.seeds += 1
        self.seconds += ran.seconds
        self.jobs += ran.jobs
        self.faults += ran.faults
        if ran.violation is not None:
            self.failed.append(ran)

    def __str__(self) -> str:
        """Say it in one line."""
        took = max(self.took, 1e-9)
        return (
            f"{self.seeds} seeds, {len(self.failed)} failed: {self.seconds:.0f} virtual seconds, "
            f"{self.jobs} jobs, {self.faults} faults in {self.took:.1f} s "
            f"({self.seeds / took:.1f} seeds/s, {self.seconds / took:.0f} virtual seconds/s)"
        )


def profile_for(seed: int, names: Sequence[str]) -> str:
    """Return the profile of a seed: they take turns."""
    return names[seed % len(names)]


def run_seeds(worlds: Sequence[tuple[str, int]]) -> list[Ran]:
    """Run worlds one after another, each a profile and a seed.

    A world is small and soon over: it costs less to keep its garbage till then than to look for it.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        return [_ran(profile, seed) for profile, seed in worlds]
    finally:
        if was_enabled:
            gc.enable()


def campaign(
    first: int, last: int, names: Sequence[str], processes: int | None = None
) -> Iterator[tuple[Ran, Summary]]:
    """Run the seeds from ``first`` to ``last``; give each world as it ends, with the sum so far."""
    worlds = ((profile_for(seed, names), seed) for seed in range(first, last + 1))
    summary = Summary()
    began = perf_counter()
    for batch in _batches(worlds, processes or os.cpu_count() or 1):
        summary.took = perf_counter() - began
        for ran in batch:
            summary.add(ran)
            yield ran, summary


def _batches(worlds: Iterator[tuple[str, int]], processes: int) -> Iterator[list[Ran]]:
    if processes == 1:
        while some := list(islice(worlds, BATCH)):
            yield run_seeds(some)
        return
    with ProcessPoolExecutor(processes) as pool:
        # Some batches ahead of the processes, and no more: a campaign may be endless.
        waiting = [
            pool.submit(run_seeds, list(islice(worlds, BATCH))) for _ in range(2 * processes)
        ]
        while waiting:
            batch = waiting.pop(0).result()
            if following := list(islice(worlds, BATCH)):
                waiting.append(pool.submit(run_seeds, following))
            yield batch


def _ran(profile: str, seed: int) -> Ran:
    report = simulate(PROFILES[profile], seed)
    gc.collect(1)  # all that a world leaves is young, as nothing was looked at meanwhile
    violation = str(report.violations[0]) if report.violations else None
    return Ran(profile, seed, report.seconds, report.jobs, report.faults, report.trace, violation)
