"""A queue: its settings, its figures, and its jobs in the orders in which they are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actorq.backends.memory.endings import Ended
from actorq.backends.memory.ready import Ready
from actorq.backends.memory.sorted_keys import SortedKeys
from actorq.core.instants import to_us
from actorq.core.queue import QueueLength, QueueSettings, QueueStats
from actorq.core.transitions import ENDED, Status

if TYPE_CHECKING:
    from actorq.core.policy import Policy


class Queue:
    """One queue. ``ready`` is the order of claims, ``ages`` holds the pending jobs by their making."""

    __slots__ = ("accepted", "ages", "ended", "ids", "name", "pruned", "ready", "settings")

    def __init__(self, name: str, policy: Policy) -> None:
        """Start empty, with the settings of ``policy``."""
        self.name = name
        self.accepted = 0
        self.pruned = 0
        self.ids: dict[Status, SortedKeys[str]] = {status: SortedKeys() for status in Status}
        self.ended = {status: Ended(f"{name}/{status}", self.ids[status]) for status in ENDED}
        self.ready = Ready()
        self.ages: SortedKeys[tuple[int, str]] = SortedKeys()
        self.settings = QueueSettings()
        self.set(self.settings, policy)

    def set(self, settings: QueueSettings, policy: Policy) -> None:
        """Take over settings."""
        self.settings = settings
        retention = settings.retention or policy.retention
        for status, age, most in retention.rules():
            self.ended[status].age_us = to_us(age)
            self.ended[status].most = most

    def full(self) -> bool:
        """Tell whether there is no room for one more waiting job."""
        bound = self.settings.max_depth
        if bound is None:
            return False
        return len(self.ids[Status.PENDING]) + len(self.ids[Status.DELAYED]) >= bound

    def room(self, wanted: int) -> int:
        """Return how many of ``wanted`` more jobs may run."""
        bound = self.settings.max_running
        if bound is None:
            return wanted
        return max(0, min(wanted, bound - len(self.ids[Status.RUNNING])))

    def stats(self) -> QueueStats:
        """Return the figures."""
        oldest = self.ages.first()
        return QueueStats(
            name=self.name,
            counts={status: len(ids) for status, ids in self.ids.items()},
            accepted=self.accepted,
            pruned=self.pruned,
            oldest_pending_at=None if oldest is None else oldest[0],
            settings=self.settings,
        )

    def length(self) -> QueueLength:
        """Return how many jobs wait."""
        return QueueLength(
            queue_name=self.name,
            pending=len(self.ids[Status.PENDING]),
            delayed=len(self.ids[Status.DELAYED]),
            running=len(self.ids[Status.RUNNING]),
            paused=self.settings.paused,
        )
