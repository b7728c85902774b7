"""Times as people write them: durations and instants, turned into seconds and microseconds."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypeAlias

from actorq.core.instants import check_instant, from_datetime, parse_duration

Duration: TypeAlias = float | str | timedelta
"""Seconds as a number, text such as ``"300s"``, ``"5m"`` or ``"1h30m"``, or a ``timedelta``."""

Instant: TypeAlias = int | datetime
"""Microseconds since the Unix epoch, or a ``datetime`` with its time zone."""


def seconds(value: Duration, pointer: str) -> float:
    """Return a duration in seconds, finite and not negative; raises ``InvalidInput`` at ``pointer``."""
    if isinstance(value, timedelta):
        value = value.total_seconds()
    return parse_duration(value, pointer)


def instant(value: Instant, pointer: str) -> int:
    """Return an instant; raises ``InvalidInput`` for one out of range, or without its time zone."""
    return from_datetime(value) if isinstance(value, datetime) else check_instant(value, pointer)
