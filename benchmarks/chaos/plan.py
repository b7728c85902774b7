"""The plan of a chaos run: on what, how long, how hard, and from which seed."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - msgspec reads annotations at run time
from typing import Final, Literal

import msgspec

StoreName = Literal["sqlite", "postgres", "redis"]
FaultSet = Literal["usual", "failover", "failover-wait", "cluster"]

QUEUES: Final = ("chaos-a", "chaos-b", "chaos-c")

MAX_EXPIRIES: Final = 15
"""Lost leases that a job survives here: faults come far more often than where people work."""

GRACE_S: Final = 5.0
"""How long a server may take to stop."""

BACKOFF_S: Final = 0.2
"""Seconds before the first retry of a job that fails."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a run is. ``rate`` is jobs a second, ``lease`` the visibility timeout in seconds."""

    store: StoreName
    seconds: float
    seed: int
    out: Path
    faults: FaultSet = "usual"
    rate: float = 200.0
    lease: float = 2.0
    servers: int = 3
    workers: int = 6
    producers: int = 2
    slots: int = 8
    """Jobs that one worker holds at most."""

    is_timed: bool = True
    """Whether servers must be quick to tell of their store, and to stop: not on a busy machine."""

    quiet: float = 90.0
    """Seconds after the last fault in which every job must have come to its end."""
