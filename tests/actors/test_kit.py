"""The kit: serving, supervision, time as a message."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import msgspec
import pytest

from actorq.actors.actor import MAX_RESTARTS, Alarm, ask, metronome, serve
from actorq.actors.mailbox import Mailbox, Reply
from actorq.actors.messages import Beat
from actorq.errors import BackendUnavailable, InternalError

if TYPE_CHECKING:
    from collections.abc import Sequence


class Echo(msgspec.Struct, frozen=True):
    """A request for the test's actor; ``boom`` makes it crash."""

    text: str
    reply: Reply[str]


class EchoActor:
    """Answers, or crashes on ``boom``; remembers how many messages it has seen."""

    def __init__(self) -> None:
        self.seen = 0
        self.batches: list[int] = []
        self.stopped = False

    async def handle(self, messages: Sequence[Echo]) -> None:
        self.batches.append(len(messages))
        for message in messages:
            self.seen += 1
            if message.text == "boom":
                raise ValueError("boom")
            if message.text != "hold":
                message.reply.set(f"{message.text} {self.seen}")

    async def stop(self) -> None:
        self.stopped = True


class Crashes:
    """Collects what the kit reports."""

    def __init__(self) -> None:
        self.reported: list[tuple[str, str]] = []

    def __call__(self, actor: str, error: Exception) -> None:
        self.reported.append((actor, str(error)))


async def test_messages_that_wait_are_handled_in_one_batch() -> None:
    """What has gathered before the actor looks is one batch (rule 3)."""
    mailbox: Mailbox[Echo] = Mailbox(100)
    actor = EchoActor()
    requests = [Echo(str(n), Reply()) for n in range(10)]
    for request in requests:
        mailbox.offer(request)
    mailbox.close()

    await serve("echo", lambda: actor, mailbox, Crashes())

    assert actor.batches == [10]
    assert actor.stopped
    assert [await r.reply.get() for r in requests] == [f"{n} {n + 1}" for n in range(10)]


async def test_a_crash_fails_all_in_flight_and_starts_anew() -> None:
    """Callers held by a crashed actor get InternalError; the next meets fresh state (rule 5)."""
    mailbox: Mailbox[Echo] = Mailbox(100)
    crashes = Crashes()
    held, bomb, late = (Echo(text, Reply()) for text in ("hold", "boom", "hello"))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: serve("echo", EchoActor, mailbox, crashes))
        mailbox.offer(held)
        await anyio.wait_all_tasks_blocked()
        mailbox.offer(bomb)
        with pytest.raises(InternalError):
            await held.reply.get()
        with pytest.raises(InternalError):
            await bomb.reply.get()

        assert await ask(mailbox, late.reply, late) == "hello 1"
        mailbox.close()

    assert crashes.reported == [("echo", "boom")]


async def test_too_many_crashes_leave_the_task_group() -> None:
    """More than five restarts within a minute are not mended by a sixth (rule 5)."""
    mailbox: Mailbox[Echo] = Mailbox(100)
    crashes = Crashes()

    async def crash_it() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: serve("echo", EchoActor, mailbox, crashes))
            for _ in range(MAX_RESTARTS + 1):
                bomb = Echo("boom", Reply())
                await mailbox.tell(bomb)
                with pytest.raises(InternalError):
                    await bomb.reply.get()
            await anyio.sleep_forever()

    with pytest.raises(BaseExceptionGroup) as caught:
        await crash_it()

    assert caught.group_contains(ValueError, match="boom")
    assert len(crashes.reported) == MAX_RESTARTS + 1


async def test_an_alarm_rings_at_once_and_then_when_it_is_told() -> None:
    """A start looks at once; ``no_later_than`` brings the next beat forward, never back."""
    beats: Mailbox[Beat] = Mailbox(10)
    alarm = Alarm(3_600.0, beats.offer)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(metronome, alarm)
        assert await beats.take(1) == [Beat()]
        alarm.no_later_than(1_800.0)
        alarm.no_later_than(0.0)
        alarm.no_later_than(7_200.0)
        with anyio.fail_after(5):
            assert await beats.take(1) == [Beat()]
        tasks.cancel_scope.cancel()


async def test_a_beat_without_room_is_dropped() -> None:
    """A metronome never waits for a busy actor: one beat in the mailbox is as good as two."""
    beats: Mailbox[Beat] = Mailbox(1)
    alarm = Alarm(3_600.0, beats.offer)

    alarm.beat()
    alarm.beat()

    assert await beats.take(10) == [Beat()]


@pytest.mark.parametrize("how", ["cancelled", "crashed for good"])
async def test_whoever_still_waits_at_the_end_is_told(how: str) -> None:
    """An actor that is given up leaves nobody waiting, whether it had looked at them or not (I18)."""
    mailbox: Mailbox[Echo] = Mailbox(100)
    held, unread = Echo("hold", Reply()), Echo("unread", Reply())
    bombs = [Echo("boom", Reply()) for _ in range(MAX_RESTARTS + 1)]

    async def live() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: serve("echo", EchoActor, mailbox, Crashes(), limit=1))
            await anyio.wait_all_tasks_blocked()
            if how == "cancelled":
                mailbox.offer(held)
                await anyio.wait_all_tasks_blocked()
                tasks.cancel_scope.cancel()
            else:
                for bomb in bombs:
                    mailbox.offer(bomb)
            mailbox.offer(unread)

    if how == "cancelled":
        await live()
        with pytest.raises(BackendUnavailable):
            await held.reply.get()
    else:
        with pytest.raises(BaseExceptionGroup):
            await live()
    with pytest.raises(BackendUnavailable):
        await unread.reply.get()
    assert not mailbox.offer(Echo("late", Reply()))


async def test_an_actor_that_ends_in_order_leaves_its_answers_to_others() -> None:
    """What it has passed on is answered by those it passed it to: nothing is failed (rule 10)."""
    mailbox: Mailbox[Echo] = Mailbox(100)
    held = Echo("hold", Reply())
    mailbox.offer(held)
    mailbox.close()

    await serve("echo", EchoActor, mailbox, Crashes())

    assert not held.reply.settled
