"""Idle cost: what a server takes that has nothing to do, with ten thousand delayed jobs in store."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from benchmarks.contest import BenchmarkError, Contender, Contest, Result, hold
from benchmarks.doors.http import ECHO, actorq_server, echo_server, put_load
from benchmarks.load import Order
from benchmarks.plan import QUEUE, Shape
from benchmarks.processes import LINUX, ServerProcess
from benchmarks.stores import commands

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.plan import Plan, ServerName, StoreName

JOBS: Final = 10_000
_A_DAY_S: Final = 86_400.0
_SETTLE_S: Final = 3.0
_STRETCH_S: Final = 20.0
_QUICK_STRETCH_S: Final = 1.0
_MOST_ROUNDS: Final = 3

CPU: Final = "% of a core"
MEMORY: Final = "MB resident"
COMMANDS: Final = "commands/s"


def measure(plan: Plan, store: StoreName, server: ServerName) -> list[Result]:
    """Watch an idle server, next to an idle server of the same kind that knows only the echo."""
    if not LINUX:
        raise BenchmarkError("the idle cost is read from /proc, which this system has not")
    jobs = min(JOBS, plan.jobs) if plan.quick else JOBS
    stretch = _QUICK_STRETCH_S if plan.quick else _STRETCH_S
    with (
        actorq_server(plan.folder, store, server, plan.loop) as actorq,
        echo_server(server, plan.loop) as echo,
    ):
        _fill(actorq.port, jobs)
        time.sleep(min(_SETTLE_S, stretch))
        contest = Contest(
            scenario="idle",
            store=store,
            door=f"http, {server}, {plan.loop}",
            shape=f"{jobs:,} delayed jobs",
            subject=Contender("actorq", lambda: _watch_with_store(actorq, store, stretch)),
            floors=(Contender(ECHO, lambda: _watch(echo, stretch)),),
        )
        return hold(contest, min(plan.rounds, _MOST_ROUNDS))


def _fill(port: int, jobs: int) -> None:
    order = Order(
        port=port,
        scenario="enqueue",
        queue=QUEUE,
        shape=Shape(batch=500),
        jobs=jobs,
        delay=_A_DAY_S,
    )
    put_load(order)


def _watch_with_store(
    server: ServerProcess, store: StoreName, stretch: float
) -> Mapping[str, float]:
    """Watch a server, and how many commands it sends to its store, if that counts them."""
    before = commands(store)
    figures = _watch(server, stretch)
    after = commands(store)
    if before is None or after is None:
        return figures
    return {**figures, COMMANDS: (after - before) / stretch}


def _watch(server: ServerProcess, stretch: float) -> Mapping[str, float]:
    return {CPU: server.share_of_a_core(stretch), MEMORY: server.resident_mb()}
