"""Enqueue: new jobs, with their dedupe and idempotency keys, in one step.

Most batches ask for nothing special, and one script writes them in one round. Any other batch is
decided at the desk.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from actorq.backends.redis import desk, scripting
from actorq.backends.redis.desk import Answer
from actorq.backends.redis.drafts import commit
from actorq.backends.redis.keys import time_in
from actorq.backends.redis.records import encode_new
from actorq.core import dependence
from actorq.core.instants import to_us
from actorq.core.job import DependentJob, Job, NewJob, create
from actorq.core.results import Enqueued
from actorq.core.transitions import Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from actorq.backends.redis.access import Access

MOST_BYTES: Final = 32 * 1_048_576
"""Up to how many characters of payload are sent in one step: a server takes no request without end."""

_NOT_PLAIN: Final = -1


def enqueue(
    access: Access, items: Sequence[NewJob], elsewhere: Mapping[str, Job] | None = None
) -> list[Answer]:
    """Write new jobs: in one step, unless they are too large to be sent at once.

    ``elsewhere`` are the parents of its jobs that are in other shards.
    """
    if sum(len(new.payload) for new in items) <= MOST_BYTES:
        return _enqueue(access, items, elsewhere)
    answers: list[Answer] = []
    stand_ins: dict[str, str] = {}
    for part in _parts(items):
        known = [dependence.renamed(new, stand_ins) for new in part]
        own = _enqueue(access, known, elsewhere)
        for new, answer in zip(part, own, strict=True):
            dependence.note_stand_in(stand_ins, new, answer)
        answers += own
    return answers


def _parts(items: Sequence[NewJob]) -> Iterator[list[NewJob]]:
    part: list[NewJob] = []
    size = 0
    for new in items:
        if part and size + len(new.payload) > MOST_BYTES:
            yield part
            part, size = [], 0
        part.append(new)
        size += len(new.payload)
    yield part


def _enqueue(
    access: Access, items: Sequence[NewJob], elsewhere: Mapping[str, Job] | None
) -> list[Answer]:
    if all(map(_is_plain, items)):
        created_at = _enqueue_plain(access, items)
        if created_at != _NOT_PLAIN:
            return [Enqueued(create(new, created_at)) for new in items]
    return commit(access, lambda: desk.attempt(access, items, elsewhere))


def _is_plain(new: NewJob) -> bool:
    # By identity: the class of a struct asks its metaclass who is an instance, which takes a while.
    return new.dedupe_key is None and new.idempotency is None and type(new) is not DependentJob


def _enqueue_plain(access: Access, items: Sequence[NewJob]) -> int:
    """Write jobs without keys; answer when, or that they have to be decided one by one."""
    ids = {new.id for new in items}
    if len(ids) < len(items):
        return _NOT_PLAIN
    keys = access.keys
    batches: dict[str, list[bytes]] = {}
    for new in items:
        batches.setdefault(new.queue_name, []).extend(
            (
                new.id.encode(),
                b"%d" % -new.priority,
                _due(new),
                _text(new.expires_at),
                encode_new(new),
            )
        )
    names = [keys.body, keys.queues, keys.accepted, keys.due, keys.lapse, keys.drift]
    arguments = [
        access.herald.channel,
        access.herald.sender,
        *(b"%d" % ms for ms in _times_in(ids)),
    ]
    for name, batch in batches.items():
        queue = keys.queue(name)
        names += (queue.lists[Status.PENDING], queue.lists[Status.DELAYED])
        loud = b"1" if access.herald.is_due(name) else b"0"
        arguments += (queue.name, loud, b"%d" % (len(batch) // 5), *batch)
    return cast("int", access.write(scripting.ENQUEUE, names, arguments))


def _due(new: NewJob) -> bytes:
    if new.available_at is not None:
        return b"%d" % new.available_at
    return b"%d" % -to_us(new.delay) if new.delay else b""


def _text(instant: int | None) -> bytes:
    return b"" if instant is None else b"%d" % instant


def _times_in(ids: set[str]) -> tuple[int, int]:
    """Return the earliest and the latest time that ids tell, in milliseconds."""
    return time_in(min(ids)), time_in(max(ids))
