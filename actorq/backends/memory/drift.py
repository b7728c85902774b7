"""The drift between a job's id and its creation: what turns a span of time into a span of ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from actorq.core.ids import LATEST_MS, MILLISECOND_US, head_of

if TYPE_CHECKING:
    from actorq.core.job import Job

_UNKNOWN_US: Final = 2**80
"""A distance beyond every instant: with it no id can be ruled out."""


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
        job_id = job.id
        try:
            drift = job.created_at - int(job_id[:8] + job_id[9:13], 16) * MILLISECOND_US
        except ValueError:
            self._give_up()
            return
        if not self._least <= drift <= self._greatest:
            self._widen(job, drift)

    def no_id_below(self, created_from: int) -> str:
        """Return a text below which there is no id of a job created at that instant or later."""
        millisecond = (created_from - self._greatest) // MILLISECOND_US
        return head_of(millisecond) if millisecond > 0 else ""

    def no_id_from(self, created_to: int) -> str | None:
        """Return a text from which on there is no id of a job created before that instant, if any."""
        millisecond = (created_to - 1 - self._least) // MILLISECOND_US + 1
        return head_of(millisecond) if millisecond <= LATEST_MS else None

    def _widen(self, job: Job, drift: int) -> None:
        millisecond = (job.created_at - drift) // MILLISECOND_US
        if not 0 <= millisecond <= LATEST_MS or not job.id.startswith(head_of(millisecond)):
            # An id of another make says nothing about time, wherever it sorts.
            self._give_up()
            return
        self._least = min(self._least, drift)
        self._greatest = max(self._greatest, drift)

    def _give_up(self) -> None:
        self._least, self._greatest = -_UNKNOWN_US, _UNKNOWN_US
