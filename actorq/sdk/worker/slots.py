"""The slots of a worker: who may claim how many jobs, so that no more are claimed than can start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import anyio

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PROBE_S: Final = 0.5
"""After how many seconds a queue without a job is looked at again while others take every slot."""


class Grant(NamedTuple):
    """So many slots to claim for; ``is_patient`` when the claim may wait for a job to come."""

    slots: int
    is_patient: bool


class _Line:
    """One queue in the contest for slots."""

    def __init__(self, weight: float) -> None:
        self.weight = weight
        self.served = 0.0
        """Jobs that it got, by its weight: who has the least is next."""
        self.is_eager = True
        """Whether it may have a job that could start at once: the last claim got all it asked for."""
        self.reserved = 0
        self.turn: anyio.Event | None = None
        self.polling: anyio.CancelScope | None = None


class Slots:
    """Shares free slots among queues by their weights.

    Eager queues come first, in proportion to their weights. A queue that was seen empty waits for a job
    with what they leave; its claim is withdrawn when they need the slots that it holds meanwhile.
    """

    def __init__(self, capacity: int, weights: Mapping[str, float]) -> None:
        """Have ``capacity`` slots for queues of these weights."""
        self._free = capacity
        self._lines = {name: _Line(weight) for name, weight in weights.items()}

    async def reserve(self, name: str) -> Grant:
        """Wait until this queue may claim; the slots are its own until ``answered``."""
        line = self._lines[name]
        while not (count := self._share(line)):
            if line.is_eager and not self._free:
                self._withdraw_a_poll()
            line.turn = anyio.Event()
            with anyio.move_on_after(None if line.is_eager else PROBE_S) as waiting:
                await line.turn.wait()
            line.turn = None
            if waiting.cancelled_caught:
                self._wake_up(line)
        self._free -= count
        line.reserved = count
        return Grant(
            count, not any(each.is_eager for each in self._contestants() if each is not line)
        )

    def polls(self, name: str, scope: anyio.CancelScope | None) -> None:
        """Say that this queue's claim waits for a job, and can be withdrawn by ``scope``."""
        self._lines[name].polling = scope

    def answered(self, name: str, got: int) -> None:
        """Take back what a claim did not use: ``got`` jobs keep their slots until ``free``."""
        line = self._lines[name]
        line.served += got / line.weight
        is_eager = bool(got) and got == line.reserved
        unused, line.reserved = line.reserved - got, 0
        if is_eager and not line.is_eager:
            self._wake_up(line)
        line.is_eager = is_eager
        self.free(unused)

    def free(self, count: int) -> None:
        """Give slots back: their jobs have ended, or were never there."""
        self._free += count
        for line in self._lines.values():
            if line.turn is not None:
                line.turn.set()

    def _share(self, line: _Line) -> int:
        """Return how many of the free slots this queue may have now."""
        rivals = [each for each in self._contestants() if each is not line]
        if any(each.is_eager for each in rivals):
            if not line.is_eager:
                return 0
            rivals = [each for each in rivals if each.is_eager]
        share = int(self._free * line.weight / sum((each.weight for each in rivals), line.weight))
        if share or not self._free:
            return share
        return 1 if all(line.served <= each.served for each in rivals) else 0

    def _contestants(self) -> Iterable[_Line]:
        """Return the queues that have no claim under way: each is about to ask for slots."""
        return [each for each in self._lines.values() if not each.reserved]

    def _wake_up(self, line: _Line) -> None:
        """Make a queue eager; what it did not use while it had no jobs gives it no right to more now."""
        others = [
            each.served for each in self._lines.values() if each is not line and each.is_eager
        ]
        line.served = max(line.served, min(others, default=line.served))
        line.is_eager = True

    def _withdraw_a_poll(self) -> None:
        polls = [each for each in self._lines.values() if each.polling is not None]
        if polls:
            largest = max(polls, key=lambda each: each.reserved)
            assert largest.polling is not None
            largest.polling.cancel()
            largest.polling = None
