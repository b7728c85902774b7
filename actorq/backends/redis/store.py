"""The store: where the connections to one Redis come from, be it one server or a cluster."""

from __future__ import annotations

import re
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from actorq.backends.redis import scripting
from actorq.backends.redis.access import Access
from actorq.backends.redis.address import SentinelAddress, ServerAddress
from actorq.backends.redis.backend import RedisBackend
from actorq.backends.redis.cluster import ClusterWire, Topology
from actorq.backends.redis.link import Link
from actorq.backends.redis.news import Herald, RedisListener
from actorq.backends.redis.outbox import Outbox
from actorq.backends.redis.promises import Durability, examine
from actorq.backends.redis.recent import Recent
from actorq.backends.redis.relay import OneShard, Relay
from actorq.backends.redis.sharded import ShardedBackend
from actorq.backends.redis.shards import MOST, Shards, count_shards
from actorq.backends.redis.spreading import Spreader
from actorq.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from actorq.backends.backend import Backend, Listener
    from actorq.backends.redis.address import Address
    from actorq.backends.redis.keys import Keys
    from actorq.backends.redis.link import Wait, Wire
    from actorq.core.policy import Policy
    from actorq.core.results import Check

TIMEOUT_S: Final = 5.0
"""Seconds that a connect, a send or a reply may take."""

EXAMINE_EVERY_S: Final = 30.0
"""Seconds for which a look at the servers' settings holds."""

_NAMESPACE: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,62}", re.ASCII)


def no_shift() -> int:
    """Leave the server's clock as it is."""
    return 0


class RedisStore:
    """A store on Redis or Valkey. Safe to use from several threads."""

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
        """Keep everything under ``namespace`` on the servers at ``url``.

        ``redis``, ``rediss`` and ``unix`` URLs name one server, ``redis+sentinel`` the sentinels of one,
        ``redis+cluster`` some nodes of a cluster. With ``wait``, a write counts when so many replicas
        have it. ``timeout`` is seconds. ``shift`` tells by how many microseconds the server's clock is
        moved, in tests.
        """
        if _NAMESPACE.fullmatch(namespace) is None:
            raise ConfigurationError(
                f"the namespace {namespace!r} must match {_NAMESPACE.pattern} for Redis"
            )
        self._place = _place(url, timeout)
        self._namespace = namespace
        self._policy = policy
        self._durability: Durability = durability
        self._wait = wait
        self._timeout = timeout
        self._shift = shift
        self._herald = Herald(namespace)
        self._recent = Recent()
        self._lock = Lock()
        self._shards: Shards | None = None
        self._warnings: tuple[str, ...] = ()
        self._examined_at: float | None = None

    @property
    def id_tail(self) -> Callable[[str], int | None]:
        """What the end of an id shall be: the shard of its queue, as soon as the shards are known."""
        return self._tail_of

    def _tail_of(self, queue_name: str) -> int | None:
        shards = self._shards
        return None if shards is None or shards.count == 1 else shards.of_queue(queue_name)

    def open(self) -> Check:
        """Check what the servers promise, and give them the scripts."""
        wire = self._wire()
        try:
            self._warnings = self._examine(wire, self._durability)
            self._examined_at = monotonic()
            for node in wire.nodes():
                node.call_many([(b"SCRIPT", b"LOAD", script.text) for script in scripting.ALL])
            return self._backend(wire).check()
        finally:
            wire.close()

    def connect(self) -> Backend:
        """Open one more connection; it is made when it is used first."""
        return self._backend(self._wire())

    def listen(self) -> Listener | None:
        """Open a connection for news; what is said at one node of a cluster is heard at all."""
        if isinstance(self._place, Topology):
            address: Address = self._place.address(self._place.nodes()[0])
        else:
            address = self._place
        return RedisListener(Link(address), self._herald, self._timeout)

    def close(self) -> None:
        """Hold nothing that would have to be let go."""

    # ── making ──────────────────────────────────────────────────────────────────────────────────

    def _wire(self) -> Wire:
        return ClusterWire(self._place) if isinstance(self._place, Topology) else Link(self._place)

    def _backend(self, wire: Wire) -> RedisBackend | ShardedBackend:
        shards = self._known_shards(wire)
        outbox = Outbox()
        if shards.count == 1:
            access = self._access(wire, shards.keys(0), outbox)
            return RedisBackend(access, Relay(OneShard(access), outbox), self._current_warnings)
        spread = Spreader(
            wire, shards, lambda shard: self._access(wire, shards.keys(shard), outbox)
        )
        return ShardedBackend(wire, shards, spread, Relay(spread, outbox), self._current_warnings)

    def _known_shards(self, wire: Wire) -> Shards:
        with self._lock:
            if self._shards is None:
                wanted = MOST if isinstance(self._place, Topology) else 1
                count = count_shards(wire, self._namespace, wanted)
                self._shards = Shards(self._namespace, count)
            return self._shards

    def _access(self, wire: Wire, keys: Keys, outbox: Outbox) -> Access:
        return Access(
            wire,
            keys,
            self._policy,
            herald=self._herald,
            recent=self._recent,
            outbox=outbox,
            wait=self._wait,
            shift=self._shift,
        )

    # ── promises ────────────────────────────────────────────────────────────────────────────────

    def _examine(self, wire: Wire, durability: Durability) -> tuple[str, ...]:
        """Return what an operator should know of any of the servers."""
        found = [warning for node in wire.nodes() for warning in examine(node, durability)]
        return tuple(dict.fromkeys(found))

    def _current_warnings(self, wire: Wire) -> tuple[str, ...]:
        """Return what an operator should know; somebody may have changed the servers' settings."""
        now = monotonic()
        with self._lock:
            due = self._examined_at is None or now - self._examined_at > EXAMINE_EVERY_S
            if due:
                self._examined_at = now
        if due:
            # Without the lock: nobody else shall wait for servers that do not answer.
            self._warnings = self._examine(wire, "relaxed")
        return self._warnings


def _place(url: str, timeout: float) -> Address | Topology:
    """Tell from a URL whether there is one server, one behind sentinels, or a cluster."""
    try:
        scheme = urlsplit(url).scheme
    except ValueError as error:
        raise ConfigurationError(f"the Redis URL cannot be read: {error}") from None
    if scheme.endswith("+cluster"):
        return Topology(url, timeout)
    if scheme.endswith("+sentinel"):
        return SentinelAddress(url, timeout)
    return ServerAddress(url, timeout)
