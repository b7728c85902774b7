"""The drift between a job's id and its creation: what turns a span of time into a span of ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from actorq.core.job import NewJob

_MILLISECOND_US: Final = 1_000
_DIGITS: Final = 12
"""Hexadecimal digits of the millisecond at the head of a UUIDv7."""

_LATEST_MS: Final = 16**_DIGITS - 1
_LOWEST: Final = "00000000-0000-0000-0000-000000000000"
_HIGHEST: Final = "ffffffff-ffff-ffff-ffff-ffffffffffff"


class Drift(msgspec.Struct, frozen=True):
    """The least and the greatest distance of ``created_at`` from the time in the id, in microseconds.

    An id is minted a moment before its job is written, by a clock that is kept close to the store's. So
    the jobs created in a span of time have their ids in a span that is hardly wider. The bounds hold
    for all jobs there ever were: they only widen, up to uselessness, if clocks were far apart.
    """

    least: int = -2_000_000
    greatest: int = 2_000_000
    """What the table starts with: wide enough for most, so that it is hardly ever written."""

    def covering(self, items: Sequence[NewJob], now: int) -> Drift:
        """Return bounds that hold for jobs created now, too, with room for those that come."""
        ids = [new.id for new in items]
        least, greatest = now - _time_of(max(ids)), now - _time_of(min(ids))
        if self.least <= least and greatest <= self.greatest:
            return self
        return Drift(min(self.least, 2 * least), max(self.greatest, 2 * greatest))

    def first_id(self, created_from: int | None) -> str:
        """Return a text below which there is no id of a job created at that instant or later."""
        if created_from is None:
            return _LOWEST
        return _head((created_from - self.greatest) // _MILLISECOND_US) + _LOWEST[13:]

    def end_of_ids(self, created_to: int | None) -> str:
        """Return a text from which on there is no id of a job created before that instant."""
        if created_to is None:
            return _HIGHEST
        return _head((created_to - self.least) // _MILLISECOND_US + 1) + _LOWEST[13:]


def read_drift(row: Sequence[Any]) -> Drift:
    """Make the bounds of a row."""
    least, greatest = row
    return Drift(least, greatest)


def _time_of(job_id: str) -> int:
    return int(job_id[:8] + job_id[9:13], 16) * _MILLISECOND_US


def _head(millisecond: int) -> str:
    digits = f"{min(max(millisecond, 0), _LATEST_MS):0{_DIGITS}x}"
    return f"{digits[:8]}-{digits[8:]}"
