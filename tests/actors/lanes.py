"""Lanes for tests: actors meet a real memory store, without a loop between."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actorq.actors.hints import Hints
from actorq.actors.mailbox import Mailbox
from actorq.actors.runners import run_inline
from actorq.actors.storage import StorageLane
from actorq.backends.memory import MemoryStore
from actorq.core.policy import Policy
from actorq.testing.clock import ManualClock
from tests.unreliable import UnreliableStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from actorq.actors import messages as m
    from actorq.backends.backend import Backend


class World:
    """A memory store on a manual clock, the mailboxes around a lane, and the lane's crash reports.

    Lanes reach the store through its ``trouble``; ``backend`` is the test's own, which has none.
    """

    def __init__(self, policy: Policy | None = None) -> None:
        self.clock = ManualClock()
        memory = MemoryStore(policy or Policy(), self.clock)
        self.store = UnreliableStore(memory)
        self.trouble = self.store.trouble
        self.backend: Backend = memory.connect()
        self.dispatcher: Mailbox[m.DispatcherMessage] = Mailbox(100)
        self.scheduler: Mailbox[m.SchedulerMessage] = Mailbox(100)
        self.reaper: Mailbox[m.ReaperMessage] = Mailbox(100)
        self.watcher: Mailbox[m.WatcherMessage] = Mailbox(100)
        self.crashes: list[tuple[str, str]] = []

    def lane(self) -> StorageLane:
        """Make a storage lane that runs inline."""
        return StorageLane(
            connect=self.store.connect,
            run=run_inline,
            hints=Hints(
                dispatcher=self.dispatcher,
                scheduler=self.scheduler,
                reaper=self.reaper,
                watcher=self.watcher,
            ),
            on_crash=lambda actor, error: self.crashes.append((actor, str(error))),
        )


class DirectLane(Mailbox["m.StorageMessage"]):
    """A lane's mailbox whose every message is handled before ``tell`` returns."""

    def __init__(self, lane: StorageLane) -> None:
        super().__init__(1)
        self._lane = lane
        self.told: list[m.StorageMessage] = []
        self.before: Callable[[], None] | None = None

    async def tell(self, message: m.StorageMessage) -> None:
        """Handle the message at once; ``before`` is called first, once, for a test's surprise."""
        self.told.append(message)
        await self._lane.handle([message])
        if self.before is not None:
            surprise, self.before = self.before, None
            surprise()
