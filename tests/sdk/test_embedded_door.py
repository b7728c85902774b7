"""The embedded door: what tasks and workers ask, asked of a queue in the same event loop."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING

import anyio.to_thread
import pytest

from actorq import (
    Ack,
    App,
    BackendUnavailable,
    Enqueued,
    Extend,
    Fail,
    InvalidInput,
    LeaseLost,
    NotFound,
    Policy,
    Release,
    Report,
    Status,
)
from actorq.sdk.door import Draft, Held
from actorq.sdk.embedded import EmbeddedDoor
from tests.http.door import open_door
from tests.system.house import open_house

if TYPE_CHECKING:
    from collections.abc import Callable

    from actorq.sdk.door import Door, Renewals


async def claim(door: Door, count: int) -> list[tuple[str, str]]:
    """Make jobs and claim them; return their ids and tokens."""
    await door.enqueue_many([Draft(queue_name="q", payload="x")] * count)
    claimed = await door.dequeue("q", worker_id="w", slots=9, visibility_timeout=30.0, wait=0.0)
    return [(job.id, job.lease.token) for job in claimed.jobs if job.lease]


async def test_a_life_through_the_door() -> None:
    """Made, claimed, renewed, reported on, settled, looked at and cancelled."""
    async with open_house() as house:
        door: Door = EmbeddedDoor(house.queue)
        (made,) = await door.enqueue_many(
            [Draft(queue_name="late", payload="x", options={"delay": 60.0})]
        )
        assert isinstance(made, Enqueued)
        one, two, three = await claim(door, 3)
        renewed = await door.renew("w", [Extend(*one), Extend(two[0], "stale")])
        assert [lease.status for lease in renewed.leases] == [Held.OK, Held.LOST]
        assert (renewed.leases[0].visibility_timeout, renewed.drain) == (30.0, False)
        assert (await door.report(Report(*one, "7"))).progress == "7"
        assert (await door.cancel(two[0])).cancel_requested
        renewed = await door.renew("w", [Extend(*two)])
        assert renewed.leases[0].status is Held.CANCEL
        settled = await door.settle(
            [Ack(*one), Release(*three), Fail(*two), Ack(*one), Release(one[0], "stale")]
        )
        assert settled[:4] == [None] * 4
        assert isinstance(settled[4], LeaseLost)
        with pytest.raises(LeaseLost):
            await door.report(Report(*one, "8"))
        job = await door.get_job(two[0])
        assert job.status is Status.CANCELLED
        assert await door.wait_for_change(job.id, job.version, 0.0) is None
        assert (await door.cancel(made.job.id)).status is Status.CANCELLED
        with pytest.raises(NotFound):
            await door.get_job("nothing")


async def test_a_value_that_is_refused_does_not_spoil_its_batch() -> None:
    """Only its own item is; an error of the whole call is each item's."""
    async with open_house(Policy(max_payload_bytes=10)) as house:
        door = EmbeddedDoor(house.queue)
        one, two, three = await claim(door, 3)
        settled = await door.settle([Ack(*one), Ack(*two, '"a result"  '), Ack(*three)])
        assert settled[0] is settled[2] is None
        assert isinstance(settled[1], InvalidInput)
        house.trouble.away = True
        settled = await door.settle([Ack(*one), Fail(*two)])
        assert [type(error) for error in settled] == [BackendUnavailable] * 2


async def test_leases_are_renewed_from_another_thread() -> None:
    """On a connection of its own, which is closed; a store that is away is an error to try again."""
    # A clock that can be read in any thread.
    async with open_door() as served:
        door = EmbeddedDoor(served.queue)
        (lease,) = await claim(door, 1)

        def renew() -> Renewals:
            with door.renewer() as renewer:
                return renewer.renew("w", [Extend(*lease), Extend(lease[0], "stale")])

        renewals = await anyio.to_thread.run_sync(renew)
        assert [each.status for each in renewals.leases] == [Held.OK, Held.LOST]
        served.trouble.away = True
        with pytest.raises(BackendUnavailable):
            await anyio.to_thread.run_sync(renew)
        served.trouble.away = False
        assert (await anyio.to_thread.run_sync(renew)).leases[0].status is Held.OK


def test_a_task_may_be_a_function_in_a_wrapper() -> None:
    """Its signature is that of the function inside, with the names that it knows."""

    def traced(function: Callable[[Held], str]) -> Callable[[Held], str]:
        @wraps(function)
        def trace(held: Held) -> str:
            return function(held)

        return trace

    @App().task
    @traced
    def show(held: Held) -> str:
        return held.value

    assert show.call(Held.OK).draft.payload == '{"held":"ok"}'
