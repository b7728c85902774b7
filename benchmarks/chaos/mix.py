"""The mix of jobs: what producers ask for, and what a job tells its handler by its payload."""

from __future__ import annotations

from random import Random
from typing import Final

import msgspec

from actorq.testing.invariants.events import Delivery, Request, digest
from benchmarks.chaos.plan import BACKOFF_S, QUEUES

AT_MOST_ONCE: Final = 0.10
FAILING: Final = 0.10
DELAYED: Final = 0.20
DEDUPLICATED: Final = 0.10
LONG: Final = 0.02
REPEATED: Final = 0.03

_KEYS: Final = 10
"""Dedupe keys that are there: few, so that some are held by a live job when asked for again."""

_MOST_DELAY_S: Final = 5.0
_SHORT_S: Final = (0.0, 0.05)
_LONG_S: Final = (2.5, 5.0)
_MAX_RETRIES: Final = 3
_FAILURES: Final = (1, 1, 1, 2, 2, 100)
"""How many attempts of a job that fails do so: mostly fewer than it may retry."""

_TEXTS: Final = ("", "plain", "zero \0 within", "größer 漢字 🦊", "x" * 2_000)


class Task(msgspec.Struct, frozen=True):
    """What the payload tells the handler: for how long to work, and how many attempts are to fail."""

    key: str
    seconds: float
    failures: int


_task: Final = msgspec.json.Decoder(Task)


def payload_of(task: Task, text: str) -> str:
    """Return a payload: a line for the handler, then text that only has to come through."""
    return f"{msgspec.json.encode(task).decode()}\n{text}"


def task_of(payload: str) -> Task:
    """Return what a payload tells its handler."""
    return _task.decode(payload.partition("\n")[0])


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """One job to be asked for, under an idempotency key of its own."""

    key: str
    queue: str
    payload: str
    delivery: Delivery
    delay: float
    priority: int
    dedupe_key: str | None
    is_repeated: bool
    """Whether it is to be asked for once more although the answer came."""

    def body(self) -> dict[str, object]:
        """Return what is sent, but for the idempotency key."""
        body: dict[str, object] = {
            "queue_name": self.queue,
            "payload": self.payload,
            "delivery": self.delivery,
            "priority": self.priority,
            "max_retries": _MAX_RETRIES,
            "backoff": {"base": BACKOFF_S, "factor": 2.0, "max": 2.0},
        }
        if self.delay:
            body["delay"] = self.delay
        if self.dedupe_key is not None:
            body["dedupe_key"] = self.dedupe_key
        return body

    def request(self) -> Request:
        """Return what is recorded."""
        return Request(
            queue=self.queue,
            payload=digest(self.payload),
            priority=self.priority,
            delivery=self.delivery,
            max_retries=_MAX_RETRIES,
            delay=self.delay,
            dedupe_key=self.dedupe_key,
            idempotency_key=self.key,
        )


class Mix:
    """Draws jobs, always the same for the same seed."""

    def __init__(self, seed: str) -> None:
        """Draw from ``seed``, which also begins every key: no two mixes may have the same."""
        self._draw = Random(seed)  # noqa: S311 - to be replayed
        self._seed = seed
        self._number = 0

    def next(self) -> Wish:
        """Draw the next job."""
        draw = self._draw
        self._number += 1
        key = f"{self._seed} {self._number}"
        is_once = draw.random() < AT_MOST_ONCE
        fails = draw.random() < FAILING
        shortest, longest = _LONG_S if draw.random() < LONG else _SHORT_S
        task = Task(
            key=key,
            seconds=round(draw.uniform(shortest, longest), 3),
            failures=draw.choice(_FAILURES) if fails else 0,
        )
        is_held = draw.random() < DEDUPLICATED
        return Wish(
            key=key,
            queue=draw.choice(QUEUES),
            payload=payload_of(task, draw.choice(_TEXTS)),
            delivery="at_most_once" if is_once else "at_least_once",
            delay=round(draw.uniform(0.1, _MOST_DELAY_S), 3) if draw.random() < DELAYED else 0.0,
            priority=draw.choice((-1, 0, 0, 0, 7)),
            dedupe_key=f"key {draw.randrange(_KEYS)}" if is_held else None,
            is_repeated=draw.random() < REPEATED,
        )
