"""A whole system for tests: the real runtime on a memory store that fails when it is told to."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import anyio
from msgspec.structs import replace

from actorq.backends.memory import MemoryStore
from actorq.core.commands import ListJobs
from actorq.core.instants import to_us
from actorq.core.policy import Policy
from actorq.core.transitions import Status
from actorq.runtime import Options, running
from actorq.testing.clock import START_US
from actorq.testing.conformance.audit import audit, list_all
from tests.unreliable import UnreliableStore

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from actorq.core.job import Job
    from actorq.runtime import Runtime

QUIET_S: Final = 15.0
"""Virtual seconds after which all that the actors still had to do is done."""


def virtual_clock() -> int:
    """Return the instant of a store whose clock runs with the event loop's."""
    return START_US + to_us(anyio.current_time())


class House:
    """What a test sees of the system: its face, the store's troubles, and the store itself."""

    def __init__(self, memory: MemoryStore, store: UnreliableStore, crashes: list[str]) -> None:
        self.store = store
        self.trouble = store.trouble
        self.backend = memory.connect()
        self.crashes = crashes
        self.runtime: Runtime

    def move_in(self, runtime: Runtime) -> None:
        """Take over the running system."""
        self.runtime = runtime
        self.queue = runtime.queue

    def job(self, job_id: str) -> Job:
        """Return a job as the store has it."""
        (job,) = self.backend.get_job([job_id])
        assert job is not None
        return job

    def jobs(self, *statuses: Status) -> list[Job]:
        """Return all jobs of these statuses, or all."""
        return list_all(self.backend, ListJobs(statuses=frozenset(statuses), limit=200))

    async def balance(self, *held: Job) -> None:
        """Wait until all is quiet; then check the books, and that nobody but ``held`` is running."""
        await anyio.sleep(QUIET_S)
        audit(self.backend)
        assert {job.id for job in self.jobs(Status.RUNNING)} == {job.id for job in held}

    async def works(self) -> None:
        """Check that the queue still does what it is for."""
        made = await self.queue.enqueue("check", "x")
        taken = await self.queue.dequeue("check", wait=1.0)
        assert taken is not None
        assert taken.id == made.id
        assert (await self.queue.ack(taken)).status is Status.COMPLETED


@asynccontextmanager
async def open_house(
    policy: Policy | None = None, *, options: Options | None = None, may_crash: bool = False
) -> AsyncGenerator[House]:
    """Run a system on a memory store whose clock is the loop's."""
    chosen = replace(options or Options(), clock=virtual_clock, policy=policy or Policy())
    memory = MemoryStore(chosen.policy, virtual_clock)
    store = UnreliableStore(memory)
    crashes: list[str] = []
    house = House(memory, store, crashes)

    def note(actor: str, error: Exception) -> None:
        crashes.append(f"{actor}: {error}")

    async with running(store, chosen, note) as runtime:
        house.move_in(runtime)
        yield house
    assert may_crash or not crashes
    assert store.trouble.connections == 0
    assert store.closed == 1
