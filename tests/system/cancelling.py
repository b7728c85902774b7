"""What sweeps of cancellation share: what is there before a call, and what must hold after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import anyio

from actorq import Job, Status
from actorq.core.job import Delivery

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.system.house import House

MAX_STEPS = 60
"""More turns of the loop than any call takes to its end."""


class Scene(NamedTuple):
    """What is there: a waiting job, a held one, a dead one; and the schedule ``nightly``."""

    waiting: Job
    held: Job
    dead: Job


async def scene(house: House) -> Scene:
    """Put the queue ``q`` into the state that every call needs."""
    await house.queue.resume("q")
    for status in Status:
        if status is not Status.RUNNING:
            await house.queue.purge("q", frozenset({status}))
    for name in ("dead", "held", "waiting"):
        await house.queue.enqueue("q", name, delivery=Delivery.AT_LEAST_ONCE)
    dead = await house.queue.dequeue("q", visibility_timeout=600)
    held = await house.queue.dequeue("q", visibility_timeout=600)
    assert dead is not None
    assert held is not None
    dead = await house.queue.fail(dead, retryable=False)
    (waiting,) = (job for job in house.jobs(Status.PENDING) if job.queue_name == "q")
    nightly = house.queue.new_schedule("nightly", "night", "x", every=86_400.0)
    await house.queue.put_schedule(nightly)
    return Scene(waiting, held, dead)


def tasks_of() -> set[str]:
    """Return the names of all tasks but those of lease managers, which come and go."""
    names = {task.name or "" for task in anyio.get_running_tasks()}
    return {name for name in names if "lease-manager" not in name}


async def check(house: House, there: Scene, given: Sequence[str]) -> None:
    """Check that the books balance, and that nobody has a lease but who was ``given`` it.

    Whatever became of the call: what it was given are ids of jobs.
    """
    ids = {there.held.id, *given}
    held = [job for job in house.jobs(Status.RUNNING) if job.id in ids]
    assert {job.id for job in held} >= set(given)
    await house.balance(*held)
    for job in house.jobs():
        assert job.dead_reason is None or job.id == there.dead.id
        assert job.expiries == 0
    for job in held:
        await house.queue.ack(job.id)
    await house.works()
