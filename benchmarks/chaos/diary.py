"""The diary of who makes the trouble: each fault with its times, and what nobody had ordered."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import msgspec

from actorq.testing.invariants.events import FaultBegan, FaultEnded
from benchmarks.chaos.notes import now
from benchmarks.chaos.schedule import FaultKind

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable
    from random import Random

    from benchmarks.chaos.notes import Notes

STORE: Final = ("store",)
"""Whom a fault meets that meets the store: others may be named after it."""

Nature: TypeAlias = Literal["kill", "pause", "cut", "restart", "fail_over", "lost_reply", "slow"]


class Made(msgspec.Struct, kw_only=True):
    """A fault that was made: ``began`` and ``ended`` are seconds of the machine's clock."""

    kind: FaultKind
    targets: tuple[str, ...]
    began: float
    ended: float = float("inf")

    @property
    def is_of_store(self) -> bool:
        """Whether it was the store that it met."""
        return self.targets[:1] == STORE


class Diary:
    """What was done to whom, for several threads at once."""

    def __init__(self, notes: Notes) -> None:
        """Record in ``notes``, too, for those who judge."""
        self.notes = notes
        self.over = threading.Event()
        """Set when no fault is to begin any more, and those that are made are to end."""

        self.made: list[Made] = []
        self.complaints: list[str] = []
        """What went wrong with a process though nothing was done to it."""

    @contextmanager
    def fault(self, kind: FaultKind, nature: Nature, targets: Iterable[str]) -> Generator[Made]:
        """Record a fault that lasts as long as the block."""
        met = tuple(targets)
        name = self.notes.call()
        began = self.notes.note(
            lambda at, actor: FaultBegan(at=at, actor=actor, fault=name, kind=nature, targets=met)
        )
        made = Made(kind=kind, targets=met, began=began)
        self.made.append(made)
        try:
            yield made
        finally:
            made.ended = self.notes.note(lambda at, by: FaultEnded(at=at, actor=by, fault=name))

    def store_was_met(self, since: float) -> bool:
        """Tell whether anything was done to the store since a moment."""
        return any(fault.is_of_store and fault.ended > since for fault in self.made)

    def complain(self, text: str) -> None:
        """Note what must not have happened."""
        self.complaints.append(text)

    def rest(self, draw: Random, shortest: float, longest: float) -> None:
        """Let a drawn time pass, in seconds; none when it is over."""
        self.over.wait(draw.uniform(shortest, longest))

    def until(self, moment: float) -> bool:
        """Wait until a moment of the machine's clock; False when it is over before."""
        return not self.over.wait(max(0.0, moment - now()))
