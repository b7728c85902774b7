"""Jobs set aside: rows whose records cannot be read, kept out of everybody's way.

The first write that meets such a row takes it out of every index by which jobs are found, and out of its
queue's figures, where it counts as pruned. Nothing of it is deleted. Whoever can read it by then, as it
was mended or a later version had written it, takes it back with the next round of pruning.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, cast

import msgspec

from actorq.backends.sqlite import records
from actorq.backends.sqlite.rows import STATUSES, Entry
from actorq.backends.sqlite.statements import statement
from actorq.core.transitions import LIVE
from actorq.errors import InternalError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from actorq.backends.sqlite.work import Work
    from actorq.core.job import Job
    from actorq.core.transitions import Status

LOOK: Final = 1_000
"""How many of the jobs set aside a round tries to read again."""

_THOSE_OF_ROWS: Final = statement("aside", "those_of_rows")
_PUT: Final = statement("aside", "put")
_BY_ID: Final = statement("aside", "by_id")
_FIRST: Final = statement("aside", "first")
_COUNT: Final = statement("aside", "count")

_Record = tuple[int, int, int, bytes, bytes]


def put(sqlite: sqlite3.Connection, seqs: Iterable[int]) -> Counter[tuple[int, Status]]:
    """Set rows aside; return how many were taken out of each queue and status."""
    wanted = (msgspec.json.encode(list(seqs)).decode(),)
    found = cast("list[tuple[int, int]]", sqlite.execute(_THOSE_OF_ROWS, wanted).fetchall())
    sqlite.execute(_PUT, wanted)
    return Counter((queue, STATUSES[code]) for queue, code in found)


def read(sqlite: sqlite3.Connection, ids: Sequence[str]) -> dict[str, Job]:
    """Return those of some jobs that were set aside; raise ``InternalError`` if one cannot be read."""
    found: dict[str, Job] = {}
    for seq, _, _, state, body in _select(sqlite, _BY_ID, msgspec.json.encode(ids).decode()):
        try:
            job = records.decode(state, body)
        except records.UNREADABLE as error:
            raise InternalError(sentence(seq, error)) from error
        found[job.id] = job
    return found


def take_back(work: Work) -> None:
    """Let those go on that can be read by now, unless a live job has taken their dedupe key."""
    for seq, queue, record_format, state, body in _select(work.sqlite, _FIRST, LOOK):
        try:
            job = records.decode(state, body)
            unknown = records.find_unknown(record_format, state, body)
        except records.UNREADABLE:
            continue
        if job.dedupe_key is not None and job.status in LIVE:
            work.load_holders([(queue, job.dedupe_key)])
            holder = work.holder((queue, job.dedupe_key))
            if holder is not None and holder.job.status in LIVE:
                continue
        work.take_back(Entry(seq, queue, job, None, unknown))


def warnings(sqlite: sqlite3.Connection) -> tuple[str, ...]:
    """Say how many there are, if any."""
    count, first = cast("tuple[int, int]", sqlite.execute(_COUNT).fetchone())
    if not count:
        return ()
    return (
        f"{count} jobs cannot be read and were set aside, the first in row {first} of the table jobs",
    )


def sentence(seq: int, error: Exception) -> str:
    """Name a row and what is wrong with it."""
    reason = str(error) or type(error).__name__
    return f"row {seq} of the table jobs cannot be read: {reason}"


def _select(sqlite: sqlite3.Connection, sql: str, *values: object) -> list[_Record]:
    return cast("list[_Record]", sqlite.execute(sql, values).fetchall())
