"""Calls under way: each is applied at some moment, once, twice or never, and answered or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Literal, TypeVar

from actorq.testing.invariants import events as e

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

AnswerT = TypeVar("AnswerT")

Fate = Literal["known", "twice", "unheard", "late", "lost", "refused"]
HOSTILE: tuple[Fate, ...] = (
    "known",
    "known",
    "known",
    "twice",
    "unheard",
    "late",
    "lost",
    "refused",
)


@dataclass(slots=True)
class Flight(Generic[AnswerT]):
    """One call: what it does to the store, and what its caller records of the answer."""

    call: str
    actor: str
    act: Callable[[], AnswerT]
    told: Callable[[AnswerT], e.Event]
    fate: Fate = "known"
    silent: bool = False
    """The caller is gone: an unknown outcome is not even recorded."""
    answer: AnswerT | None = None
    acted: int = 0
    hand_back: Callable[[AnswerT], None] | None = None
    """What a server does that could not hand over its answer."""

    def go_on(self, at: float, rng: Random) -> tuple[bool, e.Event | None]:
        """Go one step: tell whether it is over, and what is recorded."""
        if self.fate == "refused":
            return True, e.Refused(at=at, actor=self.actor, call=self.call, code="overloaded")
        if self.fate == "lost":
            return True, self._unknown(at)
        if self.fate == "late" and not self.acted:
            self.acted, self.fate = 1, "unheard"
            event = self._unknown(at)
            self.silent = True
            return False, event
        if self.answer is None:
            self.answer = self.act()
            return False, None
        if self.fate == "unheard":
            if self.hand_back is not None and rng.random() < 0.5:
                self.hand_back(self.answer)
            return True, self._unknown(at)
        if self.fate == "twice":
            self.answer = self.act()
        return True, self.told(self.answer)

    def _unknown(self, at: float) -> e.Event | None:
        return None if self.silent else e.Unknown(at=at, actor=self.actor, call=self.call)
