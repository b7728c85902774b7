"""Clusters that move slots and lose nodes, and a primary that is replaced (faults B7, B8, B9)."""

from __future__ import annotations

from threading import Event, Thread
from typing import TYPE_CHECKING, Final, cast

import pytest
from msgspec.structs import replace
from redis.crc import key_slot

from actorq.backends.redis import RedisStore, Wait
from actorq.backends.redis.shards import Shards
from actorq.clock import random_bits, wall_clock
from actorq.core.commands import Ack
from actorq.core.ids import IdMint
from actorq.core.job import DependentJob, NewJob
from actorq.core.policy import Policy
from actorq.core.results import Enqueued, Settled
from actorq.core.transitions import Status
from actorq.errors import BackendUnavailable
from actorq.testing.conformance.answers import ids
from actorq.testing.conformance.audit import audit
from tests.servers.crews import Crew, claim_of
from tests.servers.redis_groups import RedisCluster, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from actorq.backends.backend import Backend
    from tests.servers.redis_groups import Node

NAMESPACE: Final = "failover"
SHARDS: Final = Shards(NAMESPACE, 256)
mint: Final = IdMint(wall_clock, random_bits)


def new_job(queue: str) -> NewJob:
    """Describe a job, with an id that names any shard."""
    return NewJob(id=mint.mint(), queue_name=queue, payload="{}")


def shaped(queue: str) -> NewJob:
    """Describe a job with an id that names the shard of its queue."""
    return NewJob(id=mint.mint(SHARDS.of_queue(queue)), queue_name=queue, payload="{}")


def child_of(queue: str) -> DependentJob:
    """Describe a job that will depend on another."""
    new = shaped(queue)
    return DependentJob(id=new.id, queue_name=queue, payload="{}", depends_on=())


def slot_of(queue: str) -> int:
    """Return the slot in which a queue lives."""
    return key_slot(SHARDS.keys(SHARDS.of_queue(queue)).body)


def queue_at(cluster: RedisCluster, node: Node) -> str:
    """Return the name of a queue that lives at a node."""
    names = (f"queue-{number}" for number in range(10_000))
    return next(name for name in names if cluster.owner(slot_of(name)) is node)


def empty(backend: Backend) -> None:
    """Remove every job, so that the next test finds nothing."""
    for stats in backend.list_queues():
        taken = [
            job.id
            for claimed in backend.dequeue([claim_of(stats.name, 999)])
            for job in claimed.jobs
        ]
        backend.ack([Ack(job_id) for job_id in taken])
        backend.purge(stats.name, frozenset(Status), 10_000)


@pytest.fixture(scope="module")
def cluster() -> Iterator[RedisCluster]:
    """Run a cluster for the tests of this module that leave it whole."""
    cluster = RedisCluster()
    yield cluster
    cluster.close()


class TestCluster:
    """A cluster of three nodes (B9)."""

    @pytest.fixture
    def store(self, cluster: RedisCluster) -> RedisStore:
        """Give a store on the cluster."""
        store = RedisStore(cluster.url, NAMESPACE, Policy(), timeout=5.0)
        store.open()
        return store

    @pytest.fixture
    def backend(self, store: RedisStore) -> Iterator[Backend]:
        """Give a connection, with balanced books at the end."""
        backend = store.connect()
        yield backend
        audit(backend)
        empty(backend)
        backend.close()

    def test_slots_move_under_load(
        self, cluster: RedisCluster, store: RedisStore, backend: Backend
    ) -> None:
        """While slots move to and fro every job is done once, and no caller sees a wrong answer (B9, I1)."""
        enough = Event()
        queues = [queue_at(cluster, node) for node in cluster.nodes]
        crew = [Crew(store.connect, queue, enough) for queue in queues]
        for one in crew:
            one.start()
        for number in range(9):
            queue = queues[number % 3]
            # Each queue begins at the node of its number, and goes once round.
            cluster.move(slot_of(queue), cluster.nodes[(number % 3 + number // 3 + 1) % 3])
        enough.set()
        for one in crew:
            one.finish()
            assert len(one.done) == len(set(one.done)) > 0
            jobs = backend.get_job(one.accepted)
            assert all(job is not None and job.attempt <= 1 for job in jobs)

    @pytest.mark.parametrize("jobs_before", [0, 1])
    def test_a_call_waits_for_a_slot_that_is_moving(
        self, cluster: RedisCluster, backend: Backend, jobs_before: int
    ) -> None:
        """A call whose keys are partly here and partly there goes on when the move is done (B9)."""
        source, target = cluster.nodes[jobs_before], cluster.nodes[2]
        queue = queue_at(cluster, source)
        made = [new_job(queue) for _ in range(jobs_before + 1)]
        backend.enqueue(made[:jobs_before])
        slot = slot_of(queue)
        cluster.begin_move(slot, target)
        answers: list[object] = []
        thread = Thread(target=lambda: answers.extend(backend.enqueue(made[jobs_before:])))
        thread.start()
        thread.join(0.1)
        assert answers == []
        cluster.finish_move(slot, target)
        thread.join(10.0)
        assert [cast("Enqueued", answer).job.id for answer in answers] == [made[-1].id]
        assert cluster.owner(slot) is target
        assert all(backend.get_job([new.id for new in made]))

    def test_a_store_says_how_ids_name_their_shards(self, cluster: RedisCluster) -> None:
        """Whoever mints an id for a queue is told the shard, as soon as the store has looked (B9)."""
        store = RedisStore(cluster.url, NAMESPACE, Policy())
        assert store.id_tail("a") is None
        store.open()
        assert [store.id_tail(f"q{n}") for n in range(99)] == [
            SHARDS.of_queue(f"q{n}") for n in range(99)
        ]
        made = IdMint(wall_clock, random_bits, store.id_tail).mint_for("a")
        assert SHARDS.of_id(made) == SHARDS.of_queue("a")

    def test_an_id_that_names_its_shard_needs_no_note(
        self, cluster: RedisCluster, backend: Backend
    ) -> None:
        """Jobs are found by their ids; those that name another shard leave a note, until they go (B9)."""

        def notes() -> list[bytes]:
            found = [cast("list[bytes]", node.call("KEYS", "*:where")) for node in cluster.nodes]
            return [key for keys in found for key in keys]

        good, foreign = shaped("a"), [new_job(f"queue {n}".replace(" ", "-")) for n in range(9)]
        backend.enqueue([good])
        assert notes() == []
        backend.enqueue(foreign)
        assert notes() != []
        wanted = [good.id, *(new.id for new in foreign), mint.mint()]
        found = backend.get_job(wanted)
        assert [job is not None and job.id for job in found] == [*wanted[:-1], False]
        assert [type(answer).__name__ for answer in backend.cancel(wanted)] == ["Job"] * 10 + [
            "NotFound"
        ]
        backend.delete(wanted[:5])
        for new in foreign:
            backend.purge(new.queue_name, frozenset(Status), 10)
        assert notes() == []


class TestLostNodes:
    """A cluster that loses nodes (B7, B9)."""

    @pytest.fixture
    def fragile(self) -> Iterator[RedisCluster]:
        """Run a cluster whose first node has a replica, and whose nodes may be killed."""
        fragile = RedisCluster(replicas=1)
        yield fragile
        fragile.close()

    def test_a_replica_takes_over(self, fragile: RedisCluster) -> None:
        """When a primary is killed its replica goes on, with everything that was confirmed by it (B7, I1)."""
        queue = queue_at(fragile, fragile.nodes[0])
        store = RedisStore(fragile.url, NAMESPACE, Policy(), timeout=1.0)
        careful = RedisStore(fragile.url, NAMESPACE, Policy(), wait=Wait(1, 5_000)).connect()
        backend = store.connect()
        made = [shaped(queue) for _ in range(20)]
        assert all(isinstance(answer, Enqueued) for answer in careful.enqueue(made))
        fragile.nodes[0].kill()

        def works() -> bool:
            return isinstance(backend.enqueue([shaped(queue)])[0], Enqueued)

        wait_until(works, "the replica takes over")
        assert all(backend.get_job([new.id for new in made]))
        (claimed,) = backend.dequeue([claim_of(queue, 20)])
        assert ids(claimed.jobs) == [new.id for new in made]
        assert backend.check().now > 0
        for one in (backend, careful):
            one.close()

    def test_a_dead_node_fails_its_own_items_only(self, fragile: RedisCluster) -> None:
        """What lives at a node that is gone is unavailable, and nothing else (I17)."""
        dead, alive = (queue_at(fragile, fragile.nodes[number]) for number in (1, 2))
        backend = RedisStore(fragile.url, NAMESPACE, Policy(), timeout=1.0).connect()
        old = shaped(alive), shaped(dead)
        backend.enqueue(old)
        fragile.nodes[1].kill()
        answers = backend.enqueue([shaped(dead), shaped(alive)])
        assert [type(answer) for answer in answers] == [BackendUnavailable, Enqueued]
        taken = backend.dequeue([claim_of(dead, 1), claim_of(alive, 1)])
        assert [len(claimed.jobs) for claimed in taken] == [0, 1]
        answers_ = backend.ack([Ack(old[0].id), Ack(old[1].id)])
        assert [type(answer) for answer in answers_] == [Settled, BackendUnavailable]
        assert backend.promote_delayed(10).next_in == 1.0
        for verb in (backend.check, backend.list_queues, lambda: backend.get_job([old[1].id])):
            with pytest.raises(BackendUnavailable):
                cast("Callable[[], object]", verb)()
        backend.close()

    def test_a_child_at_a_dead_node_is_told_later(self, fragile: RedisCluster) -> None:
        """A parent ends while the node of its child is away: the child hears of it afterwards (I17)."""
        near, far = (queue_at(fragile, fragile.nodes[number]) for number in (1, 2))
        backend = RedisStore(fragile.url, NAMESPACE, Policy(), timeout=1.0).connect()
        parent, child, other = shaped(near), child_of(far), child_of(near)
        children = [replace(one, depends_on=(parent.id,)) for one in (child, other)]
        assert all(isinstance(one, Enqueued) for one in backend.enqueue([parent, *children]))
        backend.dequeue([claim_of(near, 1)])
        fragile.nodes[2].kill()
        (answer,) = backend.ack([Ack(parent.id)])
        assert isinstance(answer, Settled)
        assert ids(backend.dequeue([claim_of(near, 1)])[0].jobs) == [other.id]
        late = replace(child_of(near), depends_on=(child.id,))
        later = replace(child_of(near), depends_on=(late.id,))
        answers = backend.enqueue([late, shaped(near), later])
        assert [type(one) for one in answers] == [BackendUnavailable, Enqueued, BackendUnavailable]
        fragile.nodes[2].start()

        def told() -> bool:
            backend.promote_delayed(10)
            return [job.id for job in backend.dequeue([claim_of(far, 1)])[0].jobs] == [child.id]

        wait_until(told, "the child is told")
        backend.close()
