"""Retention and purging: what may go, in small rounds (contract §6, §8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from actorq.backends.sqlite import aside, records
from actorq.backends.sqlite.queues import all_queues, queues_by_name
from actorq.backends.sqlite.rows import CODES
from actorq.backends.sqlite.statements import statement
from actorq.core.instants import SECOND_US, to_us
from actorq.core.transitions import LIVE, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actorq.backends.sqlite.queues import QueueRow
    from actorq.backends.sqlite.work import Work

_FREE_WINDOWS: Final = statement("retention", "free_windows")
_NEXT_WINDOW: Final = statement("retention", "next_window")
_ENDED_BEFORE: Final = statement("retention", "ended_before")
_ENDED_FIRST: Final = statement("retention", "ended_first")
_OLDEST_END: Final = statement("retention", "oldest_end")
_OF_STATUS: Final = statement("retention", "of_status")
_LIVE_OF_STATUS: Final = statement("retention", "live_of_status")
_FORGET: Final = statement("replays", "forget")
_NEXT_FORGOTTEN: Final = statement("replays", "next")

WINDOWS: Final = 500
"""How many dedupe windows a round ends at least: of what they kept, too, the first that ended goes first."""


def prune(work: Work, limit: int) -> tuple[int, float | None]:
    """Remove up to ``limit`` ended jobs and idempotency records that nothing keeps any longer."""
    pruned = work.sqlite.execute(_FORGET, (work.now, limit)).rowcount
    work.sqlite.execute(_FREE_WINDOWS, (work.now, max(limit, WINDOWS)))
    aside.take_back(work)
    nexts: list[int | None] = [_instant(work, _NEXT_FORGOTTEN), _instant(work, _NEXT_WINDOW)]
    for queue, status, age, most in _kept(work):
        excess = queue.counts[status] - most
        room = limit - pruned
        gone = _seqs(work, _ENDED_BEFORE, queue.id, CODES[status], work.now - age, room)
        if len(gone) < min(excess, room):
            # The first to have ended are the same ones, and some more.
            gone = _seqs(work, _ENDED_FIRST, queue.id, CODES[status], min(excess, room))
        work.remove_rows(gone, queue.id, status)
        pruned += len(gone)
        if pruned >= limit:
            break
    work.flush()
    if pruned >= limit:
        return pruned, 0.0
    for queue, status, age, _ in _kept(work):
        oldest = _instant(work, _OLDEST_END, queue.id, CODES[status])
        nexts.append(None if oldest is None else oldest + age)
    earliest = min((instant for instant in nexts if instant is not None), default=None)
    return pruned, None if earliest is None else max(0, earliest - work.now) / SECOND_US


def purge(work: Work, queue_name: str, statuses: frozenset[Status], limit: int) -> int:
    """Remove up to ``limit`` jobs of these statuses; running ones stay."""
    queue = queues_by_name(work.sqlite, [queue_name]).get(queue_name)
    if queue is None:
        return 0
    purged = 0
    for status in sorted(statuses - {Status.RUNNING}):
        purged += _purge(work, queue.id, status, limit - purged)
    work.flush()
    return purged


def _purge(work: Work, queue: int, status: Status, limit: int) -> int:
    """Remove jobs of one status, unread, but for those that others may wait for."""
    if status not in LIVE:
        gone = _seqs(work, _OF_STATUS, queue, CODES[status], limit)
        work.remove_rows(gone, queue, status)
        return len(gone)
    values = (records.HAS_WORKFLOW, queue, CODES[status], limit)
    found = cast("list[tuple[int, int]]", work.sqlite.execute(_LIVE_OF_STATUS, values).fetchall())
    unknown = [seq for seq, is_known in found if not is_known]
    known = work.load_rows([seq for seq, is_known in found if is_known])
    work.remove_rows(unknown, queue, status)
    for entry in known:
        work.remove(entry)
    return len(unknown) + len(known)


def _kept(work: Work) -> Iterator[tuple[QueueRow, Status, int, int]]:
    """Give, per queue and status with ended jobs, for how many microseconds and how many are kept."""
    for queue in all_queues(work.sqlite):
        kept = queue.settings.retention or work.policy.retention
        for status, age, most in kept.rules():
            if queue.counts[status]:
                yield queue, status, to_us(age), most


def _seqs(work: Work, sql: str, *values: int) -> list[int]:
    rows = cast("list[tuple[int]]", work.sqlite.execute(sql, values).fetchall())
    return [seq for (seq,) in rows]


def _instant(work: Work, sql: str, *values: int) -> int | None:
    (instant,) = cast("tuple[int | None]", work.sqlite.execute(sql, values).fetchone())
    return instant
