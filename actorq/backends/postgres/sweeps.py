"""Sweeps: what happens as time goes by, a bounded round at a time, by any number of servers at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from actorq.backends.postgres import arrays
from actorq.backends.postgres.work import first_or_none
from actorq.core import lifecycle
from actorq.core.instants import SECOND_US
from actorq.core.results import Sweep

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from actorq.backends.postgres.records import Entry
    from actorq.backends.postgres.work import Work
    from actorq.core.job import Job


class Upcoming(msgspec.Struct, frozen=True):
    """When there is upkeep to do, seen from the instant ``now``; ``moved``: some is there already."""

    now: int
    expiry: int | None
    promotion: int | None
    moved: bool

    def has_come(self, instant: int | None) -> bool:
        """Tell whether an instant is over."""
        return instant is not None and instant <= self.now

    def seconds_to(self, instant: int | None) -> float | None:
        """Return the seconds to an instant that is not over yet."""
        return None if instant is None else (instant - self.now) / SECOND_US


def read_upcoming(row: Sequence[Any]) -> Upcoming:
    """Make it of a row."""
    return Upcoming(*row)


def requeue_expired(work: Work, limit: int) -> Sweep:
    """End leases that ran out, oldest first; those that another server is ending are left to it."""
    rounds = work.shared.rounds
    since = arrays.int8(rounds.since())
    (result,) = work.ask(work.statements("sweeps.run_out", arrays.int8(limit), since))
    ended = tuple(
        work.change(entry, lifecycle.expire(entry.job, work.policy, work.now))
        for entry in work.enter(result)
    )
    now = arrays.int8(work.now)
    _, upcoming, _ = work.finish(
        work.statements("sweeps.look_later", now, since),
        work.statements("sweeps.next_expiry", now),
        work.statements("sweeps.fold"),
    )
    rounds.done(work.now, complete=len(ended) < limit)
    return Sweep(ended, _next_in(ended, limit, upcoming.row(first_or_none), work.now))


def promote_delayed(work: Work, limit: int) -> Sweep:
    """Bury waiting jobs that lapsed, and make delayed ones pending that have become due."""
    lapsed, due = work.ask(
        work.statements("sweeps.lapsed", arrays.int8(limit)),
        work.statements("sweeps.due", arrays.int8(limit)),
    )
    late = {entry.job.id: entry for entry in work.enter(lapsed)}
    ripe = [entry for entry in work.enter(due) if entry.job.id not in late]
    moved = [work.change(entry, lifecycle.lapse(entry.job, work.now)) for entry in late.values()]
    moved += [
        work.change(entry, _promoted(entry, work.now)) for entry in ripe[: limit - len(moved)]
    ]
    (upcoming,) = work.finish(
        work.statements("sweeps.next_promotion", arrays.int8(work.now)),
    )
    return Sweep(tuple(moved), _next_in(moved, limit, upcoming.row(first_or_none), work.now))


def _promoted(entry: Entry, now: int) -> Job:
    # It may have lapsed between the two questions.
    job = entry.job
    lapsed = job.expires_at is not None and job.expires_at <= now
    return lifecycle.lapse(job, now) if lapsed else lifecycle.promote(job, now)


def _next_in(swept: Sequence[Job], limit: int, upcoming: int | None, now: int) -> float | None:
    if len(swept) == limit:
        return 0.0
    return None if upcoming is None else (upcoming - now) / SECOND_US
