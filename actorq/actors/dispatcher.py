"""The dispatcher: the door behind all doors. It routes, and never waits for anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar, assert_never

from actorq.actors import messages as m
from actorq.core.results import Claimed
from actorq.errors import Overloaded

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from actorq.actors.mailbox import Mailbox

M = TypeVar("M")

_MANAGERS_AT_LEAST: Final = 256


class Dispatcher:
    """Sends dequeues to their queue's lease manager, and everything else to a storage lane.

    It only ever *offers*: a lane without room answers its caller ``Overloaded`` at once, so one
    store that stalls cannot keep a renewal for another lane waiting here.
    """

    def __init__(
        self,
        *,
        writers: Sequence[Mailbox[m.StorageMessage]],
        renewals: Mailbox[m.StorageMessage],
        reader: Mailbox[m.StorageMessage],
        upkeep: Mailbox[m.StorageMessage],
        watcher: Mailbox[m.WatcherMessage],
        spawn: Callable[[str], Mailbox[m.LeaseManagerMessage]],
        draining: Callable[[], bool],
    ) -> None:
        """Take the lanes by role; ``spawn`` starts the lease manager of a queue.

        ``draining`` tells whether the server is going away, also to a dispatcher that was made anew.
        """
        self._writers = writers
        self._renewals = renewals
        self._reader = reader
        self._upkeep = upkeep
        self._watcher = watcher
        self._spawn = spawn
        self._draining = draining
        self._managers: dict[str, Mailbox[m.LeaseManagerMessage]] = {}
        self._prune_at = _MANAGERS_AT_LEAST
        self._turn = 0

    async def handle(self, messages: Sequence[m.DispatcherMessage]) -> None:
        """Route everything that has arrived. One turn's writes go to one lane, as one batch."""
        self._turn += 1
        writer = self._writers[self._turn % len(self._writers)]
        for message in messages:
            match message:
                case m.Dequeue():
                    self._to_manager(message)
                case m.JobsReady() | m.RoomMade():
                    self._announce(message)
                case m.Watch():
                    _offer(self._watcher, message, message.reply.fail)
                case m.Drain():
                    self._drain(message)
                case (
                    m.EnqueueJobs()
                    | m.ClaimJobs()
                    | m.AckJobs()
                    | m.FailJobs()
                    | m.ReleaseJobs()
                    | m.CancelJobs()
                    | m.RedriveJobs()
                    | m.UpdateJobs()
                    | m.DeleteJobs()
                    | m.UpdateQueues()
                    | m.ChangeSchedules()
                ):
                    _offer(writer, message, message.reply.fail)
                case m.ExtendLeases() | m.ReportProgress() | m.CheckStore():
                    _offer(self._renewals, message, message.reply.fail)
                case (
                    m.GetJobs()
                    | m.GetQueueLengths()
                    | m.FindClaims()
                    | m.FindJobs()
                    | m.ListQueues()
                    | m.GetSchedules()
                    | m.ListSchedules()
                ):
                    _offer(self._reader, message, message.reply.fail)
                case (
                    m.RequeueExpired()
                    | m.PromoteDelayed()
                    | m.FireSchedules()
                    | m.PruneJobs()
                    | m.PurgeJobs()
                ):
                    _offer(self._upkeep, message, message.reply.fail)
                case _:
                    assert_never(message)

    @property
    def managers(self) -> int:
        """How many lease managers are known, those included which were let go a moment ago."""
        return len(self._managers)

    async def stop(self) -> None:
        """Nothing is held here: every request has been passed on."""

    def _to_manager(self, message: m.Dequeue) -> None:
        if self._draining():
            message.reply.set(Claimed())
            return
        manager = self._managers.get(message.queue_name)
        if manager is None or not manager.open:
            # The one that was let go has closed its mailbox when it was empty: nothing is lost.
            self._forget_closed()
            manager = self._managers[message.queue_name] = self._spawn(message.queue_name)
        _offer(manager, message, message.reply.fail)

    def _forget_closed(self) -> None:
        # Only when their number has doubled: constant work a message, whatever names are asked for.
        if len(self._managers) >= self._prune_at:
            self._managers = {name: box for name, box in self._managers.items() if box.open}
            self._prune_at = max(_MANAGERS_AT_LEAST, 2 * len(self._managers))

    def _announce(self, message: m.JobsReady | m.RoomMade) -> None:
        names = self._managers if message.queue_names is None else message.queue_names
        for name in list(names):
            manager = self._managers.get(name)
            if manager is None:
                continue
            if not manager.open:
                del self._managers[name]
            else:
                manager.offer(message)

    def _drain(self, message: m.Drain) -> None:
        for manager in self._managers.values():
            if not manager.offer(message):
                # No room: it serves what it has, and answers whoever still waits at its end.
                manager.close()
        self._watcher.offer(message)


def _offer(mailbox: Mailbox[M], message: M, refuse: Callable[[Exception], None]) -> None:
    if not mailbox.offer(message):
        refuse(Overloaded("too much waits already; try again shortly"))
