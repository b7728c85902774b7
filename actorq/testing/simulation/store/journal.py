"""The journal of a simulated store: what it committed, what of that is durable, and what it forgets."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from actorq.testing.invariants.events import RolledBack
from actorq.testing.simulation.store.moves import moves_of

if TYPE_CHECKING:
    from actorq.testing.simulation.ports import StorePort
    from actorq.testing.simulation.store.data import Commit, WatchedData


class Entry(NamedTuple):
    """One atomic step: its number, the virtual time, and what was committed."""

    step: int
    time: float
    commit: Commit


class Journal:
    """Steps in their order. An answer leaves only after its step, and all before it, are durable.

    Between the two a machine may lose its power: then the steps that were not durable never happened. A
    replica lags further behind, by durable steps too; of those the last ``lag`` seconds are kept.
    """

    def __init__(self, port: StorePort, lag: float = 0.0) -> None:
        """Start empty; moves are recorded at ``port``."""
        self._port = port
        self._lag = lag
        self._entries: deque[Entry] = deque()
        self.step = 0
        """The last step that was committed."""
        self.durable = 0
        """The last step that a loss of power cannot take away."""

    def add(self, commit: Commit) -> None:
        """Take note of a commit, and tell the history of its moves."""
        self.step += 1
        now = self._port.time()
        for move in moves_of(commit, self.step, now):
            self._port.record(move)
        self._entries.append(Entry(self.step, now, commit))

    def sync(self, step: int) -> None:
        """Make everything up to ``step`` durable."""
        if step > self.durable:
            self.durable = step
            forgotten = self._port.time() - self._lag
            entries = self._entries
            while entries and entries[0].step <= step and entries[0].time <= forgotten:
                entries.popleft()

    def lose_power(self, data: WatchedData) -> int:
        """Forget what was not durable; return how many steps that were."""
        return self._roll_back(data, self.durable)

    def fail_over(self, data: WatchedData, lag: float) -> int:
        """Forget the last ``lag`` seconds, durable or not; return how many steps that were."""
        since = self._port.time() - lag
        kept = self.step
        for entry in reversed(self._entries):
            if entry.time <= since:
                break
            kept = entry.step - 1
        return self._roll_back(data, kept)

    def _roll_back(self, data: WatchedData, kept: int) -> int:
        lost = 0
        while self._entries and self._entries[-1].step > kept:
            data.revert(self._entries.pop().commit)
            lost += 1
        if lost:
            self._port.record(RolledBack(at=self._port.time(), actor="store", step=kept))
        self.durable = self.step
        return lost
