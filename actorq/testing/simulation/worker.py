"""A worker: takes jobs from a server, renews their leases, and runs handlers of chosen fates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import anyio

from actorq.testing.invariants import events as e
from actorq.testing.simulation.caller import IN_DOUBT, NOT_DONE, Caller, code_of
from actorq.testing.simulation.handler import Handler
from actorq.testing.simulation.held import Held
from actorq.testing.simulation.planner import ticked
from actorq.testing.simulation.renewing import renew
from actorq.testing.simulation.settling import settle
from actorq.testing.simulation.views import taken

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from anyio.abc import TaskGroup

    from actorq.core.job import Job
    from actorq.core.results import Claimed
    from actorq.face import JobQueue
    from actorq.testing.simulation.server import Server
    from actorq.testing.simulation.world import World

RENEWALS: Final = 3
"""How many times within a lease a worker tries to renew it."""


class Worker(Caller):
    """Works on all queues in turn, with a few jobs at most in its hands.

    ``die`` is what a handler calls that takes its whole machine along.
    """

    def __init__(
        self, world: World, name: str, servers: Sequence[Server], die: Callable[[Worker], None]
    ) -> None:
        """Draw what kind of worker it is."""
        super().__init__(world, name, servers)
        choices, profile = world.choices, world.profile
        self.leaving = False
        """Whether it takes nothing new, and hands back what it has."""
        self._die = die
        self._slots = 1 + choices.choose(f"{name} slots", profile.slots)
        self._visibility = choices.pick(f"{name} visibility", profile.visibility_timeouts)
        self._renews = not choices.chance(f"{name} is lazy", profile.lazy_worker)
        self._turn = choices.choose(f"{name} queue", len(profile.queues))
        self._handler = Handler(self)
        self._held: dict[Held, None] = {}
        self._freed = anyio.Event()

    def boot(self) -> None:
        """Start a new life, with empty hands; the last one ends here, if it has not."""
        if self.machine.alive():
            self.crash()
        self.leaving = False
        self._held = {}
        self._freed = anyio.Event()
        super().boot()

    def die(self) -> None:
        """Lose the machine by a handler's doing."""
        self._die(self)

    def leave(self) -> None:
        """Take no more jobs, hand back those which are not done, and end: a deploy."""
        self.leaving = True
        for held in self._held:
            held.stop()
        self._freed.set()

    async def live(self) -> None:
        """Take jobs and work on them, until ``leave``."""
        async with anyio.create_task_group() as tasks:
            if self._renews:
                tasks.start_soon(self._keep_renewing)
            while not self.leaving:
                await self._take(tasks)
            while self._held:
                await self._wait_for_room()
            tasks.cancel_scope.cancel()

    # ── taking and working ──────────────────────────────────────────────────────────────────────

    async def _take(self, tasks: TaskGroup) -> None:
        free = self._slots - len(self._held)
        if free <= 0:
            await self._wait_for_room()
            return
        queues = self.world.profile.queues
        self._turn = (self._turn + 1) % len(queues)
        sent_at = self.at
        for job in await self._claim(queues[self._turn], free):
            held = Held(job, sent_at)
            self._held[held] = None
            if self.leaving:
                held.stop()
            tasks.start_soon(self._work, held)

    async def _wait_for_room(self) -> None:
        self._freed = anyio.Event()
        await self._freed.wait()

    async def _claim(self, queue_name: str, slots: int) -> Sequence[Job]:
        world, name = self.world, self.name
        call = world.call_name()
        wait = world.choices.pick(f"{name} wait", world.profile.waits)
        self.record(
            e.Claim(
                at=self.at,
                actor=name,
                call=call,
                queue=queue_name,
                slots=slots,
                wait=wait,
                visibility=self._visibility,
            )
        )

        async def dequeue(queue: JobQueue) -> Claimed:
            seconds = self._visibility
            return await queue.dequeue_many(
                queue_name, slots, worker_id=name, visibility_timeout=seconds, wait=wait
            )

        try:
            claimed = await self.ask(dequeue, wait=wait)
        except IN_DOUBT:
            self.record(e.Unknown(at=self.at, actor=name, call=call))
            await self.rest()
            return ()
        except NOT_DONE as error:
            self.record(e.Refused(at=self.at, actor=name, call=call, code=code_of(error)))
            await self.rest()
            return ()
        jobs = tuple(taken(job) for job in claimed.jobs)
        self.record(e.Claimed(at=self.at, actor=name, call=call, jobs=jobs, paused=claimed.paused))
        for event in ticked(self.at, name, claimed.jobs):
            self.record(event)
        if not jobs and (claimed.paused or not wait):
            await self.rest()
        return claimed.jobs

    async def _work(self, held: Held) -> None:
        try:
            item = await self._handler.run(held)
            if item is not None:
                await settle(self, item)
        finally:
            self._held.pop(held, None)
            self._freed.set()

    # ── renewing ────────────────────────────────────────────────────────────────────────────────

    async def _keep_renewing(self) -> None:
        while True:
            await anyio.sleep(self._visibility / RENEWALS)
            for held in self._held:
                if held.deadline <= self.at:
                    held.stop()
            working = [held for held in self._held if not held.stopped]
            if working:
                await renew(self, working, self._visibility)
