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
        """Whether it may have jobs that could start at once: its last claim got all that it asked for."""
        self.is_probing = False
        """Whether it is eager only because it has not been looked at for a while."""
        self.fulls = 0
        """How many claims in a row got all that they asked for."""
        self.reserved = 0
        self.turn: anyio.Event | None = None
        self.polling: anyio.CancelScope | None = None


class Slots:
    """Shares free slots among queues by their weights.

    Eager queues come first, in proportion to their weights. A queue that was seen empty waits for a job
    with what they leave; its claim is withdrawn when they need the slots that it holds meanwhile, and it
    is looked at now and then.
    """

    def __init__(self, capacity: int, weights: Mapping[str, float]) -> None:
        """Have ``capacity`` slots for queues of these weights."""
        self._free = capacity
        self._lines = {name: _Line(weight) for name, weight in weights.items()}

    async def reserve(self, name: str) -> Grant:
        """Wait until this queue may claim; the slots are its own until ``answered``."""
        line = self._lines[name]
        while True:
            if line.is_eager and (not self._free or line.fulls > 1):
                self._withdraw_polls()
            if count := self._share(line):
                break
            line.turn = anyio.Event()
            with anyio.move_on_after(None if line.is_eager else PROBE_S) as waiting:
                await line.turn.wait()
            line.turn = None
            if waiting.cancelled_caught:
                self._wake_up(line)
                line.is_probing = True
        self._free -= count
        line.reserved = count
        return Grant(count, len(self._lines) == 1 or not line.is_eager)

    def polls(self, name: str, scope: anyio.CancelScope | None) -> None:
        """Say that this queue's claim waits for a job, and can be withdrawn by ``scope``."""
        self._lines[name].polling = scope

    def answered(self, name: str, got: int) -> None:
        """Take back what a claim did not use: ``got`` jobs keep their slots until ``free``."""
        line = self._lines[name]
        line.served += got / line.weight
        unused, line.reserved = line.reserved - got, 0
        line.fulls = line.fulls + 1 if got and not unused else 0
        line.is_probing = False
        if line.fulls and not line.is_eager:
            self._wake_up(line)
        line.is_eager = line.fulls > 0
        self.free(unused)

    def free(self, count: int) -> None:
        """Give slots back: their jobs have ended, or were never there."""
        self._free += count
        for line in self._lines.values():
            if line.turn is not None:
                line.turn.set()

    def _share(self, line: _Line) -> int:
        """Return how many of the free slots this queue may have now."""
        others = [each for each in self._lines.values() if each is not line]
        if not line.is_eager:
            if any(each.is_eager for each in others):
                return 0
            # Whoever has slots reserved waits with them already.
            return min(self._free, max(1, self._part(line, [e for e in others if not e.reserved])))
        rivals = [each for each in others if each.is_eager]
        share = self._part(line, rivals)
        if not share and all(line.served <= each.served for each in rivals):
            share = 1
        return min(share, self._free, 1) if line.is_probing else min(share, self._free)

    def _part(self, line: _Line, others: Iterable[_Line]) -> int:
        """Return a queue's part of what is free, by its weight among ``others``."""
        return int(self._free * line.weight / sum((each.weight for each in others), line.weight))

    def _wake_up(self, line: _Line) -> None:
        """Make a queue eager; what it did not use while it had no jobs gives it no right to more now."""
        eager = [each.served for each in self._lines.values() if each.is_eager and each is not line]
        line.served = max(line.served, min(eager, default=line.served))
        line.is_eager = True

    def _withdraw_polls(self) -> None:
        for line in self._lines.values():
            if line.polling is not None:
                line.polling.cancel()
                line.polling = None
