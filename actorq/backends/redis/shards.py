"""Shards: where a queue lives, and where an id says that its job is.

How many there are is decided once for a namespace, when the first program opens it: one on a single
server, 256 on a cluster. A queue lives in one shard, by a hash of its name. The last digits of an id tell
the shard of its job, so that the id alone finds it, if whoever minted it saw to that (``id_tail`` of the
store says how); the shard that the id names keeps a note of where the job is otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast
from zlib import crc32

from actorq.backends.redis.keys import Keys
from actorq.core.ids import TAIL_BITS
from actorq.errors import ConfigurationError

if TYPE_CHECKING:
    from actorq.backends.redis.link import Wire

MOST: Final = 256
"""As many as two digits of an id can tell apart."""

_DIGITS: Final = TAIL_BITS // 4


class Shards:
    """All shards of a namespace."""

    def __init__(self, namespace: str, count: int) -> None:
        """Name the keys of ``count`` shards."""
        self.count = count
        self.meta = MetaKeys(namespace)
        self._keys = [Keys(namespace, shard) for shard in range(count)]

    def keys(self, shard: int) -> Keys:
        """Return the keys of one shard."""
        return self._keys[shard]

    def of_queue(self, name: str) -> int:
        """Return the shard in which a queue lives; a name that none can have is in any."""
        return crc32(name.encode("ascii", "replace")) % self.count

    def of_id(self, job_id: str) -> int:
        """Return the shard that an id names."""
        try:
            return int(job_id[-_DIGITS:], 16) % self.count
        except ValueError:
            # It names no job, wherever one looks.
            return 0


class MetaKeys:
    """The keys of what is known about the shards themselves."""

    def __init__(self, namespace: str) -> None:
        """Name them."""
        self.layout = f"{{{namespace}:meta}}:layout".encode()
        self.used = f"{{{namespace}:meta}}:used".encode()


def count_shards(wire: Wire, namespace: str, wanted: int) -> int:
    """Return how many shards the namespace has; the first one to ask decides that it is ``wanted``."""
    layout = MetaKeys(namespace).layout
    found = wire.call(b"HGET", layout, b"shards")
    if found is None:
        wire.call(b"HSETNX", layout, b"shards", b"%d" % wanted)
        found = wire.call(b"HGET", layout, b"shards")
    count = int(cast("bytes", found))
    if not 1 <= count <= MOST or MOST % count:
        raise ConfigurationError(
            f"namespace {namespace!r} has {count} shards, which is none of 1, 2, 4 … 256"
        )
    return count
