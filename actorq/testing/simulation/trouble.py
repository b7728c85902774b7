"""Trouble: whoever makes it decides what breaks, when, for how long, and mends it again."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Literal, TypeAlias, TypeVar

import anyio
from msgspec.structs import asdict

from actorq.testing.invariants.watch import FaultBegan, FaultEnded

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from actorq.testing.simulation.caller import Caller
    from actorq.testing.simulation.client import Client
    from actorq.testing.simulation.server import Server
    from actorq.testing.simulation.store import SimStore
    from actorq.testing.simulation.worker import Worker
    from actorq.testing.simulation.world import World

    Node = TypeVar("Node", Server, Worker, Client)

Kind: TypeAlias = Literal["kill", "pause", "cut", "restart", "fail_over", "clock_step", "slow"]


class Trouble:
    """Makes trouble until ``heal``. Of one machine it breaks one thing at a time."""

    def __init__(self, world: World, store: SimStore) -> None:
        """Have nobody to trouble yet."""
        self.servers: Sequence[Server] = ()
        self.workers: Sequence[Worker] = ()
        self.clients: Sequence[Client] = ()
        self.made = 0
        """How many faults there were."""
        self._world = world
        self._store = store
        self._numbers = count(1)
        self._busy: set[str] = set()
        self._healing = anyio.Event()
        self._all_mended = anyio.Event()

    async def make(self) -> None:
        """Make trouble, again and again."""
        world = self._world
        shares = {kind: odds for kind, odds in asdict(world.profile.troubles).items() if odds}
        kinds, odds = list(shares), tuple(shares.values())
        while kinds and not self._healing.is_set():
            await self._wait("next trouble in", world.profile.every)
            kind = world.choices.weigh("trouble", odds)
            if kind and not self._healing.is_set():
                cause: Callable[[], Coroutine[object, object, None]] = getattr(
                    self, f"_{kinds[kind - 1]}"
                )
                self._begin(cause)

    async def heal(self) -> None:
        """Make no more trouble, and wait until all that there was is mended."""
        self._healing.set()
        self._store.heal()
        while self._busy:
            self._all_mended = anyio.Event()
            await self._all_mended.wait()

    def kill(self, worker: Worker) -> None:
        """Let a worker die by its own handler, and come back."""
        if worker.name not in self._busy:
            worker.crash()
            self._begin(lambda: self._after_death(worker))

    # ── servers ─────────────────────────────────────────────────────────────────────────────────

    async def _server_crash(self) -> None:
        server = self._pick(self.servers)
        if server is not None:
            await self._during("kill", server.name, server.crash, server.boot)

    async def _server_deploy(self) -> None:
        server = self._pick(self.servers)
        if server is not None:
            await self._during("restart", server.name, server.leave, server.boot)

    async def _server_pause(self) -> None:
        server = self._pick(self.servers)
        if server is not None:
            await self._pause(server)

    async def _server_cut_off(self) -> None:
        server = self._pick(self.servers)
        if server is not None:
            await self._during(
                "cut", server.name, lambda: server.cut(True), lambda: server.cut(False)
            )

    async def _server_clock(self) -> None:
        server = self._pick(self.servers)
        if server is not None:
            most = self._world.profile.clock_error
            ahead = self._world.choices.pick("clock is off by", (0.0, most, -most, most / 60.0))
            await self._during("clock_step", server.name, lambda: server.set_clock(ahead), nothing)

    # ── workers and clients ─────────────────────────────────────────────────────────────────────

    async def _worker_crash(self) -> None:
        await self._crash(self._pick(self.workers))

    async def _worker_deploy(self) -> None:
        worker = self._pick(self.workers)
        if worker is not None:
            await self._during("restart", worker.name, worker.leave, worker.boot)

    async def _worker_pause(self) -> None:
        worker = self._pick(self.workers)
        if worker is not None:
            await self._pause(worker)

    async def _client_crash(self) -> None:
        await self._crash(self._pick(self.clients))

    async def _crash(self, caller: Caller | None) -> None:
        if caller is not None:
            await self._during("kill", caller.name, caller.crash, caller.boot)

    async def _after_death(self, worker: Worker) -> None:
        await self._during("kill", worker.name, nothing, worker.boot)

    # ── the store ───────────────────────────────────────────────────────────────────────────────

    async def _store_cut(self) -> None:
        await self._during("cut", "store", self._store.cut, nothing)

    async def _store_freeze(self) -> None:
        seconds = self._span("store freezes for", self._world.profile.lasts)
        await self._during("slow", "store", lambda: self._store.freeze(seconds), nothing)

    async def _store_restart(self) -> None:
        await self._restart(loses_power=False)

    async def _store_power(self) -> None:
        await self._restart(loses_power=True)

    async def _restart(self, *, loses_power: bool) -> None:
        seconds = self._span("store is away for", self._world.profile.lasts)

        def restart() -> None:
            self._store.restart(seconds, loses_power=loses_power)

        await self._during("restart", "store", restart, nothing)

    async def _store_fail_over(self) -> None:
        lag = self._span("replica lags by", (0.01, self._world.profile.lag))
        split = self._span("two primaries for", (0.01, self._world.profile.lag))

        def fail_over() -> None:
            self._store.fail_over(lag, split)

        await self._during("fail_over", "store", fail_over, nothing)

    async def _store_clock(self) -> None:
        world = self._world
        ahead = world.profile.slack * world.choices.pick("store is ahead by", (0.0, 1.0, 0.5))

        def turn() -> None:
            world.store_offset = ahead

        await self._during("clock_step", "store", turn, nothing)

    # ── how it is made ──────────────────────────────────────────────────────────────────────────

    def _begin(self, cause: Callable[[], Coroutine[object, object, None]]) -> None:
        self._world.start(cause)

    def _pick(self, nodes: Sequence[Node]) -> Node | None:
        free = [node for node in nodes if node.name not in self._busy]
        return self._world.choices.pick("trouble meets", free) if free else None

    async def _pause(self, node: Server | Worker) -> None:
        machine = node.machine
        await self._during("pause", node.name, machine.pause, nothing, machine.go_on)

    async def _during(
        self,
        kind: Kind,
        target: str,
        begin: Callable[[], None],
        end: Callable[[], None],
        then: Callable[[], Coroutine[object, object, None]] | None = None,
    ) -> None:
        """Let a fault begin, last, and end. The store may have several at a time."""
        fault = f"fault-{next(self._numbers)}"
        self.made += 1
        busy = fault if target == "store" else target
        self._busy.add(busy)
        self._record(
            FaultBegan(at=self._at, actor="trouble", fault=fault, kind=kind, targets=(target,))
        )
        begin()
        await self._wait("trouble lasts", self._world.profile.lasts)
        if then is not None:
            await then()
        end()
        self._record(FaultEnded(at=self._at, actor="trouble", fault=fault))
        self._busy.discard(busy)
        self._all_mended.set()

    @property
    def _at(self) -> float:
        return self._world.time()

    def _record(self, event: FaultBegan | FaultEnded) -> None:
        self._world.record(event)

    def _span(self, label: str, bounds: tuple[float, float]) -> float:
        return self._world.choices.span(label, *bounds)

    async def _wait(self, label: str, bounds: tuple[float, float]) -> None:
        """Wait for some time, or until all shall be well."""
        with anyio.move_on_after(self._span(label, bounds)):
            await self._healing.wait()


def nothing() -> None:
    """Do nothing at the end of what mends itself."""
