"""The plan of a run: how much, how often, and on what."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - msgspec reads annotations at run time
from typing import TYPE_CHECKING, Final, Literal

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

StoreName = Literal["memory", "sqlite", "postgres", "redis"]
DoorName = Literal["embedded", "http"]
ServerName = Literal["hypercorn", "uvicorn"]
LoopName = Literal["asyncio", "trio"]

QUEUE: Final = "bench"
"""The queue of a run that has only one."""

PAYLOAD: Final = '{"to":"someone@example.org","template":"welcome","locale":"en"}'
"""What a job of the benchmark carries: the size of most jobs in practice."""

HOLD_S: Final = 3_600.0
"""Seconds that a claim of the benchmark lasts, so that no lease ends while something is measured."""

_ENOUGH: Final = 500
"""Jobs for each that travels at the same time: a lone caller waits for a commit a job."""


class Shape(msgspec.Struct, frozen=True):
    """How jobs reach the door: from so many callers at once, so many in each call."""

    callers: int = 1
    batch: int = 1

    def __str__(self) -> str:
        """Say it as the table does."""
        callers = "1 caller" if self.callers == 1 else f"{self.callers:,} callers"
        if self.batch == 1:
            return callers
        if self.callers == 1:
            return f"batches of {self.batch}"
        return f"{callers}, batches of {self.batch}"

    def sizes(self, jobs: int) -> list[int]:
        """Return how many jobs each call has, for ``jobs`` jobs in all."""
        return list(_cut(jobs, self.batch))


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a run measures. Files are made in ``folder``, and are gone at the end."""

    folder: Path
    jobs: int = 5_000
    rounds: int = 5
    loop: LoopName = "asyncio"
    quick: bool = False

    def jobs_of(self, shape: Shape) -> int:
        """Return how many jobs a round in this shape has."""
        return min(self.jobs, _ENOUGH * shape.callers * shape.batch)

    def on(self, loop: LoopName) -> Plan:
        """Return the same plan on another event loop."""
        return msgspec.structs.replace(self, loop=loop)


def _cut(total: int, size: int) -> Iterator[int]:
    while total > 0:
        yield min(total, size)
        total -= size
