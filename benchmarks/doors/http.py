"""The HTTP door: scenarios on ``actorq serve``, and the same requests on the echo beside it."""

from __future__ import annotations

import itertools
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import msgspec

from benchmarks.contest import BenchmarkError, Contender, Contest, Result, hold
from benchmarks.load import Order, Outcome
from benchmarks.plan import Shape
from benchmarks.processes import ServerProcess, environment
from benchmarks.stores import new_store

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from pathlib import Path

    from benchmarks.plan import LoopName, Plan, ServerName, StoreName

ECHO: Final = "echo route"
_WARM_UP: Final = 200
_numbers = itertools.count()


class Pair:
    """An actorq server and an echo server of the same kind, both up while they are measured."""

    def __init__(self, actorq: ServerProcess, echo: ServerProcess) -> None:
        """Take both, running."""
        self._actorq = actorq
        self._echo = echo

    def load(self, scenario: str, shape: Shape, jobs: int, *, is_echo: bool) -> Outcome:
        """Put the load on one of them, from a process of its own."""
        order = Order(
            port=(self._echo if is_echo else self._actorq).port,
            scenario=scenario,
            queue=f"bench-{next(_numbers)}",
            shape=shape,
            jobs=jobs,
            is_echo=is_echo,
        )
        return put_load(order)


def put_load(order: Order) -> Outcome:
    """Run the load in a process of its own; return its outcome."""
    done = subprocess.run(  # noqa: S603 - the command is the benchmark's own
        [sys.executable, "-m", "benchmarks.load", msgspec.json.encode(order).decode()],
        env=environment({}),
        stdout=subprocess.PIPE,
        check=False,
    )
    if done.returncode:
        raise BenchmarkError("the load failed: its error stands above")
    return msgspec.json.decode(done.stdout, type=Outcome)


@contextmanager
def actorq_server(
    folder: Path, store: StoreName, server: ServerName, loop: LoopName
) -> Generator[ServerProcess]:
    """Run ``actorq serve`` on a new store, for the block."""
    with (
        new_store(folder, store) as url,
        ServerProcess(
            *("-m", "actorq", "serve"), settings=_settings(url, store, server, loop)
        ) as process,
    ):
        yield process


def _settings(url: str, store: StoreName, server: ServerName, loop: LoopName) -> dict[str, str]:
    settings: dict[str, str] = {"BACKEND": store, "HTTP_SERVER": server, "EVENT_LOOP": loop}
    match store:
        case "memory":
            return settings
        case "sqlite":
            return {**settings, "SQLITE_PATH": url.removeprefix("sqlite:///")}
        case "postgres":
            return {**settings, "POSTGRES_DSN": url}
        case "redis":
            return {**settings, "REDIS_URL": url}


@contextmanager
def pair(folder: Path, store: StoreName, server: ServerName, loop: LoopName) -> Generator[Pair]:
    """Run an actorq server and its echo, for the block."""
    with actorq_server(folder, store, server, loop) as actorq, echo_server(server, loop) as echo:
        yield Pair(actorq, echo)


def echo_server(server: ServerName, loop: LoopName) -> ServerProcess:
    """Return a server that knows only the echo, to be run as a block."""
    settings: dict[str, str] = {"HTTP_SERVER": server, "EVENT_LOOP": loop}
    return ServerProcess("-m", "benchmarks.floors.echo", settings=settings)


def measure(
    plan: Plan, scenario: str, store: StoreName, server: ServerName, shape: Shape
) -> list[Result]:
    """Measure one scenario next to the echo, both warmed up before the first round."""
    with pair(plan.folder, store, server, plan.loop) as both:
        jobs = plan.jobs_of(shape)

        def run(count: int, *, is_echo: bool) -> Mapping[str, float]:
            outcome = both.load(scenario, shape, count, is_echo=is_echo)
            return {"jobs/s": outcome.rate, "ms p50": outcome.p50_ms, "ms p99": outcome.p99_ms}

        for is_echo in (False, True):
            run(min(jobs, _WARM_UP * shape.batch), is_echo=is_echo)
        contest = Contest(
            scenario=scenario,
            store=store,
            door=f"http, {server}, {plan.loop}",
            shape=str(shape),
            subject=Contender("actorq", lambda: run(jobs, is_echo=False)),
            floors=(Contender(ECHO, lambda: run(jobs, is_echo=True)),),
        )
        return hold(contest, plan.rounds)
