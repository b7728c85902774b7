"""Redis in groups: a primary that is replaced by its replica, and a cluster whose slots wander."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from redis.crc import key_slot

from actorq.backends.redis.shards import MOST, Shards
from benchmarks.chaos.plan import QUEUES
from tests.servers.redis_groups import RedisCluster, SentinelGroup, wait_until

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

_NAMESPACE: Final = "actorq"
_SHARDS: Final = Shards(_NAMESPACE, MOST)
_QUEUE_SLOTS: Final = [key_slot(_SHARDS.keys(_SHARDS.of_queue(name)).body) for name in QUEUES]
_OTHER_SLOTS: Final = [key_slot(_SHARDS.keys(shard).body) for shard in range(MOST)]
_OTHERS: Final = 3
"""How many slots that hold no more than notes are moved with one that holds a queue."""


class FailoverPlace:
    """A primary and its replica, which change places."""

    def __init__(self, wait_replicas: int) -> None:
        """Start them, and the sentinel that watches them; a write waits for so many replicas."""
        self._group = SentinelGroup()
        self._wait_replicas = wait_replicas
        self._primary, self._replica = self._group.primary, self._group.replica

    @property
    def settings(self) -> Mapping[str, str]:
        """The settings of a server that keeps its jobs there."""
        return {
            "BACKEND": "redis",
            "REDIS_URL": self._group.url,
            "REDIS_WAIT_REPLICAS": str(self._wait_replicas),
        }

    def kill(self) -> None:
        """Kill the primary, and wait until the replica has taken its place."""
        self._primary.kill()
        replica = self._replica
        wait_until(lambda: replica.info("replication")["role"] == "master", "a replica takes over")
        self._primary, self._replica = replica, self._primary

    def start(self) -> None:
        """Start the one that was killed again, as the replica of the other."""
        self._replica.start()
        wait_until(self._follows, "the old primary follows")
        wait_until(self._is_candidate, "the sentinel knows it as a replica")

    def close(self) -> None:
        """End all of them."""
        self._group.close()

    def _follows(self) -> bool:
        port = self._primary.port
        about = self._replica.info("replication")
        if about.get("master_port") != str(port):
            # The sentinel would tell it so as well, but takes its time.
            self._replica.call("REPLICAOF", "127.0.0.1", port)
        return about.get("master_link_status") == "up"

    def _is_candidate(self) -> bool:
        group = self._group
        found = group.sentinel.call("SENTINEL", "REPLICAS", group.SERVICE)
        for words in cast("list[list[bytes]]", found):
            about = dict(zip(words[::2], words[1::2], strict=True))
            if int(about[b"port"]) == self._replica.port:
                return about[b"flags"] == b"slave" and about[b"master-link-status"] == b"ok"
        return False


class ClusterPlace:
    """Three nodes with a third of the slots each, without replicas."""

    def __init__(self) -> None:
        """Start them."""
        self._cluster = RedisCluster()
        self._killed = self._cluster.nodes[-1]

    @property
    def settings(self) -> Mapping[str, str]:
        """The settings of a server that keeps its jobs there."""
        return {"BACKEND": "redis", "REDIS_URL": self._cluster.url}

    def kill(self, draw: Random) -> None:
        """Kill a node; its slots are away until it is back."""
        self._killed = draw.choice(self._cluster.nodes)
        self._killed.kill()

    def start(self) -> None:
        """Start the node again, and wait until all of them agree."""
        self._killed.start()
        wait_until(self._is_whole, "the cluster is whole again")

    def move(self, draw: Random) -> int:
        """Move the slot of a queue and a few others to the next node; return how many."""
        slots = {draw.choice(_QUEUE_SLOTS), *draw.sample(_OTHER_SLOTS, _OTHERS)}
        nodes = self._cluster.nodes
        for slot in slots:
            owner = self._cluster.owner(slot)
            assert owner is not None
            self._cluster.move(slot, nodes[(nodes.index(owner) + 1) % len(nodes)])
        return len(slots)

    def close(self) -> None:
        """End all nodes."""
        self._cluster.close()

    def _is_whole(self) -> bool:
        infos = [cast("bytes", node.call("CLUSTER", "INFO")) for node in self._cluster.nodes]
        return all(b"cluster_state:ok" in info for info in infos)
