"""The goals: what actorq must reach, as ratios within one run, and the verdict on each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from benchmarks import depth, idle, scenarios
from benchmarks.contest import Contender, Contest, Result, hold
from benchmarks.doors import http
from benchmarks.goals_served import served
from benchmarks.plan import Shape
from benchmarks.verdicts import at_least, below, share

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.plan import LoopName, Plan, ServerName
    from benchmarks.report import Verdict

    Judged = tuple[list[Result], list[Verdict]]

_MANY: Final = Shape(callers=100)
_BATCHES: Final = Shape(batch=scenarios.FLOOR_BATCH)
_CONNECTIONS: Final = Shape(callers=50)

_OF_ECHO: Final[tuple[tuple[ServerName, LoopName, float], ...]] = (
    ("hypercorn", "asyncio", 0.65),
    ("hypercorn", "trio", 0.65),
    ("uvicorn", "asyncio", 0.45),
)
_DEEP_LEAST: Final = 0.8
_PICK_UP_MS: Final = 2.0
_IDLE_CPU: Final = 0.5
_IDLE_MB: Final = 80.0
_MEMORY_OVER_SQLITE: Final = 1.5


def judgements() -> list[Callable[[Plan], Judged]]:
    """Return the measurements to be made, each with the verdicts that it allows."""
    return [_enqueue, _life, _memory, _http, _pick_up, _idle, _depth, *served()]


def _enqueue(plan: Plan) -> Judged:
    results = scenarios.measure_rate(plan, "enqueue", "sqlite", _MANY)
    what = "SQLite, embedded, enqueue by 100 callers"
    return results, [
        at_least(f"{what}: of {name}", share(results[0], name), least)
        for name, least in ((scenarios.SQL_IN_BATCHES, 0.25), (scenarios.SQL_ONE_BY_ONE, 5.0))
    ]


def _life(plan: Plan) -> Judged:
    results = scenarios.measure_rate(plan, "life", "sqlite", _BATCHES)
    reached = share(results[0], scenarios.SQL_IN_BATCHES)
    what = f"SQLite, embedded, whole life in batches of 100: of {scenarios.SQL_IN_BATCHES}"
    return results, [at_least(what, reached, 0.5)]


def _memory(plan: Plan) -> Judged:
    results: list[Result] = []
    goals: list[Verdict] = []
    for scenario, shape in (("enqueue", _MANY), ("life", _BATCHES)):
        memory, sqlite = (
            scenarios.embedded_round(plan, scenario, store, shape) for store in ("memory", "sqlite")
        )
        contest = Contest(
            scenario=scenario,
            store="memory",
            door=f"embedded, {plan.loop}",
            shape=str(shape),
            subject=Contender("actorq", memory),
            floors=(Contender("actorq on SQLite", sqlite),),
        )
        results += hold(contest, plan.rounds)
        reached = share(results[-1], "actorq on SQLite")
        what = f"Memory, embedded, {scenario}, {shape}: of SQLite"
        goals.append(at_least(what, reached, _MEMORY_OVER_SQLITE))
    return results, goals


def _http(plan: Plan) -> Judged:
    results: list[Result] = []
    goals: list[Verdict] = []
    for server, loop, least in _OF_ECHO:
        found = http.measure(plan.on(loop), "enqueue", "sqlite", server, _CONNECTIONS)
        results += found
        what = f"POST /jobs on SQLite, {server}, {loop}, 50 connections: of the echo route"
        goals.append(at_least(what, share(found[0], http.ECHO), least))
    return results, goals


def _pick_up(plan: Plan) -> Judged:
    results = scenarios.measure_pick_up(plan, "sqlite")
    p50 = results[0].subject.median
    return results, [
        below("SQLite, embedded, pick-up by an idle consumer, p50", p50, _PICK_UP_MS, "ms")
    ]


def _idle(plan: Plan) -> Judged:
    results = idle.measure(plan, "sqlite", "hypercorn")
    cpu, memory = (result.subject.median for result in results)
    return results, [
        below("Idle server, 10,000 delayed jobs: processor", cpu, _IDLE_CPU, "%"),
        below("Idle server, 10,000 delayed jobs: memory", memory, _IDLE_MB, "MB"),
    ]


def _depth(plan: Plan) -> Judged:
    results = depth.measure(plan, "sqlite")
    return results, [
        at_least(
            f"SQLite, claims from {result.subject.name}, {result.shape}: of {floor.name}",
            share(result, floor.name),
            _DEEP_LEAST,
        )
        for result in results
        for floor in result.floors
    ]
