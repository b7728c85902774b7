"""Sweeps: what happens as time goes by, a bounded round at a time, by any number of servers at once."""

from __future__ import annotations

from graphlib import TopologicalSorter
from typing import TYPE_CHECKING

import msgspec

from actorq.backends.postgres import arrays
from actorq.backends.postgres.work import first_or_none
from actorq.core import dependence, lifecycle
from actorq.core.instants import LATEST_US, SECOND_US
from actorq.core.results import Sweep

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
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
        return _seconds(instant, self.now)


def read_upcoming(row: Sequence[Any]) -> Upcoming:
    """Make it of a row."""
    return Upcoming(*row)


def requeue_expired(work: Work, limit: int) -> Sweep:
    """End leases that ran out, oldest first; those that another server is ending are left to it."""
    rounds = work.shared.rounds
    work.lock(())
    since = arrays.int8(rounds.since())
    (result,) = work.ask(work.statements("sweeps.run_out", arrays.int8(limit), since))
    ended = tuple(
        work.change(entry, lifecycle.expire(entry.job, work.policy, work.now))
        for entry in work.enter_locked(result)
    )
    # The instant goes on with every question, and what is still to come is seen from the last one.
    work.families.finish()
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
    work.lock(())
    lapsed, due = work.ask(
        work.statements("sweeps.lapsed", arrays.int8(limit)),
        work.statements("sweeps.due", arrays.int8(limit)),
    )
    late = {entry.job.id: entry for entry in work.enter_locked(lapsed)}
    ripe = [entry for entry in work.enter_locked(due) if entry.job.id not in late]
    work.entries.update(late)
    moved = [
        work.change(entry, _promoted(entry, work.now))
        for entry in [*_children_first(late), *ripe][:limit]
    ]
    work.families.finish()
    (upcoming,) = work.finish(
        work.statements("sweeps.next_promotion", arrays.int8(work.now)),
    )
    return Sweep(tuple(moved), _next_in(moved, limit, upcoming.row(first_or_none), work.now))


def _children_first(late: dict[str, Entry]) -> Iterable[Entry]:
    """Put jobs in an order in which none is told of the end of another one before it ends itself."""
    if all(entry.job.workflow is None for entry in late.values()):
        return late.values()
    known = {job_id: dependence.dependents(entry.job) for job_id, entry in late.items()}
    order = TopologicalSorter({i: [c for c in known[i] if c in late] for i in late})
    return [late[job_id] for job_id in order.static_order()]


def _promoted(entry: Entry, now: int) -> Job:
    # It may have lapsed between the two questions.
    job = entry.job
    lapsed = job.expires_at is not None and job.expires_at <= now
    return lifecycle.lapse(job, now) if lapsed else lifecycle.promote(job, now)


def _next_in(swept: Sequence[Job], limit: int, upcoming: int | None, now: int) -> float | None:
    if len(swept) == limit:
        return 0.0
    return _seconds(upcoming, now)


def _seconds(instant: int | None, now: int) -> float | None:
    """Return the seconds to an instant; whoever waits for others has no due time."""
    return None if instant is None or instant >= LATEST_US else (instant - now) / SECOND_US
