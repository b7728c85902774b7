"""The dispatcher, called by hand: what goes where, and that it never waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from actorq.actors import messages as m
from actorq.actors.dispatcher import Dispatcher
from actorq.actors.mailbox import Mailbox, Reply
from actorq.core.commands import ListJobs
from actorq.core.results import Claimed
from actorq.core.transitions import Status
from actorq.errors import Overloaded

if TYPE_CHECKING:
    from collections.abc import Sequence


class Bench:
    """A dispatcher with everything around it; lanes and managers are bare mailboxes."""

    def __init__(self, room: int = 100) -> None:
        self.writers: list[Mailbox[m.StorageMessage]] = [Mailbox(room), Mailbox(room)]
        self.renewals: Mailbox[m.StorageMessage] = Mailbox(room)
        self.reader: Mailbox[m.StorageMessage] = Mailbox(room)
        self.upkeep: Mailbox[m.StorageMessage] = Mailbox(room)
        self.watcher: Mailbox[m.WatcherMessage] = Mailbox(room)
        self.spawned: list[tuple[str, Mailbox[m.LeaseManagerMessage]]] = []
        self.draining = False
        self._room = room
        self.dispatcher = Dispatcher(
            writers=self.writers,
            renewals=self.renewals,
            reader=self.reader,
            upkeep=self.upkeep,
            watcher=self.watcher,
            spawn=self._spawn,
            draining=lambda: self.draining,
        )

    def _spawn(self, queue_name: str) -> Mailbox[m.LeaseManagerMessage]:
        mailbox: Mailbox[m.LeaseManagerMessage] = Mailbox(self._room)
        self.spawned.append((queue_name, mailbox))
        return mailbox


def dequeue(queue_name: str = "q") -> m.Dequeue:
    """Make a waiting consumer."""
    return m.Dequeue(queue_name, "w", 1, None, True, Reply())


WRITES: Sequence[m.WriteMessage] = (
    m.EnqueueJobs((), Reply()),
    m.ClaimJobs((), Reply()),
    m.AckJobs((), Reply()),
    m.FailJobs((), Reply()),
    m.ReleaseJobs((), Reply()),
    m.CancelJobs((), Reply()),
    m.RedriveJobs((), Reply()),
    m.UpdateJobs((), Reply()),
    m.DeleteJobs((), Reply()),
    m.UpdateQueues((), Reply()),
)
RENEWALS: Sequence[m.RenewMessage] = (
    m.ExtendLeases((), Reply()),
    m.ReportProgress((), Reply()),
    m.CheckStore(Reply()),
)
READS: Sequence[m.ReadMessage] = (
    m.GetJobs((), Reply()),
    m.GetQueueLengths((), Reply()),
    m.FindClaims((), Reply()),
    m.FindJobs(ListJobs(), Reply()),
    m.ListQueues(None, Reply()),
)
UPKEEP: Sequence[m.UpkeepMessage] = (
    m.RequeueExpired(1, Reply()),
    m.PromoteDelayed(1, Reply()),
    m.PruneJobs(1, Reply()),
    m.PurgeJobs("q", frozenset({Status.DEAD}), 1, Reply()),
)


async def test_every_message_goes_to_the_lane_of_its_role() -> None:
    """Writes, renewals, reads and upkeep each have lanes of their own (rule 2)."""
    bench = Bench()
    await bench.dispatcher.handle([*UPKEEP, *READS, *WRITES, *RENEWALS])
    assert await bench.renewals.take(99) == list(RENEWALS)
    assert await bench.reader.take(99) == list(READS)
    assert await bench.upkeep.take(99) == list(UPKEEP)
    assert await bench.writers[1].take(99) == list(WRITES)


async def test_turns_go_to_the_writing_lanes_in_turn() -> None:
    """One turn's writes stay together, as one batch; the next turn's go to the next lane (rule 3)."""
    bench = Bench()
    for _ in range(4):
        await bench.dispatcher.handle([WRITES[0], WRITES[0]])
    assert [len(await lane.take(99)) for lane in bench.writers] == [4, 4]


async def test_a_queue_s_dequeues_go_to_its_own_manager() -> None:
    """A lease manager is made on the first dequeue of its queue, and once (rule 7)."""
    bench = Bench()
    first, second, other = dequeue("a"), dequeue("a"), dequeue("b")
    await bench.dispatcher.handle([first, other, second])
    assert [name for name, _ in bench.spawned] == ["a", "b"]
    assert await bench.spawned[0][1].take(99) == [first, second]
    assert await bench.spawned[1][1].take(99) == [other]


async def test_a_manager_that_was_let_go_is_replaced() -> None:
    """A dequeue that comes after the manager has closed its mailbox starts the next one (rule 7)."""
    bench = Bench()
    await bench.dispatcher.handle([dequeue()])
    bench.spawned[0][1].close()
    late = dequeue()
    await bench.dispatcher.handle([late])
    assert await bench.spawned[1][1].take(99) == [late]


async def test_names_that_were_asked_for_once_leave_nothing_behind() -> None:
    """However many queues are asked for, those whose managers are gone are forgotten (I18)."""
    bench = Bench()
    for number in range(2_000):
        await bench.dispatcher.handle([dequeue(f"q{number}")])
        bench.spawned.pop()[1].close()
    held = bench.dispatcher.managers
    assert held < 600


async def test_hints_reach_those_who_have_a_manager() -> None:
    """News of a queue nobody waits at goes nowhere; news of all queues goes to all (rule 8)."""
    bench = Bench()
    await bench.dispatcher.handle([dequeue("a"), dequeue("b")])
    for _, mailbox in bench.spawned:
        await mailbox.take(99)
    news = m.JobsReady(frozenset({"a", "nobody"}))
    room = m.RoomMade(frozenset({"b", "nobody"}))
    everywhere = m.JobsReady(None)
    await bench.dispatcher.handle([news, room, everywhere])
    assert await bench.spawned[0][1].take(99) == [news, everywhere]
    assert await bench.spawned[1][1].take(99) == [room, everywhere]
    assert len(bench.spawned) == 2


async def test_a_lane_without_room_is_told_at_once() -> None:
    """The dispatcher never waits: a full lane costs its caller, and no other one (rule 7)."""
    bench = Bench(room=1)
    fits = m.AckJobs((), Reply())
    refused = m.AckJobs((), Reply())
    renewal = m.ExtendLeases((), Reply())
    await bench.dispatcher.handle([fits, refused, renewal])
    with pytest.raises(Overloaded):
        await refused.reply.get()
    assert not fits.reply.settled
    assert await bench.renewals.take(99) == [renewal]


async def test_watches_go_to_the_watcher() -> None:
    """A watch is the watcher's (rule 4)."""
    bench = Bench()
    watch = m.Watch("id", 1, Reply())
    await bench.dispatcher.handle([watch])
    assert await bench.watcher.take(99) == [watch]


async def test_drain_reaches_everybody_who_waits() -> None:
    """Managers and watcher are told; one without room is closed, which ends its waits too (§9)."""
    bench = Bench(room=1)
    await bench.dispatcher.handle([dequeue("full"), dequeue("roomy")])
    await bench.spawned[1][1].take(99)
    await bench.dispatcher.handle([m.Drain()])
    assert not bench.spawned[0][1].open
    assert await bench.spawned[1][1].take(99) == [m.Drain()]
    assert await bench.watcher.take(99) == [m.Drain()]


async def test_a_dequeue_that_comes_while_draining_is_answered_at_once() -> None:
    """A server that is going away gives out nothing more (§9)."""
    bench = Bench()
    bench.draining = True
    request = dequeue()
    await bench.dispatcher.handle([request])
    assert await request.reply.get() == Claimed()
    assert bench.spawned == []
