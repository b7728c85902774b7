"""The drift between a job's id and its creation: what turns a span of time into a span of ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

import msgspec

from actorq.backends.sqlite.statements import statement
from actorq.core.ids import MILLISECOND_US, head_of, millisecond_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from actorq.core.job import NewJob

_READ: Final = statement("listing", "drift")
_WIDEN: Final = statement("listing", "widen_drift")


class Drift(msgspec.Struct, frozen=True):
    """The least and the greatest distance of ``created_at`` from the time in the id, in microseconds.

    An id is minted a moment before its job is written, by a clock that is kept close to the store's. So
    the jobs created in a span of time have their ids in a span that is hardly wider. The bounds hold
    for all jobs there ever were: they only widen, up to uselessness, if clocks were far apart.
    """

    least: int = 0
    greatest: int = 0

    def covering(self, items: Sequence[NewJob], now: int) -> Drift:
        """Return bounds that hold for jobs created now, too."""
        ids = [new.id for new in items]
        least = min(self.least, now - _time_of(max(ids)))
        greatest = max(self.greatest, now - _time_of(min(ids)))
        return self if (least, greatest) == (self.least, self.greatest) else Drift(least, greatest)

    def no_id_below(self, created_from: int) -> str:
        """Return a text below which there is no id of a job created at that instant or later."""
        return head_of((created_from - self.greatest) // MILLISECOND_US)

    def no_id_above(self, created_to: int) -> str:
        """Return a text above which there is no id of a job created before that instant."""
        return head_of((created_to - self.least) // MILLISECOND_US + 1)


def read_drift(sqlite: sqlite3.Connection) -> Drift:
    """Read the bounds."""
    return Drift(*cast("tuple[int, int]", sqlite.execute(_READ).fetchone()))


def widen_drift(sqlite: sqlite3.Connection, drift: Drift) -> None:
    """Make the bounds in the file at least as wide."""
    sqlite.execute(_WIDEN, (drift.least, drift.greatest))


def _time_of(job_id: str) -> int:
    try:
        return millisecond_of(job_id) * MILLISECOND_US
    except ValueError:
        # Ids of another make say nothing about time, wherever they sort.
        return 0
