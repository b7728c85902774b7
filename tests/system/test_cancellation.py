"""Cancellation at every await of every verb: nothing lost, nothing leased to nobody (fault B14)."""

from __future__ import annotations

import inspect

import anyio
import pytest
from anyio.lowlevel import checkpoint

from actorq import Job
from actorq.face import JobQueue
from tests.system.cancelling import MAX_STEPS, Scene, check, scene, tasks_of
from tests.system.house import open_house
from tests.system.verbs import VERBS, Verb


def given_by(outcome: list[object]) -> list[str]:
    """Return the ids of the jobs that came with a lease."""
    jobs = [job for answer in outcome for job in jobs_in(answer)]
    return [job.id for job in jobs if job.lease is not None and job.lease.token]


def jobs_in(answer: object) -> list[Job]:
    """Return the jobs of an answer."""
    if isinstance(answer, Job):
        return [answer]
    jobs: tuple[Job, ...] = getattr(answer, "jobs", ())
    return list(jobs)


def test_no_verb_is_forgotten() -> None:
    """The sweep calls every verb that the face has (B14)."""
    methods = inspect.getmembers(JobQueue, inspect.iscoroutinefunction)
    public = {name for name, _ in methods if not name.startswith("_")}
    assert {verb.method for verb in VERBS} == public


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
            await check(house, there, given_by(outcome))
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
        await check(house, there, given_by(outcome))
