"""Redis servers in groups: a cluster of several nodes, and a primary with a replica behind a sentinel.

And a single one that is made to look like a group.
"""

from __future__ import annotations

import random
import socket
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final, cast

from actorq.backends.redis.address import ServerAddress
from actorq.backends.redis.link import Link
from actorq.errors import BackendUnavailable
from tests.servers.processes import PATIENCE_S
from tests.servers.redis import RedisServer
from tests.servers.redis_harness import RedisHarness

if TYPE_CHECKING:
    from collections.abc import Callable

    from actorq.backends.backend import Store
    from actorq.core.policy import Policy

SLOTS: Final = 16_384
NODE_TIMEOUT_MS: Final = 1_000
"""After how long without an answer a node counts as gone."""


def wait_until(ready: Callable[[], bool], what: str) -> None:
    """Wait until ``ready`` says so; servers that do not answer are not ready."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        with suppress(BackendUnavailable):
            if ready():
                return
        time.sleep(0.02)
    raise RuntimeError(f"the servers did not come so far: {what}")


class Node(RedisServer):
    """One server, with a connection for whoever manages it."""

    def __init__(self, *options: str, port: int | None = None) -> None:
        """Start it."""
        super().__init__(*options, port=port)
        self._link = Link(ServerAddress(self.url, 2.0))

    def call(self, *words: str | int) -> object:
        """Send a command."""
        return self._link.call(*(str(word).encode() for word in words))

    def info(self, section: str) -> dict[str, str]:
        """Return a section of what the server tells of itself."""
        text = cast("bytes", self.call("INFO", section)).decode()
        return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)

    def close(self) -> None:
        """End it."""
        self._link.close()
        super().close()


def _port_of_a_node() -> int:
    """Return a free port beside which the port of the cluster's own talk, 10,000 higher, is free as well."""
    while True:
        port = random.randrange(20_000, 30_000)
        with suppress(OSError), socket.socket() as one, socket.socket() as other:
            one.bind(("127.0.0.1", port))
            other.bind(("127.0.0.1", port + 10_000))
            return port


class RedisCluster:
    """Three primaries with a third of the slots each, and as many replicas as wanted for the first ones."""

    def __init__(self, replicas: int = 0) -> None:
        """Start the nodes, and wait until they agree."""
        options = (
            *("--cluster-enabled", "yes", "--cluster-node-timeout", str(NODE_TIMEOUT_MS)),
            "--cluster-require-full-coverage",
            "no",
            "--cluster-replica-validity-factor",
            "0",
        )
        self.nodes = [Node(*options, port=_port_of_a_node()) for _ in range(3 + replicas)]
        primaries = self.nodes[:3]
        share = SLOTS // 3
        for number, node in enumerate(primaries):
            last = SLOTS - 1 if number == 2 else share * (number + 1) - 1
            node.call("CLUSTER", "ADDSLOTSRANGE", share * number, last)
            node.call("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        for node in self.nodes[1:]:
            self.nodes[0].call("CLUSTER", "MEET", "127.0.0.1", node.port)
        wait_until(self._know_each_other, "the nodes know each other")
        for number, node in enumerate(self.nodes[3:]):
            node.call("CLUSTER", "REPLICATE", self.id_of(primaries[number]))
        wait_until(self._agree, "the nodes agree")

    @property
    def url(self) -> str:
        """Return where it is, by two of its nodes."""
        return f"redis+cluster://127.0.0.1:{self.nodes[0].port},127.0.0.1:{self.nodes[1].port}"

    @staticmethod
    def id_of(node: Node) -> str:
        """Return the name of a node inside the cluster."""
        return cast("bytes", node.call("CLUSTER", "MYID")).decode()

    def owner(self, slot: int, by: Node | None = None) -> Node | None:
        """Return the node that has a slot now, as the node ``by`` sees it."""
        asked = by or self.nodes[0]
        for first, last, primary, *_ in cast(
            "list[tuple[int, int, list[object]]]", asked.call("CLUSTER", "SLOTS")
        ):
            if first <= slot <= last:
                return next(node for node in self.nodes if node.port == primary[1])
        return None

    def move(self, slot: int, target: Node) -> None:
        """Move a slot with all its keys to another node, as an operator does."""
        self.begin_move(slot, target)
        self.finish_move(slot, target)

    def begin_move(self, slot: int, target: Node) -> None:
        """Begin to move a slot: its keys are asked for here and there from now on."""
        source = self._source(slot)
        target.call("CLUSTER", "SETSLOT", slot, "IMPORTING", self.id_of(source))
        source.call("CLUSTER", "SETSLOT", slot, "MIGRATING", self.id_of(target))

    def finish_move(self, slot: int, target: Node) -> None:
        """Move the keys of a slot that is moving, and wait until everybody knows where it is."""
        source = self._source(slot)
        while keys := cast("list[bytes]", source.call("CLUSTER", "GETKEYSINSLOT", slot, 10)):
            names = [key.decode() for key in keys]
            source.call("MIGRATE", "127.0.0.1", target.port, "", 0, 5_000, "KEYS", *names)
        for node in (target, source):
            node.call("CLUSTER", "SETSLOT", slot, "NODE", self.id_of(target))
        wait_until(
            lambda: all(self.owner(slot, node) is target for node in self.nodes),
            "the slot is there",
        )

    def _source(self, slot: int) -> Node:
        source = self.owner(slot)
        if source is None:
            raise RuntimeError(f"nobody has slot {slot}")
        return source

    def close(self) -> None:
        """End all nodes."""
        for node in self.nodes:
            node.close()

    def _know_each_other(self) -> bool:
        known = [cast("bytes", node.call("CLUSTER", "NODES")) for node in self.nodes]
        return all(
            len(text.splitlines()) == len(self.nodes) and b"handshake" not in text for text in known
        )

    def _agree(self) -> bool:
        infos = [cast("bytes", node.call("CLUSTER", "INFO")) for node in self.nodes]
        if not all(b"cluster_state:ok" in info for info in infos):
            return False
        replicas = [node.info("replication") for node in self.nodes[3:]]
        return all(about.get("master_link_status") == "up" for about in replicas)


class SentinelGroup:
    """A primary, a replica, and a sentinel that makes one of the other when it must."""

    SERVICE: Final = "jobs"

    def __init__(self) -> None:
        """Start the three, and wait until the sentinel knows both servers."""
        self.primary = Node()
        self.replica = Node("--replicaof", "127.0.0.1", str(self.primary.port))
        wait_until(self._in_step, "the replica follows")
        self.sentinel = Node("--sentinel")
        service = self.SERVICE
        self.sentinel.call("SENTINEL", "MONITOR", service, "127.0.0.1", self.primary.port, 1)
        for name, value in (("down-after-milliseconds", 500), ("failover-timeout", 2_000)):
            self.sentinel.call("SENTINEL", "SET", service, name, value)
        wait_until(self._knows_both, "the sentinel knows both")

    @property
    def url(self) -> str:
        """Return where to ask."""
        return f"redis+sentinel://127.0.0.1:1,127.0.0.1:{self.sentinel.port}/{self.SERVICE}"

    def close(self) -> None:
        """End all of them."""
        for node in (self.sentinel, self.replica, self.primary):
            node.close()

    def promoted(self) -> bool:
        """Tell whether the replica has become the primary."""
        return self.replica.info("replication")["role"] == "master"

    def _in_step(self) -> bool:
        return self.replica.info("replication").get("master_link_status") == "up"

    def _knows_both(self) -> bool:
        # The sentinel's own words of the replica: it is a candidate once its link was seen to be up.
        found = cast("list[list[bytes]]", self.sentinel.call("SENTINEL", "REPLICAS", self.SERVICE))
        if len(found) != 1:
            return False
        about = dict(zip(found[0][::2], found[0][1::2], strict=True))
        return about[b"flags"] == b"slave" and about[b"master-link-status"] == b"ok"


class ManyShards(RedisHarness):
    """Stores of 64 shards on one server, as a namespace has them that was begun on a cluster."""

    def make(self, policy: Policy) -> Store:
        store = super().make(policy)
        namespace = str(self.recipe(store).args[1])
        self.link.call(b"HSET", f"{{{namespace}:meta}}:layout".encode(), b"shards", b"64")
        return store
