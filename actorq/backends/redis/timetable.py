"""The timetable of one shard: the records of schedules, and by when each is to be looked at.

A record is kept with the jobs that its ticks have made but that are not delivered yet: those for queues
in other shards. It is compared whole with what was read, so that of two that change it one begins anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, cast

import msgspec

from actorq.backends.redis import scripting
from actorq.core.job import TickJob
from actorq.core.schedule import Schedule, decode, encode

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from actorq.backends.redis.access import Access
    from actorq.backends.redis.writes import Writes


class _Kept(msgspec.Struct, array_like=True, frozen=True):
    """The field of a schedule."""

    record: bytes
    outbox: tuple[TickJob, ...]
    retry_at: int


class _Due(msgspec.Struct, array_like=True, frozen=True):
    now: int
    next_at: int | None
    kept: list[msgspec.Raw]


class Line(NamedTuple):
    """A schedule as it was read. Its ``outbox`` is delivered before it fires again, from ``retry_at`` on."""

    schedule: Schedule
    kept: bytes
    outbox: tuple[TickJob, ...]
    retry_at: int


class Due(NamedTuple):
    """What is due at ``now``, and when there is more to do."""

    now: int
    next_at: int | None
    lines: list[Line]


_encode: Final = msgspec.msgpack.Encoder().encode
_lines: Final = msgspec.msgpack.Decoder(_Kept)
_dues: Final = msgspec.msgpack.Decoder(_Due)


def find(access: Access, names: Sequence[str]) -> dict[str, Line]:
    """Return the schedules of these names, as far as they are there."""
    if not names:
        return {}
    wanted = [name.encode() for name in dict.fromkeys(names)]
    found = cast("list[bytes | None]", access.link.call(b"HMGET", access.keys.schedules, *wanted))
    lines = [_line(kept) for kept in found if kept is not None]
    return {line.schedule.name: line for line in lines}


def names_after(access: Access, after: str, limit: int) -> list[str]:
    """Return the names that follow one."""
    found = cast("list[bytes]", access.link.call(b"HKEYS", access.keys.schedules))
    return sorted(name for name in map(bytes.decode, found) if name > after)[:limit]


def due(access: Access, limit: int) -> Due:
    """Return what is due, the longest due first."""
    names = [access.keys.schedules, access.keys.ticks]
    answer = _dues.decode(access.look(scripting.TICKS, names, [b"%d" % limit]))
    return Due(answer.now, answer.next_at, [_line(bytes(raw)) for raw in answer.kept])


def replace(writes: Writes, name: str, before: Line | None, after: Schedule | None) -> bool:
    """Put another definition in the place of what was read; tell whether it is another."""
    if after is (None if before is None else before.schedule):
        return False
    outbox, retry_at = ((), 0) if before is None else (before.outbox, before.retry_at)
    write(writes, name, before, after, outbox, retry_at)
    return True


def write(
    writes: Writes,
    name: str,
    before: Line | None,
    after: Schedule | None,
    outbox: Iterable[TickJob],
    retry_at: int,
) -> None:
    """Put ``after`` in the place of what was read, or take it away."""
    kept, due_at = None, None
    if after is not None:
        left = tuple(outbox)
        record = encode(after, None if before is None else _lines.decode(before.kept).record)
        kept = _encode(_Kept(record, left, retry_at))
        due_at = retry_at if left else after.due_at
    writes.schedule(name, b"" if before is None else before.kept, kept, due_at)


def _line(kept: bytes) -> Line:
    read = _lines.decode(kept)
    return Line(decode(read.record), kept, read.outbox, read.retry_at)
