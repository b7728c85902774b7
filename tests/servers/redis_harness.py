"""Redis stores for tests: one server a run, a clean namespace a test, a clock that can be moved."""

from __future__ import annotations

import atexit
import os
import secrets
from functools import cache, partial
from typing import TYPE_CHECKING, cast

from actorq.backends.redis import RedisStore
from actorq.backends.redis.address import ServerAddress
from actorq.backends.redis.cluster import ClusterWire, Topology
from actorq.backends.redis.link import Link
from actorq.testing.clock import SharedClock
from tests.servers.redis import RedisServer

if TYPE_CHECKING:
    from pathlib import Path

    from actorq.backends.backend import Store
    from actorq.backends.redis.link import Wire
    from actorq.core.policy import Policy


@cache
def server_url() -> str:
    """Return the URL of the server of this run: the given one, or a private one that ends with it."""
    given = os.environ.get("TEST_REDIS_URL")
    if given:
        return given
    server = RedisServer()
    atexit.register(server.close)
    return server.url


class RedisHarness:
    """Redis stores, each in a namespace of its own; their clock is the server's, moved by a file."""

    shared_by_processes = True

    def __init__(self, folder: Path, url: str | None = None) -> None:
        self.url = url or server_url()
        self.shift = SharedClock(folder / "shift", start=0)
        self._nodes = self._wire().nodes()
        self.link = self._nodes[0]
        self.run = secrets.token_hex(4)
        self._recipes: list[tuple[Store, partial[RedisStore]]] = []

    def make(self, policy: Policy) -> Store:
        namespace = f"test-{self.run}-{len(self._recipes)}"
        return self._made(partial(RedisStore, self.url, namespace, policy, shift=self.shift))

    def reopen(self, store: Store) -> Store:
        return self._made(self.recipe(store))

    def recipe(self, store: Store) -> partial[RedisStore]:
        return next(recipe for made, recipe in self._recipes if made is store)

    def _made(self, recipe: partial[RedisStore]) -> Store:
        store = recipe()
        self._recipes.append((store, recipe))
        return store

    def advance(self, seconds: float) -> None:
        self.shift.advance(seconds)

    def now(self) -> int:
        second, micro = cast("list[bytes]", self.link.call(b"TIME"))
        return int(second) * 1_000_000 + int(micro) + self.shift()

    def _wire(self) -> Wire:
        if "+cluster" in self.url:
            return ClusterWire(Topology(self.url, 5.0))
        return Link(ServerAddress(self.url, 5.0))

    def written(self) -> list[bytes]:
        """Return every key that this harness's stores have written."""
        return [key for node in self._nodes for key in self._keys_at(node)]

    def close(self) -> None:
        """Remove everything that the test has written."""
        for node in self._nodes:
            keys = self._keys_at(node)
            if keys:
                node.call_many([(b"UNLINK", key) for key in keys])
            node.close()

    def _keys_at(self, node: Link) -> list[bytes]:
        return cast("list[bytes]", node.call(b"KEYS", f"{{test-{self.run}-*".encode()))
