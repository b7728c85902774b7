"""The drift between a job's id and its creation: what turns a span of time into a span of ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from actorq.core.job import Job

_MILLISECOND_US: Final = 1_000
_DIGITS: Final = 12
"""Hexadecimal digits of the millisecond at the head of a UUIDv7."""

_LATEST_MS: Final = 16**_DIGITS - 1


class Drift:
    """The least and the greatest distance of ``created_at`` from the time in the id, over all jobs.

    An id is minted a moment before its job is written, by a clock that is kept close to the store's. So
    the jobs created in a span of time have their ids in a span that is hardly wider. The bounds are safe
    for any ids: they only widen, up to uselessness, if the clocks were far apart.
    """

    __slots__ = ("_greatest", "_least")

    def __init__(self) -> None:
        """Start without a job."""
        self._least = 0
        self._greatest = 0

    def saw(self, job: Job) -> None:
        """Take a new job into account."""
        # By hand, for speed: this runs once for every job that is accepted.
        drift = job.created_at - _time_of(job.id)
        if drift < self._least:
            self._least = drift
        elif drift > self._greatest:
            self._greatest = drift

    def no_id_below(self, created_from: int) -> str:
        """Return a text below which there is no id of a job created at that instant or later."""
        return _head((created_from - self._greatest) // _MILLISECOND_US)

    def no_id_above(self, created_to: int) -> str:
        """Return a text above which there is no id of a job created before that instant."""
        return _head((created_to - self._least) // _MILLISECOND_US + 1)


def _time_of(job_id: str) -> int:
    try:
        return int(job_id[:8] + job_id[9:13], 16) * _MILLISECOND_US
    except ValueError:
        # Ids of another make say nothing about time, wherever they sort.
        return 0


def _head(millisecond: int) -> str:
    digits = f"{min(max(millisecond, 0), _LATEST_MS):0{_DIGITS}x}"
    return f"{digits[:8]}-{digits[8:]}"
