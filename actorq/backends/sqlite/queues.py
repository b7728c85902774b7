"""Queues: settings and figures (contract §8)."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, cast

import msgspec

from actorq.backends.sqlite.statements import statement
from actorq.core.queue import QueueLength, QueueSettings, QueueStats
from actorq.core.transitions import Status

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from actorq.core.queue import QueueEdit

OLDEST_LOOK: Final = 32
"""Among how many pending jobs of the smallest ids the oldest is looked for.

Ids rise with time, so it is among the first few unless servers' clocks are far apart; then the answer
is the oldest of these.
"""

_ALL: Final = statement("queues", "all")
_BY_NAME: Final = statement("queues", "by_name")
_INSERT: Final = statement("queues", "insert")
_SET: Final = statement("queues", "set")
_OLDEST_PENDING: Final = statement("queues", "oldest_pending")

_Row = tuple[int, str, bytes, int, int, int, int, int, int, int, int]

_ENCODER: Final = msgspec.msgpack.Encoder()
_SETTINGS: Final = msgspec.msgpack.Decoder(QueueSettings)
_FIELDS: Final = msgspec.msgpack.Decoder(dict[str, msgspec.Raw])
_KNOWN: Final = frozenset(QueueSettings.__struct_fields__)
_PLAIN: Final = QueueSettings()


class QueueRow(msgspec.Struct):
    """A queue as the transaction found it; ``waiting`` is counted on as jobs are accepted."""

    id: int
    name: str
    stored: bytes
    settings: QueueSettings
    accepted: int
    pruned: int
    counts: dict[Status, int]
    waiting: int


def all_queues(sqlite: sqlite3.Connection) -> list[QueueRow]:
    """Read all queues, by name."""
    return [_read(row) for row in cast("list[_Row]", sqlite.execute(_ALL).fetchall())]


def queues_by_name(sqlite: sqlite3.Connection, names: Iterable[str]) -> dict[str, QueueRow]:
    """Read the queues of these names; unknown ones are left out."""
    wanted = msgspec.json.encode(list(names)).decode()
    rows = cast("list[_Row]", sqlite.execute(_BY_NAME, (wanted,)).fetchall())
    return {row[1]: _read(row) for row in rows}


def create_queue(sqlite: sqlite3.Connection, name: str) -> QueueRow:
    """Make a queue that is not there yet."""
    settings = _ENCODER.encode(_PLAIN)
    (number,) = cast("tuple[int]", sqlite.execute(_INSERT, (name, settings)).fetchone())
    return _read((number, name, settings, 0, 0, 0, 0, 0, 0, 0, 0))


def list_queues(sqlite: sqlite3.Connection, names: Sequence[str] | None) -> list[QueueStats]:
    """Return the figures of all queues, or of the named ones in that order."""
    if names is None:
        return [_stats(sqlite, queue) for queue in all_queues(sqlite)]
    known = queues_by_name(sqlite, names)
    figures = {name: _stats(sqlite, queue) for name, queue in known.items()}
    nothing = dict.fromkeys(Status, 0)
    return [figures.get(name) or QueueStats(name=name, counts=nothing) for name in names]


def get_queue_length(sqlite: sqlite3.Connection, names: Sequence[str]) -> list[QueueLength]:
    """Return the lengths of the named queues."""
    known = queues_by_name(sqlite, names)
    return [_length(name, known.get(name)) for name in names]


def update_queue(sqlite: sqlite3.Connection, edits: Sequence[QueueEdit]) -> list[QueueStats]:
    """Change settings, each edit on top of those before it."""
    known = queues_by_name(sqlite, {edit.queue_name for edit in edits})
    answers: list[QueueStats] = []
    for edit in edits:
        queue = known.get(edit.queue_name) or create_queue(sqlite, edit.queue_name)
        known[queue.name] = queue
        queue.settings = edit.apply(queue.settings)
        queue.stored = _encode(queue.settings, queue.stored)
        sqlite.execute(_SET, (queue.stored, queue.id))
        answers.append(_stats(sqlite, queue))
    return answers


def _read(row: _Row) -> QueueRow:
    number, name, stored, accepted, pruned, *figures = row
    counts = dict(zip(Status, figures, strict=True))
    waiting = counts[Status.PENDING] + counts[Status.DELAYED]
    return QueueRow(number, name, stored, _settings(stored), accepted, pruned, counts, waiting)


@lru_cache(maxsize=1_024)
def _settings(stored: bytes) -> QueueSettings:
    # Read with every claim, changed hardly ever.
    return _SETTINGS.decode(stored)


def _encode(settings: QueueSettings, before: bytes) -> bytes:
    """Encode settings, and put back what a later version keeps beside them."""
    stored = _ENCODER.encode(settings)
    kept = {name: raw for name, raw in _FIELDS.decode(before).items() if name not in _KNOWN}
    return _ENCODER.encode({**_FIELDS.decode(stored), **kept}) if kept else stored


def _stats(sqlite: sqlite3.Connection, queue: QueueRow) -> QueueStats:
    oldest: int | None = None
    if queue.counts[Status.PENDING]:
        values = (queue.id, OLDEST_LOOK)
        (oldest,) = cast("tuple[int | None]", sqlite.execute(_OLDEST_PENDING, values).fetchone())
    return QueueStats(
        name=queue.name,
        counts=queue.counts,
        accepted=queue.accepted,
        pruned=queue.pruned,
        oldest_pending_at=oldest,
        settings=queue.settings,
    )


def _length(name: str, queue: QueueRow | None) -> QueueLength:
    if queue is None:
        return QueueLength(queue_name=name)
    return QueueLength(
        queue_name=name,
        pending=queue.counts[Status.PENDING],
        delayed=queue.counts[Status.DELAYED],
        running=queue.counts[Status.RUNNING],
        paused=queue.settings.paused,
    )
