"""The outbox: notes of what jobs in other shards, or at least other steps, have to hear.

A script works in one shard, and a family may span many. So the script that makes a child, or ends a parent,
notes in its own shard who must hear of it; from there it is relayed. To be told twice changes nothing.

A note is a member of a sorted set, by the instant from which on anybody may relay it. Until then it is its
writer's, who relays it at once: a note that is left was cut short.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from actorq.core.instants import SECOND_US
from actorq.core.transitions import Status

if TYPE_CHECKING:
    from collections.abc import Iterable

    from actorq.backends.redis.access import Access
    from actorq.core.job import Job

GRACE_US: Final = SECOND_US
"""For how long a note is its writer's, and after how long one that could not be relayed is tried again."""

STIRRED: Final = 10_000
"""How many jobs are remembered that others stirred: hints, of which the first are lost when nobody asks."""


class Born(msgspec.Struct, array_like=True, frozen=True, tag=True):
    """A child waits for ``parents`` in other shards, which do not know of it yet."""

    child_id: str
    parents: tuple[str, ...]


class Ended(msgspec.Struct, array_like=True, frozen=True, tag=True):
    """A parent ended as ``status``, or was removed (None); ``version`` tells one end from the next."""

    parent_id: str
    version: int
    status: Status | None
    children: tuple[str, ...]


Note = Born | Ended

_encode: Final = msgspec.msgpack.Encoder().encode
_notes: Final[msgspec.msgpack.Decoder[Note]] = msgspec.msgpack.Decoder(Note)


class Letter(NamedTuple):
    """A note as it lies in the outbox of a shard, seen or written at an instant."""

    access: Access
    member: bytes
    note: Note
    at: int


class Outbox:
    """What a connection has to relay, and whom that has changed. Nothing is lost with it but hints."""

    __slots__ = ("_letters", "_stirred")

    def __init__(self) -> None:
        """Start with nothing."""
        self._letters: list[Letter] = []
        self._stirred: deque[Job] = deque(maxlen=STIRRED)

    def put(self, access: Access, members: Iterable[bytes], at: int) -> None:
        """Take note of what was written to the outbox of a shard, or was found there."""
        self._letters += [Letter(access, member, _notes.decode(member), at) for member in members]

    def take(self) -> list[Letter]:
        """Return, once, what there is to relay."""
        if not self._letters:
            return []
        letters, self._letters = self._letters, []
        return letters

    def stir(self, job: Job) -> None:
        """Remember a job that was changed as another ended."""
        self._stirred.append(job)

    def stirred(self) -> tuple[Job, ...]:
        """Return these, once."""
        if not self._stirred:
            return ()
        jobs = tuple(self._stirred)
        self._stirred.clear()
        return jobs


def member_of(note: Note) -> bytes:
    """Return a note as a member of the set."""
    return _encode(note)
