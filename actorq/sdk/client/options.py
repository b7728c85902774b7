"""How a client behaves: how long it waits, how long it goes on repeating, how much it reads."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING

import msgspec

from actorq.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

_MIB = 1_048_576


class ClientOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Times in seconds, sizes in bytes.

    ``patience`` is for how long one call repeats a request that came to nothing; 0 repeats none.
    ``timeout`` is for one whole answer, beside what the server was asked to wait: a server waits up to
    30 s for its store before it says so. ``connect_timeout`` is for making a connection. An answer may
    have ``max_answer`` bytes; one request of a batch has at most ``max_batch`` items and ``max_body``
    bytes (a larger item goes alone). At most ``max_connections`` are open at once. ``draw`` returns
    numbers from 0 to 1, which spread the repeats of many clients.
    """

    patience: float = 30.0
    timeout: float = 35.0
    connect_timeout: float = 5.0
    max_answer: int = 256 * _MIB
    max_batch: int = 1_000
    max_body: int = 8 * _MIB
    max_connections: int = 100
    draw: Callable[[], float] = random.random

    def __post_init__(self) -> None:
        if not 0.0 <= self.patience < math.inf:
            raise ConfigurationError("patience must be 0 seconds or more, and finite")
        if not (0.0 < self.timeout < math.inf and 0.0 < self.connect_timeout < math.inf):
            raise ConfigurationError("timeout and connect_timeout must be above 0 seconds")
        if min(self.max_answer, self.max_batch, self.max_body, self.max_connections) < 1:
            raise ConfigurationError(
                "max_answer, max_batch, max_body and max_connections must be at least 1"
            )
