"""Patience: callers leave a store that does not answer, and never early."""

from __future__ import annotations

import anyio
import pytest

from actorq.actors.mailbox import Reply
from actorq.actors.messages import Beat
from actorq.actors.patience import BEATS, Patience
from actorq.errors import BackendUnavailable


async def beat(patience: Patience, times: int) -> None:
    for _ in range(times):
        await patience.handle([Beat()])


async def test_an_answer_in_time_is_passed_on() -> None:
    """A caller whose answer comes in the last beat gets it."""
    patience = Patience()
    reply: Reply[str] = Reply()
    answers: list[str] = []

    async def call() -> None:
        answers.append(await patience.get(reply))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(call)
        await anyio.wait_all_tasks_blocked()
        await beat(patience, BEATS)
        assert reply.set("done")
    assert answers == ["done"]
    await beat(patience, 2 * BEATS)
    assert reply.value == "done"


async def test_who_waits_too_long_is_told() -> None:
    """After its patience a caller learns that the outcome is unknown, and its request is abandoned."""
    patience = Patience()
    reply: Reply[str] = Reply()

    async def call() -> None:
        with pytest.raises(BackendUnavailable, match="unknown"):
            await patience.get(reply)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(call)
        await anyio.wait_all_tasks_blocked()
        await beat(patience, BEATS)
        assert not reply.settled, "never early: the first beat was not a whole one"
        await beat(patience, 1)
    assert reply.abandoned
    assert not reply.set("late"), "whoever serves the request learns that nobody takes the answer"


async def test_only_the_oldest_leave() -> None:
    """Each caller has a patience of its own, counted from when it came."""
    patience = Patience()
    old: Reply[str] = Reply()
    young: Reply[str] = Reply()

    async def call(reply: Reply[str]) -> None:
        with pytest.raises(BackendUnavailable):
            await patience.get(reply)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(call, old)
        await anyio.wait_all_tasks_blocked()
        await beat(patience, 3)
        tasks.start_soon(call, young)
        await anyio.wait_all_tasks_blocked()
        await beat(patience, BEATS - 2)
        assert (old.settled, young.settled) == (True, False)
        await beat(patience, 3)


async def test_who_has_left_is_forgotten() -> None:
    """A caller that was cancelled is not waited for any more (I18)."""
    patience = Patience()
    reply: Reply[str] = Reply()
    with anyio.move_on_after(0):
        await patience.get(reply)
    assert reply.abandoned
    await beat(patience, 2 * BEATS)
    assert not reply.settled
