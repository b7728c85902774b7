"""The goals of PostgreSQL and Redis, next to the bare messages that their stores send."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from benchmarks import depth, idle, scenarios
from benchmarks.plan import Shape
from benchmarks.verdicts import at_least, below, share

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.contest import Result
    from benchmarks.plan import Plan, StoreName
    from benchmarks.report import Verdict

    Judged = tuple[list[Result], list[Verdict]]

_MANY: Final = Shape(callers=100)
_BATCHES: Final = (
    Shape(batch=scenarios.FLOOR_BATCH),
    Shape(callers=4, batch=scenarios.FLOOR_BATCH),
)
"""One batch after the other, and as many at a time as a server has connections for writing."""

_ONE_BY_ONE: Final[dict[StoreName, float]] = {"postgres": 6.0, "redis": 3.0}
_LIFE: Final = 0.6
_PICK_UP_MS: Final[dict[StoreName, float]] = {"postgres": 4.0, "redis": 1.5}
_COMMANDS: Final = 2.0
_DEEP_LEAST: Final = 0.8


def served() -> list[Callable[[Plan], Judged]]:
    """Return the measurements to be made of both, each with the verdicts that it allows."""
    stores: tuple[StoreName, ...] = ("postgres", "redis")
    kinds = (_enqueue, _life, _pick_up, _idle, _depth)
    return [partial(kind, store) for store in stores for kind in kinds]


def _enqueue(store: StoreName, plan: Plan) -> Judged:
    results = scenarios.measure_rate(plan, "enqueue", store, _MANY)
    floor = scenarios.BARE_ONE_BY_ONE
    what = f"{store}, embedded, enqueue by 100 callers: of {floor}"
    return results, [at_least(what, share(results[0], floor), _ONE_BY_ONE[store])]


def _life(store: StoreName, plan: Plan) -> Judged:
    results: list[Result] = []
    goals: list[Verdict] = []
    floor = scenarios.BARE_IN_BATCHES
    for shape in _BATCHES:
        found = scenarios.measure_rate(plan, "life", store, shape)
        results += found
        what = f"{store}, embedded, whole life, {shape}: of {floor}"
        goals.append(at_least(what, share(found[0], floor), _LIFE))
    return results, goals


def _pick_up(store: StoreName, plan: Plan) -> Judged:
    results: list[Result] = []
    goals: list[Verdict] = []
    for apart in (False, True):
        found = scenarios.measure_pick_up(plan, store, apart=apart)
        results += found
        what = f"{store}, embedded, pick-up, {found[0].shape}, p50"
        goals.append(below(what, found[0].subject.median, _PICK_UP_MS[store], "ms"))
    return results, goals


def _idle(store: StoreName, plan: Plan) -> Judged:
    results = idle.measure(plan, store, "hypercorn")
    sent = next(result for result in results if result.unit == idle.COMMANDS)
    what = f"{store}, idle server, 10,000 delayed jobs: commands to the store"
    return results, [below(what, sent.subject.median, _COMMANDS, "a second")]


def _depth(store: StoreName, plan: Plan) -> Judged:
    results = depth.measure(plan, store)
    return results, [
        at_least(
            f"{store}, claims from {result.subject.name}, {result.shape}: of {floor.name}",
            share(result, floor.name),
            _DEEP_LEAST,
        )
        for result in results
        for floor in result.floors
    ]
