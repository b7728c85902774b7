"""The wall clock and the source of randomness, as the runtime passes them in."""

import secrets
import time


def wall_clock() -> int:
    """Return this machine's clock: microseconds since the Unix epoch."""
    return time.time_ns() // 1_000


def random_bits(count: int) -> int:
    """Return ``count`` bits that nobody can guess."""
    return secrets.randbits(count)


def mint_token() -> str:
    """Return a lease token: 128 bits that nobody can guess, as 32 hexadecimal digits."""
    return secrets.token_hex(16)
