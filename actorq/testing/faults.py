"""Faults: what a test lets go wrong between a queue and its store."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, TypeVar

import anyio

from actorq.errors import BackendUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from actorq.testing.virtual_time import VirtualTime

T = TypeVar("T")

Verb: TypeAlias = Literal[
    "enqueue",
    "dequeue",
    "find_claims",
    "ack",
    "fail",
    "release",
    "extend",
    "report",
    "cancel",
    "redrive",
    "get_job",
    "update_job",
    "delete",
    "requeue_expired",
    "promote_delayed",
    "prune",
    "purge",
    "list_jobs",
    "list_queues",
    "get_queue_length",
    "update_queue",
    "change_schedules",
    "get_schedules",
    "list_schedules",
    "fire_schedules",
    "check",
]
"""What a store can be asked: the verbs of ``actorq.backends.backend.Backend``."""

_READING: Final = frozenset(
    {
        "find_claims",
        "get_job",
        "list_jobs",
        "list_queues",
        "get_queue_length",
        "get_schedules",
        "list_schedules",
        "check",
    }
)
_UPKEEP: Final = frozenset(
    {"extend", "requeue_expired", "promote_delayed", "fire_schedules", "prune"}
)


class Faults:
    """What goes wrong with a store, until a block ends or its number of times is over.

    Whoever waits for the store sees what it would see of a real one: calls that are repeated where that is
    harmless, and ``BackendUnavailable`` where it is not.
    """

    def __init__(self, time: VirtualTime) -> None:
        """Let nothing go wrong; tell ``time`` when something happens."""
        self._time = time
        self._refused: dict[Verb, int] = {}
        self._lost: dict[Verb, int] = {}
        self._slow: dict[Verb | None, float] = {}
        self._blocks = 0
        self._delay = 0.0
        self.calls: list[Verb] = []
        """Every call that reached the store so far, by its verb."""
        self.change = anyio.Event()
        """Set, and replaced, when something was written that is more than upkeep."""

    @property
    def is_away(self) -> bool:
        """Whether the store cannot be reached at all."""
        return self._blocks > 0

    @contextmanager
    def store_away(self) -> Generator[None]:
        """Let no call reach the store in this block, and no connection be made."""
        self._blocks += 1
        try:
            yield
        finally:
            self._blocks -= 1

    def refuse(self, verb: Verb, times: int = 1) -> None:
        """Let the next calls of ``verb`` fail before they have done anything."""
        self._refused[verb] = self._refused.get(verb, 0) + times

    def lose_answer(self, verb: Verb, times: int = 1) -> None:
        """Let the next calls of ``verb`` take effect, and their answers be lost."""
        self._lost[verb] = self._lost.get(verb, 0) + times

    @contextmanager
    def slow(self, seconds: float, verb: Verb | None = None) -> Generator[None]:
        """Let the answers to ``verb`` (None: to every call) come ``seconds`` late, in this block."""
        before = self._slow.get(verb, 0.0)
        self._slow[verb] = seconds
        try:
            yield
        finally:
            self._slow[verb] = before

    # ── for the store ───────────────────────────────────────────────────────────────────────────

    def refuse_if_away(self) -> None:
        """Raise ``BackendUnavailable`` while the store is away."""
        if self.is_away:
            raise BackendUnavailable("the store is away, as the test wants it")

    def through(self, verb: Verb, call: Callable[[], T]) -> T:
        """Make a call, or fail as the test wants it."""
        self.refuse_if_away()
        self._delay = max(self._delay, self._slow.get(verb, 0.0), self._slow.get(None, 0.0))
        if _takes_one(self._refused, verb):
            raise BackendUnavailable(f"{verb} was refused, as the test wants it")
        self.calls.append(verb)
        result = call()
        if verb not in _READING and verb not in _UPKEEP:
            self.notice_change()
        if _takes_one(self._lost, verb):
            raise BackendUnavailable(f"the answer to {verb} was lost, as the test wants it")
        return result

    def notice_change(self) -> None:
        """Tell whoever waits for a change, and the time that it was not spent in vain."""
        self._time.allow()
        self.change.set()
        self.change = anyio.Event()

    async def run(self, function: Callable[[], T]) -> T:
        """Run a call of a lane, and let its answer come as late as the test wants it."""
        try:
            return function()
        finally:
            delay, self._delay = self._delay, 0.0
            if delay:
                await anyio.sleep(delay)


def _takes_one(left: dict[Verb, int], verb: Verb) -> bool:
    if not left.get(verb):
        return False
    left[verb] -= 1
    return True
