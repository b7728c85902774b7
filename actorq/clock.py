"""The wall clock and the source of randomness, as the runtime passes them in."""

import os
import secrets
import time
from typing import Final

_PIECE_BYTES: Final = 16
_PIECES: Final = 256

_drawn: list[bytes] = []


def wall_clock() -> int:
    """Return this machine's clock: microseconds since the Unix epoch."""
    return time.time_ns() // 1_000


def random_bits(count: int) -> int:
    """Return ``count`` bits that nobody can guess."""
    surplus = 8 * _PIECE_BYTES - count
    return int.from_bytes(_draw()) >> surplus if surplus >= 0 else secrets.randbits(count)


def mint_token() -> str:
    """Return a lease token: 128 bits that nobody can guess, as 32 hexadecimal digits."""
    return _draw().hex()


def _draw() -> bytes:
    """Return 16 random bytes of the system's; many are drawn at once, as a call costs as much as a job."""
    try:
        # One step, whatever other threads do: no piece is given out twice.
        return _drawn.pop()
    except IndexError:
        data = os.urandom(_PIECE_BYTES * _PIECES)
        _drawn.extend(
            data[start : start + _PIECE_BYTES]
            for start in range(_PIECE_BYTES, len(data), _PIECE_BYTES)
        )
        return data[:_PIECE_BYTES]


if hasattr(os, "register_at_fork"):
    # A child must not give out what its parent gives out, too.
    os.register_at_fork(after_in_child=_drawn.clear)
