"""The scenarios by name, and the doors through which each can be measured."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, get_args

from benchmarks import depth, idle, pick_up
from benchmarks.contest import Contender, Contest, Result, hold
from benchmarks.doors import embedded, http
from benchmarks.floors import sql, verbs, wire
from benchmarks.plan import DoorName, ServerName, Shape, StoreName
from benchmarks.processes import LINUX
from benchmarks.stores import new_store, sqlite_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from benchmarks.contest import Round
    from benchmarks.plan import Plan

RATES: Final = ("enqueue", "claim", "ack", "life")
"""Scenarios that are jobs a second, in every shape."""

OTHERS: Final = ("pick-up", "idle", "depth", "snapshot")

SHAPES: Final[dict[DoorName, tuple[Shape, ...]]] = {
    "embedded": (
        Shape(callers=1),
        Shape(callers=10),
        Shape(callers=100),
        Shape(callers=1_000),
        Shape(batch=100),
        Shape(batch=500),
        Shape(callers=4, batch=100),
    ),
    "http": (
        Shape(callers=1),
        Shape(callers=50),
        Shape(callers=10, batch=100),
    ),
}

STORES: Final[tuple[StoreName, ...]] = get_args(StoreName)
DOORS: Final[tuple[DoorName, ...]] = get_args(DoorName)
SERVERS: Final[tuple[ServerName, ...]] = get_args(ServerName)

FLOOR_BATCH: Final = 100
SQL_IN_BATCHES: Final = f"bare SQL, batches of {FLOOR_BATCH}"
SQL_ONE_BY_ONE: Final = "bare SQL, one commit a job"

CONNECTIONS: Final = 25
BARE_IN_BATCHES: Final = f"bare messages, batches of {FLOOR_BATCH}"
BARE_ONE_BY_ONE: Final = f"bare messages, a job each, {CONNECTIONS} connections"

_ONE_BY_ONE: Final = 500
"""Jobs of a floor that commits each by itself: enough for a rate, and it is slow."""

_PICK_UPS: Final = 200


class Selection:
    """What the command line chose: every combination of it that makes sense."""

    def __init__(
        self,
        scenarios: tuple[str, ...],
        stores: tuple[StoreName, ...],
        doors: tuple[DoorName, ...],
        servers: tuple[ServerName, ...],
    ) -> None:
        """Take the chosen names; an empty choice of a kind means all of it."""
        self._scenarios = scenarios or (*RATES, *OTHERS)
        self._stores = stores or STORES
        self._doors = doors or DOORS
        self._servers = servers or SERVERS

    def measures(self, plan: Plan) -> Iterator[Callable[[], list[Result]]]:
        """Yield what is to be measured, one call each."""
        for scenario in self._scenarios:
            for store in self._stores:
                for door in self._doors:
                    yield from self._through(plan, scenario, store, door)

    def _through(
        self, plan: Plan, scenario: str, store: StoreName, door: DoorName
    ) -> Iterator[Callable[[], list[Result]]]:
        servers: list[ServerName] = [
            server for server in self._servers if plan.loop in _LOOPS[server]
        ]
        match scenario, door:
            case "pick-up", "embedded":
                # Nobody else hears of jobs that are kept in memory.
                for apart in (False,) if store == "memory" else (False, True):
                    yield partial(measure_pick_up, plan, store, apart=apart)
            case "depth", "embedded" if store != "memory":
                yield partial(depth.measure, plan, store)
            case "snapshot", "embedded" if store == "postgres":
                # Its driver is needed only by whom asks for it.
                from benchmarks import snapshot

                yield partial(snapshot.measure, plan)
            case "idle", "http" if LINUX:
                for server in servers:
                    yield partial(idle.measure, plan, store, server)
            case name, _ if name in RATES:
                yield from self._rates(plan, name, store, door, servers)
            case _:
                return

    def _rates(
        self,
        plan: Plan,
        scenario: str,
        store: StoreName,
        door: DoorName,
        servers: list[ServerName],
    ) -> Iterator[Callable[[], list[Result]]]:
        for shape in SHAPES[door]:
            if door == "embedded":
                yield partial(measure_rate, plan, scenario, store, shape)
            else:
                for server in servers:
                    yield partial(http.measure, plan, scenario, store, server, shape)


_LOOPS: Final[dict[ServerName, tuple[str, ...]]] = {
    "hypercorn": ("asyncio", "trio"),
    "uvicorn": ("asyncio",),
}


def measure_rate(plan: Plan, scenario: str, store: StoreName, shape: Shape) -> list[Result]:
    """Measure a scenario through the embedded door, next to its floors."""
    contest = Contest(
        scenario=scenario,
        store=store,
        door=f"embedded, {plan.loop}",
        shape=str(shape),
        subject=Contender("actorq", embedded_round(plan, scenario, store, shape)),
        floors=tuple(_rate_floors(plan, scenario, store, shape)),
    )
    return hold(contest, plan.rounds)


def measure_pick_up(plan: Plan, store: StoreName, *, apart: bool = False) -> list[Result]:
    """Measure the pick-up latency; its floor is two commits, a write and a claim, in one thread.

    ``apart``: jobs are enqueued at one server, and the consumer waits at another.
    """
    jobs = min(_PICK_UPS, plan.jobs)

    def run() -> Mapping[str, float]:
        with new_store(plan.folder, store) as url:
            return pick_up.latency(url, jobs, plan.loop, apart=apart)

    def bare() -> Mapping[str, float]:
        with sqlite_file(plan.folder) as path:
            return pick_up.percentiles(sql.pick_ups(path, jobs))

    floors = (Contender(SQL_ONE_BY_ONE, bare),) if store == "sqlite" else ()
    contest = Contest(
        scenario="pick-up",
        store=store,
        door=f"embedded, {plan.loop}",
        shape="idle consumer, another server" if apart else "idle consumer",
        subject=Contender("actorq", run),
        floors=floors,
    )
    return hold(contest, plan.rounds)


def embedded_round(plan: Plan, scenario: str, store: StoreName, shape: Shape) -> Round:
    """Return a round of a scenario through the embedded door, on a new store each time."""

    def run() -> Mapping[str, float]:
        with new_store(plan.folder, store) as url:
            jobs = plan.jobs_of(shape)
            return {"jobs/s": embedded.rate(url, scenario, shape, jobs, plan.loop)}

    return run


def _rate_floors(plan: Plan, scenario: str, store: StoreName, shape: Shape) -> Iterator[Contender]:
    batch = FLOOR_BATCH if shape.batch == 1 else shape.batch
    sizes = Shape(batch=batch).sizes(plan.jobs)
    ones = Shape().sizes(min(plan.jobs, _ONE_BY_ONE))
    if store == "sqlite":
        yield Contender(f"bare SQL, batches of {batch}", _sql(plan, scenario, sizes))
        if shape.batch == 1:
            yield Contender(SQL_ONE_BY_ONE, _sql(plan, scenario, ones))
    if store in {"postgres", "redis"}:
        yield Contender(f"bare messages, batches of {batch}", _wire(plan, scenario, store, sizes))
        if shape.batch == 1 and scenario == "enqueue":
            bare = _wire(plan, scenario, store, ones, CONNECTIONS)
            yield Contender(BARE_ONE_BY_ONE, bare)
    yield Contender(f"store alone, batches of {batch}", _verbs(plan, scenario, store, sizes))


def _sql(plan: Plan, scenario: str, sizes: list[int]) -> Round:
    def run() -> Mapping[str, float]:
        with sqlite_file(plan.folder) as path:
            return {"jobs/s": sql.rate(path, scenario, sizes)}

    return run


def _wire(
    plan: Plan, scenario: str, store: StoreName, sizes: list[int], connections: int = 1
) -> Round:
    def run() -> Mapping[str, float]:
        place = partial(new_store, plan.folder, store)
        return {"jobs/s": wire.rate(place, scenario, sizes, connections)}

    return run


def _verbs(plan: Plan, scenario: str, store: StoreName, sizes: list[int]) -> Round:
    def run() -> Mapping[str, float]:
        with new_store(plan.folder, store) as url:
            return {"jobs/s": verbs.rate(url, scenario, sizes)}

    return run
