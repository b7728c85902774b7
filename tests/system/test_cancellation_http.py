"""Cancellation at every await of every HTTP handler, and clients that hang up at any turn (F11, B14, I16)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import msgspec
import pytest
from anyio.lowlevel import checkpoint

from actorq.http import AppOptions, create_app
from actorq.http.app import routes
from tests.system.cancelling import MAX_STEPS, Scene, check, scene, tasks_of
from tests.system.exchanges import DEQUEUES, JOB, REQUESTS, WAITS, Asking, Line
from tests.system.house import open_house

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp


class Lease(msgspec.Struct):
    """What is read of a lease."""

    token: str = ""


class Shown(msgspec.Struct):
    """What is read of a job."""

    id: str
    payload: str
    lease: Lease | None


def given_by(asking: Asking, line: Line, there: Scene) -> list[str]:
    """Return the ids of the jobs that a client was given; an answer must be right, and its own."""
    if not line.is_answered:
        return []
    answer = line.answer()
    assert answer.status in asking.statuses, answer
    jobs: list[Shown] = []
    if asking.about is not None:
        jobs = [answer.read(Shown)]
        assert jobs[0].id == getattr(there, asking.about).id
    elif asking in DEQUEUES:
        jobs = answer.read(list[Shown]) if answer.body.startswith(b"[") else [answer.read(Shown)]
    return [job.id for job in jobs if job.lease is not None and job.lease.token]


async def neighbour(app: ASGIApp, there: Scene, payload: str) -> None:
    """Ask for something else at the same time: the answer is to that, whatever others do (I16)."""
    asking = Asking("POST /jobs", body=lambda _: {**JOB, "payload": payload})
    line = asking.line(there)
    await line.run(app)
    assert line.answer().read(Shown).payload == payload


async def sweep(asking: Asking, leave: Callable[[Line, anyio.CancelScope], None]) -> None:
    """Let the client or the server leave after one turn, after two, and so on until it completes."""
    async with open_house() as house:
        app = create_app(house.queue)
        await anyio.wait_all_tasks_blocked()
        before = tasks_of()
        steps, was_answered = 0, False
        for steps in range(MAX_STEPS):
            there = await scene(house)
            line = asking.line(there)
            async with anyio.create_task_group() as both:
                if asking.meanwhile is not None:
                    both.start_soon(asking.meanwhile, house, there)
                both.start_soon(neighbour, app, there, f"mine {steps}")
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(line.run, app)
                    for _ in range(steps):
                        await checkpoint()
                    was_answered = line.is_answered
                    leave(line, tasks.cancel_scope)
            await check(house, there, given_by(asking, line, there))
            assert tasks_of() == before
            if was_answered:
                break
        assert 1 < steps < MAX_STEPS - 1


def test_no_route_is_forgotten() -> None:
    """The sweep calls every route that the application has (B14)."""
    # The routes are only listed: nothing is asked of the queue behind them.
    table = routes(None, AppOptions())  # type: ignore[arg-type]  # see above
    assert {asking.route for asking in REQUESTS} == {f"{one.method} {one.path}" for one in table}


@pytest.mark.parametrize("asking", REQUESTS, ids=lambda asking: asking.name)
async def test_cancelled_after_every_turn_of_the_loop(asking: Asking) -> None:
    """Whoever serves a request is cancelled: nothing is lost, leaked, or answered to another (B14, I16)."""
    await sweep(asking, lambda _, scope: scope.cancel())


@pytest.mark.parametrize("asking", DEQUEUES + WAITS, ids=lambda asking: asking.name)
async def test_hung_up_after_every_turn_of_the_loop(asking: Asking) -> None:
    """A client leaves: its wait ends, and a job that it has not got goes back (F11)."""
    await sweep(asking, lambda line, _: line.hang_up())
