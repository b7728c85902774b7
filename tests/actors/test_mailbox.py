"""Mailboxes and replies by themselves."""

from __future__ import annotations

import anyio
import pytest
from anyio.lowlevel import checkpoint

from actorq.actors.mailbox import Mailbox, MailboxClosed, Reply
from actorq.errors import NotFound


async def test_take_returns_everything_that_has_arrived() -> None:
    """A reader gets all waiting messages at once, in order, up to its limit (rule 3)."""
    mailbox: Mailbox[int] = Mailbox(10)
    for number in range(5):
        assert mailbox.offer(number)

    assert await mailbox.take(3) == [0, 1, 2]
    assert await mailbox.take(100) == [3, 4]


async def test_offer_says_no_when_full() -> None:
    """A bounded mailbox refuses an offer beyond its room (rule 7)."""
    mailbox: Mailbox[int] = Mailbox(1)

    assert mailbox.offer(1)
    assert not mailbox.offer(2)
    assert await mailbox.take(10) == [1]


async def test_tell_waits_for_room() -> None:
    """A told message waits until the reader has made room, and is not lost (rule 7)."""
    mailbox: Mailbox[int] = Mailbox(1)
    mailbox.offer(1)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(mailbox.tell, 2)
        await anyio.wait_all_tasks_blocked()

        assert await mailbox.take(1) == [1]
        assert await mailbox.take(1) == [2]


async def test_close_lets_the_reader_finish() -> None:
    """After a close the reader gets what is there, then the empty batch for ever."""
    mailbox: Mailbox[int] = Mailbox(3)
    mailbox.offer(1)
    mailbox.close()

    assert not mailbox.offer(2)
    with pytest.raises(MailboxClosed):
        await mailbox.tell(2)
    assert await mailbox.take(9) == [1]
    assert await mailbox.take(9) == []
    assert await mailbox.take(9) == []


async def test_close_if_empty_never_drops_a_message() -> None:
    """A mailbox with a message in it, or one on its way into it, does not close itself."""
    mailbox: Mailbox[int] = Mailbox(1)
    mailbox.offer(1)
    assert not mailbox.close_if_empty()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(mailbox.tell, 2)
        await anyio.wait_all_tasks_blocked()
        assert not mailbox.close_if_empty()
        assert await mailbox.take(9) == [1, 2]

    assert mailbox.close_if_empty()
    assert not mailbox.open


async def test_a_reply_that_came_first_is_returned_without_waiting() -> None:
    """A reply set before anybody waits is there at once; a second answer changes nothing."""
    reply: Reply[int] = Reply()
    reply.set(1)
    reply.set(2)
    reply.fail(NotFound("x"))

    assert await reply.get() == 1


async def test_a_failed_reply_raises_at_the_caller() -> None:
    """An error that was given as the answer is raised where the answer is awaited."""
    reply: Reply[int] = Reply()
    async with anyio.create_task_group() as tasks:

        async def wait() -> None:
            with pytest.raises(NotFound):
                await reply.get()

        tasks.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        reply.fail(NotFound("x"))


async def test_a_caller_that_leaves_abandons_its_request() -> None:
    """Cancelling the wait marks the request, so that whoever serves it can see it (rule 5)."""
    reply: Reply[int] = Reply()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(reply.get)
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()

    assert reply.abandoned
    assert not reply.settled


async def test_an_answer_that_meets_a_leaving_caller_is_kept() -> None:
    """An answer set in the moment of the cancellation stays readable: it may hold a lease."""
    reply: Reply[int] = Reply()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(reply.get)
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
        reply.set(7)
        await _settle()

    assert reply.value == 7


async def _settle() -> None:
    with anyio.CancelScope(shield=True):
        await checkpoint()
