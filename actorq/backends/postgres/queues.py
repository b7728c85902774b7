"""Queues: settings and figures (contract §8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from actorq.backends.postgres import arrays
from actorq.backends.postgres.work import first
from actorq.core.queue import QueueLength, QueueSettings, QueueStats
from actorq.core.transitions import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from actorq.backends.postgres.connection import Result, Statement
    from actorq.backends.postgres.work import Work
    from actorq.core.queue import QueueEdit

OLDEST_LOOK: Final = 32
"""Among how many pending jobs of the smallest ids the oldest is looked for.

Ids rise with time, so it is among the first few unless servers' clocks are far apart; then the answer
is the oldest of these.
"""

_ENCODER: Final = msgspec.json.Encoder()
_SETTINGS: Final = msgspec.json.Decoder(QueueSettings)
_FIELDS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_KNOWN: Final = frozenset(QueueSettings.__struct_fields__)


class Queue(msgspec.Struct):
    """A queue as the transaction found it, or made it; ``waiting`` is counted on as jobs are accepted."""

    id: int
    name: str
    stored: str
    settings: QueueSettings
    waiting: int = 0
    is_new: bool = False


class Figures(msgspec.Struct, frozen=True):
    """What a queue holds."""

    accepted: int = 0
    pruned: int = 0
    counts: dict[Status, int] = msgspec.field(default_factory=lambda: dict.fromkeys(Status, 0))


def read_queue(row: Sequence[Any]) -> Queue:
    """Make a queue of a row."""
    number, name, stored = row
    settings = QueueSettings() if stored == "{}" else _SETTINGS.decode(stored)
    return Queue(number, name, stored, settings)


def read_figures(row: Sequence[Any]) -> tuple[int, Figures]:
    """Make figures of a row, beside the number of the queue."""
    number, accepted, pruned, *counts = row
    return number, Figures(accepted, pruned, dict(zip(Status, counts, strict=True)))


def named(work: Work, names: Iterable[str]) -> dict[str, Queue]:
    """Read the queues of these names, unknown ones left out, and the instant."""
    return look(work, names)[0]


def look(
    work: Work, names: Iterable[str], *questions: Statement
) -> tuple[dict[str, Queue], list[Result]]:
    """Read the queues of these names and the instant; ask more on the same way."""
    wanted = arrays.texts(sorted(set(names)))
    result, *others = work.transaction.ask(work.statements("queues.look", wanted), *questions)
    rows = result.rows(_read_look)
    work.now = rows[0][0]
    return learn(work, (queue for _, queue in rows if queue is not None)), others


def learn(work: Work, queues: Iterable[Queue]) -> dict[str, Queue]:
    """Take note of queues that were read, and return them by name."""
    found = {queue.name: queue for queue in queues}
    for queue in found.values():
        work.learn(queue.id, queue.name)
    return found


def create(work: Work, names: Iterable[str]) -> dict[str, Queue]:
    """Make the queues of these names as far as they are not there yet, and read them."""
    wanted = sorted(set(names))
    (made,) = work.transaction.ask(work.statements("queues.create", arrays.texts(wanted)))
    new = set(made.rows(first))
    found = named(work, wanted)
    for queue in found.values():
        queue.is_new = queue.id in new
    return found


def lock(work: Work, queues: Iterable[Queue]) -> dict[int, Queue]:
    """Lock queues whose bounds are to hold; whoever counts them on waits for the others."""
    numbers = arrays.int4s(sorted(queue.id for queue in queues))
    (result,) = work.ask(work.statements("queues.lock", numbers))
    return {queue.id: queue for queue in result.rows(read_queue)}


def figures(work: Work, numbers: Iterable[int], *, last: bool = False) -> dict[int, Figures]:
    """Read what queues hold, by their numbers."""
    question = work.statements("queues.figures", arrays.int4s(list(numbers)))
    (result,) = work.ask(question, last=last)
    return dict(result.rows(read_figures))


def list_queues(work: Work, names: Sequence[str] | None) -> list[QueueStats]:
    """Return the figures of all queues, or of the named ones in that order."""
    if names is not None:
        known = named(work, names)
    else:
        (result,) = work.ask(work.statements("queues.all"))
        known = learn(work, result.rows(read_queue))
    stats = _stats(work, known.values(), last=True)
    if names is None:
        return [stats[name] for name in sorted(stats)]
    nothing = dict.fromkeys(Status, 0)
    return [stats.get(name) or QueueStats(name=name, counts=nothing) for name in names]


def get_queue_length(work: Work, names: Sequence[str]) -> list[QueueLength]:
    """Return the lengths of the named queues."""
    known = named(work, names)
    held = figures(work, (queue.id for queue in known.values()), last=True)
    return [_length(name, known.get(name), held) for name in names]


def update_queue(work: Work, edits: Sequence[QueueEdit]) -> list[QueueStats]:
    """Change settings, each edit on top of those before it."""
    made = create(work, (edit.queue_name for edit in edits))
    known = {queue.name: queue for queue in lock(work, made.values()).values()}
    history: list[Queue] = []
    for edit in edits:
        queue = known[edit.queue_name]
        settings = edit.apply(queue.settings)
        known[queue.name] = Queue(queue.id, queue.name, _encode(settings, queue.stored), settings)
        history.append(known[queue.name])
    stats = _stats(work, known.values(), last=False)
    work.awake.update(queue.id for queue in known.values())
    work.finish(_set(work, list(known.values())))
    return [msgspec.structs.replace(stats[q.name], settings=q.settings) for q in history]


def _set(work: Work, queues: Sequence[Queue]) -> Statement:
    return work.statements(
        "queues.set",
        arrays.int4s([queue.id for queue in queues]),
        arrays.texts([queue.stored for queue in queues]),
    )


def _encode(settings: QueueSettings, before: str) -> str:
    """Encode settings, and put back what a later version keeps beside them."""
    stored = _ENCODER.encode(settings)
    kept = {name: raw for name, raw in _FIELDS.decode(before).items() if name not in _KNOWN}
    return (_ENCODER.encode({**_FIELDS.decode(stored), **kept}) if kept else stored).decode()


def _stats(work: Work, queues: Iterable[Queue], *, last: bool) -> dict[str, QueueStats]:
    known = list(queues)
    numbers = arrays.int4s([queue.id for queue in known])
    counted, oldest = work.ask(
        work.statements("queues.figures", numbers),
        work.statements("queues.oldest_pending", numbers, arrays.int8(OLDEST_LOOK)),
        last=last,
    )
    held = dict(counted.rows(read_figures))
    first = dict(oldest.rows(_read_oldest))
    nothing = Figures()
    return {
        queue.name: QueueStats(
            name=queue.name,
            counts=held.get(queue.id, nothing).counts,
            accepted=held.get(queue.id, nothing).accepted,
            pruned=held.get(queue.id, nothing).pruned,
            oldest_pending_at=first.get(queue.id),
            settings=queue.settings,
        )
        for queue in known
    }


def _read_look(row: Sequence[Any]) -> tuple[int, Queue | None]:
    instant, number, name, stored = row
    return instant, None if number is None else read_queue((number, name, stored))


def _read_oldest(row: Sequence[Any]) -> tuple[int, int | None]:
    number, created_at = row
    return number, created_at


def _length(name: str, queue: Queue | None, held: dict[int, Figures]) -> QueueLength:
    if queue is None:
        return QueueLength(queue_name=name)
    counts = held.get(queue.id, Figures()).counts
    return QueueLength(
        queue_name=name,
        pending=counts[Status.PENDING],
        delayed=counts[Status.DELAYED],
        running=counts[Status.RUNNING],
        paused=queue.settings.paused,
    )
