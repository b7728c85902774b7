"""Lanes in threads of their own, on real loops: a store that blocks, and one that hangs."""

from __future__ import annotations

import threading
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio
import pytest

from actorq import BackendUnavailable, Policy, Status
from actorq.backends.memory import MemoryStore
from actorq.clock import wall_clock
from actorq.runtime import Options, Runtime, running
from tests.unreliable import UnreliableStore

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

GRACE_S = 0.3


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> object:
    """Run on real loops: threads know no virtual time."""
    return request.param


class Gate:
    """Holds up the calls of one verb, in the store's threads, until it is opened."""

    def __init__(self, verb: str) -> None:
        self._verb = verb
        self._open = threading.Event()
        self.reached = threading.Event()

    def __call__(self, verb: str) -> None:
        if verb == self._verb:
            self.reached.set()
            assert self._open.wait(60)

    def open(self) -> None:
        """Let all through."""
        self._open.set()


def make_store() -> UnreliableStore:
    """Make a memory store that is called in threads."""
    return UnreliableStore(MemoryStore(Policy(), wall_clock), threads=True)


@asynccontextmanager
async def run(store: UnreliableStore) -> AsyncGenerator[Runtime]:
    """Run a system with a short grace, in which no actor may crash."""
    crashes: list[str] = []

    def note(actor: str, error: Exception) -> None:
        crashes.append(f"{actor}: {error}")

    async with running(store, Options(grace=GRACE_S), note) as runtime:
        yield runtime
    assert crashes == []


async def test_many_callers_share_the_threads() -> None:
    """Two hundred callers, a few threads, every job done once and every connection let go."""
    store = make_store()
    done: list[str] = []
    async with run(store) as runtime, anyio.create_task_group() as tasks:

        async def work(number: int) -> None:
            await runtime.queue.enqueue("q", str(number))
            job = await runtime.queue.dequeue("q", wait=20)
            assert job is not None
            assert (await runtime.queue.ack(job)).status is Status.COMPLETED
            done.append(job.payload)

        for number in range(200):
            tasks.start_soon(work, number)
    assert sorted(done) == sorted(str(number) for number in range(200))
    assert len(store.trouble.calls) < 400
    assert (store.trouble.connections, store.closed) == (0, 1)


async def test_a_frozen_read_keeps_no_renewal_waiting() -> None:
    """Each role has a lane of its own: a listing that hangs is nobody else's trouble (rule 2)."""
    store = make_store()
    gate = Gate("list_queues")
    async with run(store) as runtime, anyio.create_task_group() as tasks:
        await runtime.queue.enqueue("q", "x")
        job = await runtime.queue.dequeue("q")
        assert job is not None
        store.trouble.before = gate
        tasks.start_soon(runtime.queue.list_queues)
        await anyio.to_thread.run_sync(gate.reached.wait)
        with anyio.fail_after(5):
            await runtime.queue.extend(job)
            await runtime.queue.ack(job)
        gate.open()


async def test_a_store_that_hangs_does_not_keep_the_program_from_ending() -> None:
    """When the grace is over the call is left to its thread, and its caller is told (rule 10)."""
    store = make_store()
    gate = Gate("enqueue")
    told: list[str] = []
    try:
        async with anyio.create_task_group() as tasks:
            with anyio.fail_after(GRACE_S + 5):
                async with run(store) as runtime:
                    queue = runtime.queue

                    async def enqueue() -> None:
                        with pytest.raises(BackendUnavailable):
                            await queue.enqueue("q", "x")
                        told.append("unknown")

                    store.trouble.before = gate
                    tasks.start_soon(enqueue)
                    await anyio.to_thread.run_sync(gate.reached.wait)
        assert told == ["unknown"]
        assert (store.trouble.connections, store.closed) == (1, 1)
        gate.open()
        # The connection is let go as soon as the call is over, not under its feet.
        with anyio.fail_after(5):
            await anyio.to_thread.run_sync(store.trouble.all_closed.wait)
        assert store.trouble.connections == 0
    finally:
        gate.open()


async def test_a_caller_that_leaves_does_not_wait_for_the_store() -> None:
    """Cancelling a call returns at once, and the write happens all the same (rule 2)."""
    store = make_store()
    gate = Gate("enqueue")
    async with run(store) as runtime:
        store.trouble.before = gate
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(runtime.queue.enqueue, "q", "x")
            await anyio.to_thread.run_sync(gate.reached.wait)
            tasks.cancel_scope.cancel()
        gate.open()
        store.trouble.before = None
        with anyio.fail_after(5):
            job = await runtime.queue.dequeue("q", wait=5)
        assert job is not None
        await runtime.queue.ack(job)


async def test_opening_is_not_left_half_done() -> None:
    """A caller that is cancelled while the store opens leaves a store that was closed again."""
    store = make_store()
    gate = Gate("open")
    real = store.open

    def slow_open() -> object:
        gate("open")
        return real()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "open", slow_open)
        async with anyio.create_task_group() as tasks:

            async def live() -> None:
                async with run(store):
                    pytest.fail("it was cancelled before")

            tasks.start_soon(live)
            await anyio.to_thread.run_sync(gate.reached.wait)
            tasks.cancel_scope.cancel()
            gate.open()
    assert store.closed == 1
