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


async def test_messages_come_in_order_whoever_waited_for_room() -> None:
    """Those who waited are let in as room comes, in their order, within one batch too (rule 7)."""
    mailbox: Mailbox[int] = Mailbox(2)
    async with anyio.create_task_group() as tasks:
        for number in range(7):
            tasks.start_soon(mailbox.tell, number)
            await anyio.wait_all_tasks_blocked()

        assert await mailbox.take(5) == [0, 1, 2, 3, 4]
        assert await mailbox.take(5) == [5, 6]


async def test_a_teller_that_leaves_takes_its_message_along() -> None:
    """Whoever is cancelled while waiting for room has told nothing, and blocks nobody (rule 7)."""
    mailbox: Mailbox[int] = Mailbox(1)
    mailbox.offer(1)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(mailbox.tell, 2)
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()

    assert await mailbox.take(9) == [1]
    assert mailbox.close_if_empty()


async def test_a_reader_that_is_cancelled_loses_nothing() -> None:
    """A message that comes as its reader leaves is there for the next (fault: items lost on cancel)."""
    mailbox: Mailbox[int] = Mailbox(9)
    got: list[int] = []

    async def take() -> None:
        got.extend(await mailbox.take(9))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(take)
        await anyio.wait_all_tasks_blocked()
        mailbox.offer(1)
        tasks.cancel_scope.cancel()

    assert [*got, *mailbox.abandon()] == [1]


async def test_close_tells_those_who_wait_for_room() -> None:
    """A told message is either taken or refused, never dropped in silence (rule 7)."""
    mailbox: Mailbox[int] = Mailbox(1)
    mailbox.offer(1)
    refused: list[int] = []

    async def tell() -> None:
        try:
            await mailbox.tell(2)
        except MailboxClosed:
            refused.append(2)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(tell)
        await anyio.wait_all_tasks_blocked()
        mailbox.close()

    assert refused == [2]
    assert await mailbox.take(9) == [1]


async def test_an_abandoned_mailbox_gives_back_what_nobody_will_take() -> None:
    """At the end of an actor what it has not looked at is returned, and nothing more is taken."""
    mailbox: Mailbox[int] = Mailbox(9)
    mailbox.offer(1)
    mailbox.offer(2)

    assert mailbox.abandon() == [1, 2]
    assert not mailbox.offer(3)
    assert await mailbox.take(9) == []


async def test_a_reply_says_whether_somebody_takes_it() -> None:
    """An answer to somebody who has left, or has an answer already, is told to be in vain (rule 5)."""
    taken: Reply[int] = Reply()
    left: Reply[int] = Reply()
    left.abandoned = True
    failed: Reply[int] = Reply()
    failed.fail(NotFound("x"))
    overdue: Reply[int] = Reply()
    overdue.give_up(NotFound("x"))

    assert [reply.set(1) for reply in (taken, left, failed, overdue)] == [True, False, False, False]
    assert not taken.set(2)
    assert left.value is None
