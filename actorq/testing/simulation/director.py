"""The director: builds a world, lets it run through trouble, heals it, and waits for the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import anyio

from actorq.backends.memory.connection import MemoryBackend
from actorq.cast import Cast
from actorq.core.queue import QueueEdit
from actorq.core.transitions import LIVE
from actorq.testing.invariants import events as e
from actorq.testing.simulation.aftermath import Inspector
from actorq.testing.simulation.client import Client
from actorq.testing.simulation.guard import guarded
from actorq.testing.simulation.planner import Planner
from actorq.testing.simulation.profiles import FORGETFUL
from actorq.testing.simulation.server import Server
from actorq.testing.simulation.store import Engine, SimStore
from actorq.testing.simulation.trouble import Trouble
from actorq.testing.simulation.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from actorq.testing.simulation.world import World

LOOK_S: Final = 0.25
"""Seconds between two looks whether all is over."""

STARTING_S: Final = 10.0
"""Virtual seconds in which every server must be up, once all is well."""

STOPPING_S: Final = 10.0
"""Virtual seconds in which everybody must have stopped, once asked to."""


class Parts(NamedTuple):
    """What a world is made of; a test that plants a bug hands in another class."""

    cast: Cast = Cast()
    engine: type[Engine] = Engine


class Director:
    """Runs one world from its beginning to its end."""

    def __init__(self, world: World, parts: Parts) -> None:
        """Draw how large the world is, and make everybody."""
        self.world = world
        choices, profile = world.choices, world.profile
        self._policy = choices.pick("policy", profile.policies)
        self._store = SimStore(
            world,
            choices,
            self._policy,
            profile.odds,
            lag=profile.lag,
            engine=parts.engine,
        )
        self.trouble = Trouble(world, self._store)
        self._servers = [
            Server(world, self._store, self._policy, parts.cast, f"server-{number}")
            for number in range(self._some("servers", profile.servers))
        ]
        self._workers = [
            Worker(world, f"worker-{number}", self._servers, self.trouble.kill)
            for number in range(self._some("workers", profile.workers))
        ]
        clients = self._some("clients", profile.clients)
        calls = self._some("calls", profile.calls) // clients
        self._clients = [
            Client(world, self._policy, f"client-{number}", self._servers, calls)
            for number in range(clients)
        ]
        self._planners: list[Planner] = []
        if choices.chance("schedule", profile.schedule):
            self._planners.append(Planner(world, "planner", self._servers))
        self._heard_from = 0.0
        self._inspector = Inspector(world, "inspector", self._servers)
        self.trouble.servers = self._servers
        self.trouble.workers = self._workers
        self.trouble.clients = self._clients

    @property
    def met(self) -> dict[str, int]:
        """How often the store met with what."""
        return dict(self._store.met)

    def _some(self, label: str, bounds: tuple[int, int]) -> int:
        least, most = bounds
        return least + self.world.choices.choose(label, most - least + 1)

    async def run(self) -> None:
        """Let the world go on until all is over."""
        world = self.world
        low, high = world.profile.seconds
        async with anyio.create_task_group() as world.tasks:
            try:
                with guarded():
                    self._open()
                    world.start(self.trouble.make)
                    seconds = low + (high - low) * world.choices.choose("seconds", 8) / 8
                    await anyio.sleep(seconds)
                    await self._heal()
                    await self._wait_for_ends()
                    await self._close()
            finally:
                world.order.release()
                world.tasks.cancel_scope.cancel()

    def _open(self) -> None:
        world, profile, choices = self.world, self.world.profile, self.world.choices
        world.record(self._terms())
        settings = MemoryBackend(self._store.data)
        for name in profile.queues:
            edit = QueueEdit(
                queue_name=name,
                max_running=choices.pick("max running", profile.max_running),
                max_depth=choices.pick("max depth", profile.max_depth),
            )
            settings.update_queue([edit])
        for server in self._servers:
            server.offset = profile.clock_error * choices.pick("clock", (0.0, 1.0, -1.0, 0.01))
        for server in self._servers:
            server.boot()
        for caller in (*self._workers, *self._clients, *self._planners):
            caller.boot()

    def _terms(self) -> e.Terms:
        policy, profile = self._policy, self.world.profile
        kept = policy.retention
        keeps = min(kept.completed, kept.dead, kept.cancelled)
        return e.Terms(
            at=self.world.time(),
            actor="director",
            max_expiries=policy.max_expiries,
            max_interruptions=policy.max_interruptions,
            max_extension=policy.max_extension,
            idempotency_ttl=policy.idempotency_ttl,
            slack=profile.slack,
            recovery=profile.recovery,
            lateness=profile.lateness,
            keeps=keeps,
            hand_back=profile.hand_back,
            skew=profile.skew,
        )

    async def _heal(self) -> None:
        world = self.world
        world.healed = True
        if world.profile.has_store_trouble:
            # A lane that waits for a store which fell silent goes on with what gathered meanwhile.
            self._heard_from = world.time() + world.profile.odds.silence + LOOK_S
        await self.trouble.heal()
        await self._until(
            lambda: all(server.queue is not None for server in self._servers), STARTING_S
        )
        await self._inspector.resume(world.profile.queues)
        world.record(e.Healed(at=world.time(), actor="director"))

    async def _wait_for_ends(self) -> None:
        """Wait until no job lives any more, at most for as long as that may take."""
        await self._until(self._is_over, self.world.profile.recovery)

    def _is_over(self) -> bool:
        if self._store.expected or self.world.time() < self._heard_from:
            return False
        if any(caller.machine.alive() for caller in (*self._clients, *self._planners)):
            return False
        if self._store.data.timetable.next_due() is not None:
            return False
        return not any(job.status in LIVE for job in self._store.data.jobs.values())

    async def _close(self) -> None:
        """Stop the workers, count everything, stop the servers."""
        for worker in self._workers:
            worker.leave()
        await self._gone(self._workers)
        if self._policy is not FORGETFUL:
            # Where ended jobs are pruned, the figures never stand still.
            self.world.record(e.Quiet(at=self.world.time(), actor="director"))
        await self._inspector.audit(self.world.profile.queues)
        for server in self._servers:
            server.leave()
        await self._gone(self._servers)

    async def _gone(self, nodes: Sequence[Server] | Sequence[Worker]) -> None:
        if not await self._until(lambda: not _running(nodes), STOPPING_S):
            error = TimeoutError(f"{_running(nodes)} did not stop")
            self.world.note_bug("stopping", error)

    async def _until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait until a condition holds, or for so long; tell whether it does."""
        until = self.world.time() + seconds
        while self.world.time() <= until:
            if condition():
                return True
            await anyio.sleep(LOOK_S)
        return False


def _running(nodes: Sequence[Server] | Sequence[Worker]) -> list[str]:
    return [node.name for node in nodes if node.machine.alive()]
