"""UUIDv7: ids that are made before the first write, and that sort by time (RFC 9562, §5.7)."""

from collections.abc import Callable
from hashlib import sha256

_RANDOM_BITS = 74
_LOW_BITS = 62
_LOW_MASK = (1 << _LOW_BITS) - 1
_PLACE_MASK = 0xFFF
_STEP_BITS = 32
"""How far one id lies from the last of the same millisecond, at most: hard to guess, and 2^42
of them fit before the millisecond must be borrowed from the next."""

TAIL_BITS = 8
"""How many bits at its end a store may choose for an id. No two ids of a mint differ in these alone."""

MILLISECOND_US = 1_000
"""Microseconds in a millisecond, which is as finely as an id tells the time."""

LATEST_MS = 16**12 - 1
"""The last millisecond that an id can tell: twelve hexadecimal digits."""


class IdMint:
    """Makes strictly rising UUIDv7 texts, for one server.

    ``clock`` gives the local instant, ``random_bits(n)`` gives n random bits; both are passed in, so
    that a simulation replays them. ``correct`` moves the mint by the measured offset of the store's
    clock from this one, which keeps first-in-first-out between servers to within the error of that measure.
    """

    def __init__(
        self,
        clock: Callable[[], int],
        random_bits: Callable[[int], int],
        tail_of: Callable[[str], int | None] | None = None,
    ) -> None:
        """Start with no offset; ``tail_of`` tells how the ids of a queue are to end, if it matters."""
        self._clock = clock
        self._random_bits = random_bits
        self._tail_of = tail_of
        self._offset_us = 0
        self._millisecond = 0
        self._head = head_of(0)
        self._count = 0

    def correct(self, offset_us: int) -> None:
        """Follow the store's clock, which is ``offset_us`` microseconds ahead of the local one."""
        self._offset_us = offset_us

    def mint(self, tail: int | None = None) -> str:
        """Return the next id; it is greater than all before it, whatever the clock does.

        ``tail`` is what its last ``TAIL_BITS`` bits are to be; they are left to chance without it.
        """
        millisecond = (self._clock() + self._offset_us) // MILLISECOND_US
        if millisecond > self._millisecond:
            self._begin(millisecond)
        else:
            self._count += (1 << TAIL_BITS) + self._random_bits(_STEP_BITS)
            if self._count >> _RANDOM_BITS:
                self._begin(self._millisecond + 1)
        count = self._count
        if tail is not None:
            count = count >> TAIL_BITS << TAIL_BITS | tail
        # The version is 7, and the variant 0b10.
        low = f"{1 << 63 | count & _LOW_MASK:016x}"
        return f"{self._head}-{0x7000 | count >> _LOW_BITS:04x}-{low[:4]}-{low[4:]}"

    def mint_for(self, queue_name: str) -> str:
        """Return the next id, made for a queue."""
        return self.mint(None if self._tail_of is None else self._tail_of(queue_name))

    def _begin(self, millisecond: int) -> None:
        self._millisecond = millisecond
        self._head = head_of(millisecond)
        # The top bit stays free: room to count within the millisecond.
        self._count = self._random_bits(_RANDOM_BITS - 1)


def tick_id(instant: int, place: int, what: str) -> str:
    """Return the id of the job that a schedule's tick makes, in a round at ``instant``.

    It follows from its arguments, so that a store needs nobody to mint it; the jobs of one round, which
    have their ``place`` in it, sort by that.
    """
    low = int.from_bytes(sha256(what.encode()).digest()[:8], "big") & _LOW_MASK
    tail = f"{1 << 63 | low:016x}"
    head = head_of(instant // MILLISECOND_US)
    return f"{head}-{0x7000 | place & _PLACE_MASK:04x}-{tail[:4]}-{tail[4:]}"


def millisecond_of(job_id: str) -> int:
    """Return the millisecond that an id tells; raises ``ValueError`` for an id of another make."""
    return int(job_id[:8] + job_id[9:13], 16)


def head_of(millisecond: int) -> str:
    """Return how the ids of a millisecond begin; one beyond the range is taken for its end."""
    digits = f"{min(max(millisecond, 0), LATEST_MS):012x}"
    return f"{digits[:8]}-{digits[8:]}"
