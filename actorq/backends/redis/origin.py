"""Origin: which schedule made a job, as it stands in a body.

It came later than the layout, so it stands in the map in which any program leaves alone what it
does not know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from actorq.backends.redis.workflow import asked_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actorq.core.job import Job, TickJob

_SCHEDULE, _TICK = "schedule", "tick"
_encode: Final = msgspec.msgpack.Encoder().encode
_texts: Final = msgspec.msgpack.Decoder(str)
_numbers: Final = msgspec.msgpack.Decoder(int | None)


def origin_of(job: Job | TickJob) -> dict[str, msgspec.Raw]:
    """Return what a body tells of the schedule that made its job."""
    if job.schedule is None:
        return {}
    return {_SCHEDULE: msgspec.Raw(_encode(job.schedule)), _TICK: msgspec.Raw(_encode(job.tick))}


def later_of(job: Job) -> dict[str, msgspec.Raw]:
    """Return all of a new job that came later than the layout."""
    return {**origin_of(job), **asked_of(job)}


def schedule_in(later: Mapping[str, msgspec.Raw]) -> str | None:
    """Return the schedule that a body tells of."""
    return _texts.decode(later[_SCHEDULE]) if _SCHEDULE in later else None


def tick_in(later: Mapping[str, msgspec.Raw]) -> int | None:
    """Return the instant of the tick that a body tells of."""
    return _numbers.decode(later[_TICK]) if _TICK in later else None
