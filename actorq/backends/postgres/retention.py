"""Retention: which ended jobs go, and when (contract §8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from actorq.backends.postgres import arrays, queues, writes
from actorq.backends.postgres.families import End
from actorq.backends.postgres.records import CODES
from actorq.backends.postgres.work import first, first_or_none
from actorq.core.instants import SECOND_US, to_us
from actorq.core.transitions import ENDED, LIVE, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from actorq.backends.postgres.connection import Result
    from actorq.backends.postgres.work import Work
    from actorq.core.policy import Retention

_IDS: Final = msgspec.json.Decoder(list[str])
_ENDED: Final = sorted(ENDED, key=CODES.__getitem__)


class _Kind(msgspec.Struct):
    """The ended jobs of one queue and status: how long each is kept, and how many go as too many."""

    queue: int
    status: int
    age_us: int
    excess: int


def prune(work: Work, limit: int) -> tuple[int, float | None]:
    """Remove jobs, then idempotency records, that retention lets go. One server at a time does it."""
    (everything,) = work.ask(work.statements("queues.all"))
    known = queues.learn(work, everything.rows(queues.read_queue))
    kinds = list(_kinds(work, known.values()))
    next_in = _next_in(work, kinds)
    if next_in != 0.0 and not any(kind.excess for kind in kinds):
        return 0, next_in
    (alone,) = work.ask(work.statements("retention.alone"))
    if not alone.row(_flag):
        return 0, None
    now = work.now
    values = (
        *_columns(kinds),
        arrays.int8s([now - kind.age_us for kind in kinds]),
        arrays.int8s([kind.excess for kind in kinds]),
    )
    numbers = arrays.int8(now), arrays.int8(limit)
    (count,) = work.ask(work.statements("retention.prune", *values, *numbers))
    left = limit - count.row(first)
    statement = work.statements("replays.forget", arrays.int8(now), arrays.int8(left))
    (forgotten,) = work.ask(statement)
    next_in = _next_in(work, kinds)
    work.finish()
    return limit - left + forgotten.changed, next_in


def _next_in(work: Work, kinds: Sequence[_Kind]) -> float | None:
    """Return the seconds until retention next lets something go, by age or by the end of a window."""
    ages = arrays.int8s([kind.age_us for kind in kinds])
    replay, job = work.ask(
        work.statements("replays.next"),
        work.statements("retention.next", *_columns(kinds), ages),
    )
    dues = [due for due in (replay.row(first_or_none), job.row(first_or_none)) if due is not None]
    return max(0, min(dues) - work.now) / SECOND_US if dues else None


def _columns(kinds: Sequence[_Kind]) -> tuple[bytes, bytes]:
    return (
        arrays.int4s([kind.queue for kind in kinds]),
        arrays.int4s([kind.status for kind in kinds]),
    )


def purge(work: Work, queue_name: str, statuses: frozenset[Status], limit: int) -> int:
    """Remove jobs of these statuses, oldest first; running ones stay."""
    queue = queues.named(work, [queue_name]).get(queue_name)
    if queue is None:
        return 0
    work.lock(())
    gone = 0
    ends: list[End] = []
    for status in sorted(statuses - {Status.RUNNING}, key=CODES.__getitem__):
        table = "retention.purge_ended" if status in ENDED else "retention.purge"
        values = (arrays.int4(queue.id), arrays.int4(CODES[status]), arrays.int8(limit - gone))
        (result,) = work.ask(work.statements(table, *values))
        removed = _note_gone(work, result, ends) if status in LIVE else result.row(first)
        gone += removed
        work.move(queue.id, writes.PRUNED, removed)
        work.move(queue.id, writes.FIRST_STATUS + CODES[status], -removed)
    # Only now: whoever was removed as well has nothing to hear any more.
    for end in ends:
        work.families.end(end)
    work.finish()
    return gone


def _note_gone(work: Work, result: Result, ends: list[End]) -> int:
    """Take note of live jobs that were removed, and of whom that concerns; return how many they are."""
    removed = result.rows(_read_removed)
    for job_id, children in removed:
        work.entries.pop(job_id, None)
        work.locked.add(job_id)
        if children:
            ends.append(End(job_id, None, children))
    return len(removed)


def _kinds(work: Work, known: Iterable[queues.Queue]) -> Iterable[_Kind]:
    by_number = {queue.id: queue for queue in known}
    held = queues.figures(work, by_number)
    for number, queue in by_number.items():
        counts = held.get(number, queues.Figures()).counts
        retention = queue.settings.retention or work.policy.retention
        for status in _ENDED:
            if counts[status] > 0:
                age, most = _bounds(retention, status)
                excess = max(0, counts[status] - most)
                yield _Kind(number, CODES[status], to_us(age), excess)


def _bounds(retention: Retention, status: Status) -> tuple[float, int]:
    if status is Status.COMPLETED:
        return retention.completed, retention.max_completed
    if status is Status.DEAD:
        return retention.dead, retention.max_dead
    return retention.cancelled, retention.max_cancelled


def _read_removed(row: Sequence[Any]) -> tuple[str, list[str]]:
    job_id, children = row
    return job_id, [] if children is None else _IDS.decode(children)


def _flag(row: Sequence[Any]) -> bool:
    value: bool = row[0]
    return value
