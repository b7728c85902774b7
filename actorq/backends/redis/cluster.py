"""Redis Cluster: which node has which slot, and a wire that finds the right one for every call.

All keys of a call are in one slot. A node that is asked for a slot of another's says where that is; the
call is then made there, and the map is corrected. Nothing was run by a node that said so.
"""

from __future__ import annotations

from functools import partial
from threading import Lock
from time import monotonic, sleep
from typing import TYPE_CHECKING, Final, TypeVar, cast
from urllib.parse import urlsplit

from redis.crc import key_slot
from redis.exceptions import RedisError

from actorq.backends.redis.address import ServerAddress, ask, hosts_of
from actorq.backends.redis.link import Link, Redirected, Unsettled
from actorq.errors import BackendUnavailable, ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from actorq.backends.redis.link import Wait
    from actorq.backends.redis.scripting import Script

R = TypeVar("R")

AT_ONCE: Final = 3
"""How often one call is sent elsewhere without a pause. Beyond it the nodes do not agree yet."""

PAUSE_S: Final = 0.01
"""Seconds before a call is repeated whose slot is just moving."""


class Topology:
    """Which node has which slot, as far as it is known; shared by all connections of a store."""

    def __init__(self, url: str, timeout: float) -> None:
        """Read ``redis+cluster://user:password@host:port,host:port``: some nodes, one of which answers."""
        parts = urlsplit(url)
        self._scheme = parts.scheme.removesuffix("+cluster")
        self._login, self._seeds = hosts_of(parts.netloc)
        self._query = parts.query
        self.timeout = timeout
        if not self._seeds or parts.path.strip("/"):
            raise ConfigurationError(
                "a cluster URL names some nodes and no database: redis+cluster://host:7000,host:7001"
            )
        for seed in self._seeds:
            self.address(seed)
        self._lock = Lock()
        self._ranges: list[tuple[int, int, str]] = []
        self._moved: dict[int, str] = {}

    def address(self, node: str) -> ServerAddress:
        """Return the address of a node, which is called by its host and port."""
        url = f"{self._scheme}://{self._login}{node}"
        return ServerAddress(f"{url}?{self._query}" if self._query else url, self.timeout)

    def node_of(self, slot: int) -> str:
        """Return the node that has a slot, asking the cluster if that is not known."""
        with self._lock:
            if not self._ranges:
                self._learn()
            moved = self._moved.get(slot)
            if moved is not None:
                return moved
            for first, last, node in self._ranges:
                if first <= slot <= last:
                    return node
        self.forget()
        raise BackendUnavailable(f"no node of the Redis cluster has slot {slot} now")

    def nodes(self) -> list[str]:
        """Return every node that has slots."""
        with self._lock:
            if not self._ranges:
                self._learn()
            return sorted({node for _, _, node in self._ranges})

    def move(self, slot: int, node: str) -> None:
        """Take note that a slot is at another node now."""
        with self._lock:
            self._moved[slot] = node

    def forget(self) -> None:
        """Ask the cluster again before the next call: a node did not answer as expected."""
        with self._lock:
            known = [node for _, _, node in self._ranges]
            self._seeds = list(dict.fromkeys([*known, *self._seeds]))
            self._ranges, self._moved = [], {}

    def _learn(self) -> None:
        problems: list[str] = []
        for seed in self._seeds:
            address = self.address(seed)
            try:
                found = ask(address, b"CLUSTER", b"SLOTS")
            except RedisError as error:
                problems.append(f"{address}: {error}")
                continue
            ranges = [_range(entry, seed) for entry in cast("list[list[object]]", found)]
            if ranges:
                self._ranges, self._moved = ranges, {}
                return
            problems.append(f"{address}: has no slots")
        raise BackendUnavailable(f"no node of the Redis cluster answers: {'; '.join(problems)}")


def _range(entry: list[object], asked: str) -> tuple[int, int, str]:
    """Read one line of the map: first slot, last slot, the primary, and replicas."""
    first, last, primary = entry[:3]
    host, port = cast("list[object]", primary)[:2]
    # A node that does not know its own host leaves it to whoever has reached it.
    name = cast("bytes | None", host) or asked.rpartition(":")[0].encode()
    return cast("int", first), cast("int", last), f"{name.decode()}:{cast('int', port)}"


class ClusterWire:
    """One connection to each node that is needed. One caller at a time."""

    def __init__(self, topology: Topology) -> None:
        """Connect on first use."""
        self._topology = topology
        self._links: dict[str, Link] = {}

    def run(
        self,
        script: Script,
        keys: Sequence[bytes],
        arguments: Sequence[bytes],
        wait: Wait | None = None,
    ) -> bytes | int | list[bytes]:
        """Run a script at the node that has its keys."""
        return self._routed(
            keys[0], lambda link, asking: link.run(script, keys, arguments, wait, asking=asking)
        )

    def call(self, *command: bytes) -> object:
        """Send one command to the node that has its key."""

        def one(link: Link, asking: bool) -> object:  # noqa: FBT001 - called by place
            return link.call_many([(b"ASKING",), command] if asking else [command])[-1]

        return self._routed(command[1], one)

    def nodes(self) -> list[Link]:
        """Return a connection to each node that has slots."""
        return [self._link(node) for node in self._topology.nodes()]

    def one_per_node(self, keys: Sequence[bytes]) -> list[bytes]:
        """Return the first of ``keys`` for each node that has any of them."""
        found: dict[str, bytes] = {}
        for key in keys:
            found.setdefault(self._topology.node_of(key_slot(key)), key)
        return list(found.values())

    def close(self) -> None:
        """Let all connections go; safe to call twice."""
        while self._links:
            self._links.popitem()[1].close()

    def _routed(self, key: bytes, action: Callable[[Link, bool], R]) -> R:
        """Do something at the node that has ``key``, wherever that turns out to be."""
        slot = key_slot(key)
        until = monotonic() + self._topology.timeout
        node, asking = self._topology.node_of(slot), False
        redirections = 0
        while True:
            try:
                return self._settled(partial(action, self._link(node), asking), until)
            except Redirected as hint:
                node, asking = f"{hint.host}:{hint.port}", hint.for_now
                if not asking:
                    self._topology.move(slot, node)
                redirections += 1
                if redirections > AT_ONCE:
                    if monotonic() > until:
                        raise
                    sleep(PAUSE_S)
            except BackendUnavailable:
                self._topology.forget()
                raise

    def _settled(self, action: Callable[[], R], until: float) -> R:
        """Do something; wait while its slot is partly here and partly there."""
        while True:
            try:
                return action()
            except Unsettled:
                if monotonic() > until:
                    raise
                sleep(PAUSE_S)

    def _link(self, node: str) -> Link:
        link = self._links.get(node)
        if link is None:
            link = self._links[node] = Link(self._topology.address(node))
        return link
