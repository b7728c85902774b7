"""The post: an answer and the end of a wait may meet in one moment."""

from __future__ import annotations

import asyncio
from functools import partial

import anyio
import pytest

from actorq import BackendUnavailable, Claimed, Overloaded, Policy, ShuttingDown
from actorq.actors import messages as m
from actorq.actors.extender import Extender
from actorq.actors.mailbox import Mailbox, Reply
from actorq.actors.patience import Patience
from actorq.backends.memory import MemoryStore
from actorq.clock import wall_clock
from actorq.face.post import Post, only
from tests.system.jumping import JumpingLoop

WAIT_S = 5.0

in_one_moment = pytest.mark.parametrize(
    "anyio_backend", [("asyncio", {"loop_factory": JumpingLoop})], ids=["asyncio"]
)
"""Two timers of one instant ring in the order in which they were set: the wait's end, then the answer."""


def ignore_crash(actor: str, error: Exception) -> None:
    """Take no note: nothing is called here."""


def make_post(room: int = 1) -> Post:
    """Make a post whose dispatcher is a bare mailbox."""
    dispatcher: Mailbox[m.DispatcherMessage] = Mailbox(room)
    patience = Patience().get
    extender = partial(Extender, MemoryStore(Policy(), wall_clock).connect, ignore_crash)
    return Post(
        dispatcher, lambda _: "id", Policy(), patience, lambda: False, lambda _: None, extender
    )


def dequeue() -> m.Dequeue:
    """Make a request that waits."""
    return m.Dequeue("q", "w", 1, None, True, Reply())


async def wait_for(request: m.Dequeue, then: str) -> Claimed | None:
    """Wait for an answer that comes in the very moment in which the wait ends, of this kind."""
    loop = asyncio.get_running_loop()
    post = make_post()

    def answer() -> None:
        if then == "value":
            request.reply.set(Claimed(limited=True))
        elif then == "error":
            request.reply.fail(BackendUnavailable("away"))

    async def ask() -> Claimed | None:
        # After the scope of the wait has set its timer.
        loop.call_soon(loop.call_at, anyio.current_time() + WAIT_S, answer)
        return await post.ask_for(request, request.reply, WAIT_S)

    return await ask()


@in_one_moment
async def test_an_answer_in_the_last_moment_is_delivered() -> None:
    """It may hold a lease: it is returned, not dropped (§9, fault F11)."""
    request = dequeue()
    assert await wait_for(request, "value") == Claimed(limited=True)


@in_one_moment
async def test_an_error_in_the_last_moment_is_raised() -> None:
    """A store that broke is not taken for a queue that was empty."""
    with pytest.raises(BackendUnavailable):
        await wait_for(dequeue(), "error")


@in_one_moment
async def test_a_wait_that_ends_without_an_answer_returns_what_held_last() -> None:
    """A consumer of a paused queue learns of the pause (§8)."""
    request = dequeue()
    request.reply.interim = Claimed(paused=True)
    assert await wait_for(request, "nothing") == Claimed(paused=True)
    assert request.reply.abandoned


async def test_a_full_dispatcher_and_a_closed_one_refuse_at_once() -> None:
    """Nothing was sent, and the two are told apart (rule 7)."""
    post = make_post()
    post.send(dequeue())
    with pytest.raises(Overloaded):
        post.send(dequeue())
    post.dispatcher.close()
    with pytest.raises(ShuttingDown):
        post.send(dequeue())


async def test_the_one_result_is_returned_or_raised() -> None:
    """A refusal of a single call is raised in front of its caller."""
    assert only([7]) == 7
    with pytest.raises(Overloaded):
        only([Overloaded("x")])
