"""Leases in a worker's hands: renewed in time, given up in time, never settled too late."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict, Unpack

import anyio
import pytest

from actorq import Delivery, Policy, Status
from actorq.core.job import DeadReason, ErrorKind
from actorq.sdk.embedded import EmbeddedDoor
from tests.sdk.worker.shop import Shop, open_shop

if TYPE_CHECKING:
    from actorq import Claimed

LEASE_S = 6.0
SHORT = Policy(visibility_timeout=LEASE_S)


async def test_long_jobs_keep_their_leases_in_one_call() -> None:
    """Renewed at a third of the lease, all in one call, for as long as they run (§4)."""
    async with open_shop(SHORT) as shop:

        @shop.app.task
        async def work() -> None:
            await anyio.sleep(10 * LEASE_S)

        ids = await shop.order("work", 30)
        async with shop.hire(concurrency=30):
            jobs = [await shop.ended(job_id) for job_id in ids]
        assert {(job.status, job.attempt) for job in jobs} == {(Status.COMPLETED, 1)}
        sizes = shop.house.trouble.sizes("extend")
        assert set(sizes) == {30}
        assert 28 <= len(sizes) <= 31


class Interrupted:
    """What became of a handler: how it ended, and when."""

    def __init__(self) -> None:
        self.ended_at = 0.0
        self.runs = 0
        self.was_cancelled = False


def add_sleeper(shop: Shop, seconds: float = 1_000.0) -> Interrupted:
    """Add a task that sleeps, once; its second run returns at once."""
    story = Interrupted()

    @shop.app.task
    async def work() -> str:
        story.runs += 1
        if story.runs > 1:
            return "again"
        try:
            await anyio.sleep(seconds)
        except anyio.get_cancelled_exc_class():
            story.was_cancelled = True
            raise
        finally:
            story.ended_at = anyio.current_time()
        return "slept"

    return story


async def test_a_job_that_somebody_cancels_is_stopped() -> None:
    """Its own scope alone, at the next renewal; it ends cancelled, and no failure is recorded (I8)."""
    async with open_shop(SHORT) as shop:
        story = add_sleeper(shop)
        (job_id,) = await shop.order("work")
        async with shop.hire():
            await anyio.sleep(1.0)
            await shop.queue.cancel(job_id)
            cancelled_at = anyio.current_time()
            job = await shop.ended(job_id)
        assert (job.status, job.errors, story.was_cancelled) == (Status.CANCELLED, (), True)
        assert story.ended_at - cancelled_at <= LEASE_S / 3 + 0.1
        await shop.house.balance()


async def test_a_lease_that_was_lost_stops_its_handler_and_no_other() -> None:
    """The job is another's: nothing is told of it, and its neighbours go on (§4, I6, I8)."""
    async with open_shop(SHORT) as shop:
        story = add_sleeper(shop)

        @shop.app.task
        async def other() -> str:
            await anyio.sleep(3 * LEASE_S)
            return "done"

        (neighbour,) = await shop.order("other")
        async with shop.hire():
            (lost,) = await shop.order("work")
            await anyio.sleep(0.5)
            # Somebody settles the current lease, whoever holds it, and another takes the job.
            await shop.queue.release(lost, delay=60.0)
            assert (await shop.ended(neighbour)).result == '"done"'
            assert story.was_cancelled
            settled = shop.house.trouble.count("release") + shop.house.trouble.count("fail")
            assert settled == 1
            job = await shop.ended(lost)
        assert (job.result, job.errors, job.attempt) == ('"again"', (), 2)
        await shop.house.balance()


async def test_a_handler_that_ends_after_its_lease_is_refused() -> None:
    """Its late ack changes nothing, and the next attempt's counts: never two (I6)."""
    async with open_shop(SHORT) as shop:
        story = Interrupted()

        @shop.app.task
        async def work() -> int:
            story.runs += 1
            if story.runs == 1:
                await shop.queue.release(job_id, delay=1.0)
                # Within the same turn of the loop: nobody has told this handler yet.
            return story.runs

        (job_id,) = await shop.order("work")
        async with shop.hire():
            job = await shop.ended(job_id)
            await anyio.sleep(LEASE_S)
        assert (job.result, job.attempt, job.errors) == ("2", 2, ())
        await shop.house.balance()


async def test_a_store_that_is_away_longer_than_the_lease_ends_the_work() -> None:
    """By the holder's own count, when nobody can say whose the job is; it is done again later (I8)."""
    async with open_shop(SHORT) as shop:
        story = add_sleeper(shop)
        (job_id,) = await shop.order("work")
        async with shop.hire():
            await anyio.sleep(1.0)
            shop.house.trouble.away = True
            away_at = anyio.current_time()
            await anyio.sleep(3 * LEASE_S)
            assert story.was_cancelled
            assert LEASE_S - 2.0 <= story.ended_at - away_at <= LEASE_S
            shop.house.trouble.away = False
            job = await shop.ended(job_id)
        assert (job.status, job.result) == (Status.COMPLETED, '"again"')
        assert {error.kind for error in job.errors} <= {ErrorKind.LEASE_EXPIRED}
        await shop.house.balance()


async def test_a_store_that_is_away_for_less_is_not_noticed_by_handlers() -> None:
    """The renewal is tried again until it is answered."""
    async with open_shop(SHORT) as shop:
        story = add_sleeper(shop, 2 * LEASE_S)
        (job_id,) = await shop.order("work")
        async with shop.hire():
            await anyio.sleep(1.0)
            shop.house.trouble.away = True
            await anyio.sleep(LEASE_S / 2)
            shop.house.trouble.away = False
            job = await shop.ended(job_id)
        assert (job.result, job.attempt, story.was_cancelled) == ('"slept"', 1, False)


class SlowDoor(EmbeddedDoor):
    """A door whose first answer to a claim takes its time."""

    def __init__(self, shop: Shop, delay: float) -> None:
        super().__init__(shop.queue)
        self._delay = delay

    async def dequeue(self, queue_name: str, **wishes: Unpack[Wishes]) -> Claimed:
        """Claim at once, and answer later."""
        claimed = await super().dequeue(queue_name, **wishes)
        delay, self._delay = self._delay, 0.0
        await anyio.sleep(delay)
        return claimed


class Wishes(TypedDict):
    """What a worker says with a claim."""

    worker_id: str
    slots: int
    visibility_timeout: float | None
    wait: float


@pytest.mark.parametrize(
    ("delay", "attempt", "expiries", "renewals"),
    [(0.0, 1, 0, 0), (LEASE_S / 2, 1, 0, 1), (LEASE_S + 1.0, 2, 1, 1)],
)
async def test_an_answer_that_came_late_is_not_trusted(
    delay: float, attempt: int, expiries: int, renewals: int
) -> None:
    """A claim counts from when it was sent: what is due is renewed first, what is lost never starts."""
    async with open_shop(SHORT) as shop:
        story = add_sleeper(shop, 0.5)
        (job_id,) = await shop.order("work")
        async with shop.app.worker(SlowDoor(shop, delay), renewal="loop"):
            job = await shop.ended(job_id)
        assert (job.result, story.runs) == ('"slept"', 1)
        assert (job.attempt, job.expiries) == (attempt, expiries)
        assert shop.house.trouble.count("extend") == renewals
        await shop.house.balance()


@pytest.mark.parametrize("is_once", [False, True])
async def test_at_most_once_jobs_run_once_whatever_happens(*, is_once: bool) -> None:
    """Interrupted by its worker's end, such a job is dead, by its lease, and nothing else (I4, I8)."""
    delivery = Delivery.AT_MOST_ONCE if is_once else Delivery.AT_LEAST_ONCE
    async with open_shop(SHORT) as shop:
        story = add_sleeper(shop)
        (job_id,) = await shop.order("work", delivery=delivery)
        async with shop.hire(grace=1.0):
            await anyio.sleep(1.0)
        assert story.was_cancelled
        async with shop.hire():
            job = await shop.ended(job_id)
        if is_once:
            assert (job.status, job.dead_reason) == (Status.DEAD, DeadReason.LEASE_EXPIRED)
            assert [error.kind for error in job.errors] == [ErrorKind.LEASE_EXPIRED]
            assert story.runs == 1
        else:
            assert (job.status, job.errors, job.interruptions) == (Status.COMPLETED, (), 1)
        await shop.house.balance()


async def test_a_cancelled_job_that_ends_all_the_same_is_completed() -> None:
    """It was done: nobody is helped by saying otherwise (§4)."""
    async with open_shop(SHORT) as shop:

        @shop.app.task
        async def work() -> str:
            with anyio.CancelScope(shield=True):
                await anyio.sleep(LEASE_S)
            return "done"

        (job_id,) = await shop.order("work")
        async with shop.hire():
            await anyio.sleep(0.5)
            await shop.queue.cancel(job_id)
            job = await shop.ended(job_id)
        assert (job.status, job.result) == (Status.COMPLETED, '"done"')
