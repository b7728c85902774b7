"""A bug in an actor: told to those in flight, logged once, mended by a fresh start (rule 5)."""

from __future__ import annotations

import anyio
import pytest

from actorq import BackendUnavailable, InternalError, Status
from actorq.actors.actor import MAX_RESTARTS, RESTART_WINDOW_S
from actorq.clock import mint_token
from actorq.runtime import Options
from tests.system.house import open_house


class Bomb:
    """A source of tokens that fails as often as it is told to: the lease manager crashes by it."""

    def __init__(self) -> None:
        self.charges = 0

    def __call__(self) -> str:
        if self.charges:
            self.charges -= 1
            raise ValueError("boom")
        return mint_token()


async def test_a_crash_fails_those_in_flight_and_nobody_else() -> None:
    """Its callers get InternalError at once; the actor starts anew, and the jobs are all there."""
    bomb = Bomb()
    async with open_house(options=Options(mint_token=bomb), may_crash=True) as house:
        failed: list[str] = []

        async def wait(name: str) -> None:
            with pytest.raises(InternalError):
                await house.queue.dequeue("q", wait=60)
            failed.append(name)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(wait, "first")
            tasks.start_soon(wait, "second")
            await anyio.sleep(1)
            bomb.charges = 1
            await house.queue.enqueue("q", "x")
        assert sorted(failed) == ["first", "second"]
        assert house.crashes == ["lease-manager:q: boom"]

        job = await house.queue.dequeue("q", wait=5)
        assert job is not None
        assert job.attempt == 1
        await house.queue.ack(job)
        await house.works()
        await house.balance()


async def test_a_few_crashes_a_minute_are_survived() -> None:
    """Five restarts in a minute are mended, and after a quiet minute five more (rule 5)."""
    bomb = Bomb()
    async with open_house(options=Options(mint_token=bomb), may_crash=True) as house:
        for _ in range(3):
            for _ in range(MAX_RESTARTS):
                bomb.charges = 1
                with pytest.raises(InternalError):
                    await house.queue.dequeue("q", wait=5)
            await anyio.sleep(RESTART_WINDOW_S - 3.0)
            # Still the same lease manager: a consumer waits.
            await house.queue.dequeue("q", wait=3.5)
        assert len(house.crashes) == 3 * MAX_RESTARTS
        await house.works()


async def test_too_many_crashes_end_the_system_and_nobody_hangs() -> None:
    """The sixth crash in a minute leaves as an exception; whoever still waits is told (rule 5)."""
    bomb = Bomb()
    told: list[str] = []

    async def live() -> None:
        async with (
            anyio.create_task_group() as tasks,
            open_house(options=Options(mint_token=bomb), may_crash=True) as house,
        ):

            async def wait() -> None:
                try:
                    await house.queue.dequeue("quiet", wait=600)
                except BackendUnavailable as error:
                    told.append(str(error))

            tasks.start_soon(wait)
            await anyio.sleep(1)
            bomb.charges = MAX_RESTARTS + 1
            for _ in range(MAX_RESTARTS + 1):
                with pytest.raises(InternalError):
                    await house.queue.dequeue("q", wait=5)
            start = anyio.current_time()
            try:
                await anyio.sleep(600)
            finally:
                assert anyio.current_time() - start < 1.0

    with pytest.raises(BaseExceptionGroup) as caught:
        await live()
    assert caught.group_contains(ValueError, match="boom")
    assert len(told) == 1


async def test_a_call_after_the_end_is_refused() -> None:
    """A face that outlives its system refuses, and does not hang."""
    async with open_house() as house:
        queue = house.queue
        job = await queue.enqueue("q", "x")
        held = await queue.dequeue("q")
        assert held is not None
        was_draining = queue.draining
    assert (was_draining, queue.draining) == (False, True)
    for call in (
        lambda: queue.enqueue("q", "y"),
        lambda: queue.dequeue("q", wait=5),
        lambda: queue.ack(held),
        lambda: queue.wait_for_change(job.id, 0, 5),
        lambda: queue.check(),
    ):
        with pytest.raises(Exception, match="shutting down") as caught:
            await call()
        assert getattr(caught.value, "code", "") == "shutting_down"
    assert house.job(job.id).status is Status.RUNNING
