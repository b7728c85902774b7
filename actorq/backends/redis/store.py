"""The store: where the connections to one Redis come from."""

from __future__ import annotations

import re
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Final

from actorq.backends.redis import scripting
from actorq.backends.redis.access import Access, Wait
from actorq.backends.redis.backend import RedisBackend
from actorq.backends.redis.keys import Keys
from actorq.backends.redis.link import Address, Link
from actorq.backends.redis.news import Herald, RedisListener
from actorq.backends.redis.promises import Durability, examine
from actorq.backends.redis.recent import Recent
from actorq.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from actorq.backends.backend import Backend, Listener
    from actorq.core.policy import Policy
    from actorq.core.results import Check

TIMEOUT_S: Final = 5.0
"""Seconds that a connect, a send or a reply may take."""

EXAMINE_EVERY_S: Final = 30.0
"""Seconds for which a look at the server's settings holds."""

_NAMESPACE: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,62}", re.ASCII)


def no_shift() -> int:
    """Leave the server's clock as it is."""
    return 0


class RedisStore:
    """A store on one Redis server, or Valkey. Safe to use from several threads."""

    inline: bool = False
    """Every verb waits for the server."""

    max_writers: int | None = None
    """As many as the setting says."""

    def __init__(
        self,
        url: str,
        namespace: str,
        policy: Policy,
        *,
        durability: Durability = "relaxed",
        wait: Wait | None = None,
        timeout: float = TIMEOUT_S,
        shift: Callable[[], int] = no_shift,
    ) -> None:
        """Keep everything under ``namespace`` on the server at ``url``.

        With ``wait``, a write counts when so many replicas have it. ``timeout`` is seconds. ``shift``
        tells by how many microseconds the server's clock is moved, in tests.
        """
        if _NAMESPACE.fullmatch(namespace) is None:
            raise ConfigurationError(
                f"the namespace {namespace!r} must match {_NAMESPACE.pattern} for Redis"
            )
        self._address = Address(url, timeout)
        self._policy = policy
        self._durability: Durability = durability
        self._wait = wait
        self._timeout = timeout
        self._shift = shift
        self._keys = Keys(namespace, 0)
        self._herald = Herald(namespace)
        self._recent = Recent()
        self._lock = Lock()
        self._warnings: tuple[str, ...] = ()
        self._examined_at: float | None = None

    def open(self) -> Check:
        """Check what the server promises, and give it the scripts."""
        link = Link(self._address)
        try:
            self._warnings = examine(link, self._durability)
            self._examined_at = monotonic()
            link.call_many([(b"SCRIPT", b"LOAD", script.text) for script in scripting.ALL])
            return RedisBackend(self._access(link), self._current_warnings).check()
        finally:
            link.close()

    def connect(self) -> Backend:
        """Open one more connection; it is made when it is used first."""
        return RedisBackend(self._access(Link(self._address)), self._current_warnings)

    def listen(self) -> Listener | None:
        """Open a connection for news."""
        return RedisListener(Link(self._address), self._herald, self._timeout)

    def close(self) -> None:
        """Hold nothing that would have to be let go."""

    def _access(self, link: Link) -> Access:
        return Access(
            link,
            self._keys,
            self._policy,
            herald=self._herald,
            recent=self._recent,
            wait=self._wait,
            shift=self._shift,
        )

    def _current_warnings(self, access: Access) -> tuple[str, ...]:
        """Return what an operator should know; somebody may have changed the server's settings."""
        with self._lock:
            now = monotonic()
            if self._examined_at is None or now - self._examined_at > EXAMINE_EVERY_S:
                self._warnings = examine(access.link, "relaxed")
                self._examined_at = now
            return self._warnings
