"""Cancellation at every await of every verb: nothing lost, nothing leased to nobody (fault B14)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import anyio
import pytest
from anyio.lowlevel import checkpoint

from actorq import Ack, Edit, Job, ListJobs, QueueEdit, Status
from actorq.core.job import Delivery
from tests.system.house import House, open_house

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

Call: TypeAlias = "Callable[[House, Scene], Coroutine[Any, Any, object]]"

MAX_STEPS = 60
"""More turns of the loop than any verb takes to its end."""


class Scene(NamedTuple):
    """What is there when a verb is called: a waiting job, a held one, a dead one, one to come."""

    waiting: Job
    held: Job
    dead: Job


class Verb:
    """A call of the face, and the store's verb that it comes to.

    ``meanwhile`` is what another task does at the same time.
    """

    def __init__(self, name: str, call: Call, meanwhile: Call | None = None, *, store: str) -> None:
        self.name = name
        self.call = call
        self.meanwhile = meanwhile
        self.store = store


VERBS = (
    Verb("enqueue", lambda h, _: h.queue.enqueue("new", "x"), store="enqueue"),
    Verb(
        "enqueue_many",
        lambda h, _: h.queue.enqueue_many([h.queue.new_job("new", "x") for _ in range(3)]),
        store="enqueue",
    ),
    Verb("dequeue", lambda h, _: h.queue.dequeue("q"), store="dequeue"),
    Verb("dequeue, waiting", lambda h, _: h.queue.dequeue("q", wait=30), store="dequeue"),
    Verb(
        "dequeue, waiting for one to come",
        lambda h, _: h.queue.dequeue("empty", wait=30),
        lambda h, _: h.queue.enqueue("empty", "x", delivery=Delivery.AT_MOST_ONCE),
        store="dequeue",
    ),
    Verb("dequeue_many", lambda h, _: h.queue.dequeue_many("q", 5, wait=30), store="dequeue"),
    Verb("ack", lambda h, s: h.queue.ack(s.held), store="ack"),
    Verb("fail", lambda h, s: h.queue.fail(s.held, retry_in=1), store="fail"),
    Verb("release", lambda h, s: h.queue.release(s.held), store="release"),
    Verb("extend", lambda h, s: h.queue.extend(s.held), store="extend"),
    Verb("report", lambda h, s: h.queue.report(s.held, 1), store="report"),
    Verb("ack_many", lambda h, s: h.queue.ack_many([Ack(s.held.id)]), store="ack"),
    Verb("cancel", lambda h, s: h.queue.cancel(s.waiting.id), store="cancel"),
    Verb("redrive", lambda h, s: h.queue.redrive(s.dead.id), store="redrive"),
    Verb("delete", lambda h, s: h.queue.delete(s.dead.id), store="delete"),
    Verb(
        "update_job",
        lambda h, s: h.queue.update_job(Edit(id=s.waiting.id, priority=2)),
        store="update_job",
    ),
    Verb("get_job", lambda h, s: h.queue.get_job(s.held.id), store="get_job"),
    Verb(
        "wait_for_change",
        lambda h, s: h.queue.wait_for_change(s.waiting.id, s.waiting.version, 30),
        lambda h, s: h.queue.cancel(s.waiting.id),
        store="get_job",
    ),
    Verb("list_jobs", lambda h, _: h.queue.list_jobs(ListJobs()), store="list_jobs"),
    Verb("list_queues", lambda h, _: h.queue.list_queues(), store="list_queues"),
    Verb("get_queue_length", lambda h, _: h.queue.get_queue_length("q"), store="length"),
    Verb(
        "update_queue",
        lambda h, _: h.queue.update_queue(QueueEdit(queue_name="q", max_running=9)),
        store="update_queue",
    ),
    Verb("purge", lambda h, _: h.queue.purge("q", frozenset({Status.DEAD})), store="purge"),
    Verb("redrive_dead", lambda h, _: h.queue.redrive_dead("q"), store="list_jobs"),
    Verb("check", lambda h, _: h.queue.check(), store="check"),
)


async def scene(house: House) -> Scene:
    """Put the queue ``q`` into the state that every verb needs."""
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
    return Scene(waiting, held, dead)


def tasks_of() -> set[str]:
    """Return the names of all tasks but those of lease managers, which come and go."""
    names = {task.name or "" for task in anyio.get_running_tasks()}
    return {name for name in names if "lease-manager" not in name}


async def check(house: House, there: Scene, outcome: list[object]) -> None:
    """Whatever became of the verb: the books balance, and nobody but a holder has a lease."""
    given = [job for answer in outcome for job in jobs_in(answer) if job.lease is not None]
    ids = {there.held.id, *(job.id for job in given)}
    held = [job for job in house.jobs(Status.RUNNING) if job.id in ids]
    await house.balance(*held)
    for job in house.jobs():
        assert job.dead_reason is None or job.id == there.dead.id
        assert job.expiries == 0
    for job in held:
        await house.queue.ack(job.id)
    await house.works()


def jobs_in(answer: object) -> list[Job]:
    """Return the jobs of an answer."""
    if isinstance(answer, Job):
        return [answer]
    jobs: tuple[Job, ...] = getattr(answer, "jobs", ())
    return list(jobs)


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
async def test_cancelled_after_every_turn_of_the_loop(verb: Verb) -> None:
    """Each verb is cancelled after one turn, after two, and so on until it completes (B14)."""
    async with open_house() as house:
        await anyio.wait_all_tasks_blocked()
        before = tasks_of()
        steps = 0
        for steps in range(MAX_STEPS):
            there = await scene(house)
            outcome: list[object] = []

            async def run(there: Scene = there, outcome: list[object] = outcome) -> None:
                outcome.append(await verb.call(house, there))

            async with anyio.create_task_group() as both:
                if verb.meanwhile is not None:
                    both.start_soon(verb.meanwhile, house, there)
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(run)
                    for _ in range(steps):
                        await checkpoint()
                    tasks.cancel_scope.cancel()
            await check(house, there, outcome)
            assert tasks_of() == before
            if outcome:
                break
        assert 1 < steps < MAX_STEPS - 1


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
async def test_cancelled_while_the_store_is_at_it(verb: Verb, moment: str) -> None:
    """The caller leaves while its call is under way, before its effect and after (C8, F11)."""
    async with open_house() as house:
        there = await scene(house)
        outcome: list[object] = []
        cancelled: list[str] = []
        async with anyio.create_task_group() as both:
            with anyio.CancelScope() as scope:

                def leave(name: str) -> None:
                    if name == verb.store and not cancelled:
                        cancelled.append(name)
                        scope.cancel()

                setattr(house.trouble, moment, leave)
                if verb.meanwhile is not None:
                    both.start_soon(verb.meanwhile, house, there)
                outcome.append(await verb.call(house, there))
        house.trouble.before = house.trouble.after = None
        assert cancelled == [verb.store]
        await check(house, there, outcome)
