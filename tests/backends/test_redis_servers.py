"""Which servers a store takes, what it says of them, and what it does when they refuse to write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from actorq.backends.redis import RedisStore
from actorq.backends.redis.address import ServerAddress
from actorq.backends.redis.link import Link, Wait
from actorq.clock import random_bits, wall_clock
from actorq.core.commands import Ack, Extend
from actorq.core.ids import IdMint
from actorq.core.job import NewJob
from actorq.core.policy import Policy
from actorq.core.results import Enqueued
from actorq.core.retry import Failure
from actorq.core.transitions import Status
from actorq.errors import BackendUnavailable, ConfigurationError
from actorq.testing.conformance.answers import answered, settled
from actorq.testing.conformance.audit import audit
from actorq.testing.conformance.bench import Bench
from tests.servers.redis import RedisServer
from tests.servers.redis_harness import RedisHarness

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAMESPACE: Final = "servers"
mint: Final = IdMint(wall_clock, random_bits)


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    """Run a server whose settings the tests of this module may change."""
    server = RedisServer()
    yield server
    server.close()


@pytest.fixture
def link(server: RedisServer) -> Iterator[Link]:
    """Give a bare connection, and put the settings back in the end."""
    link = Link(ServerAddress(server.url, 5.0))
    yield link
    for name, value in (
        (b"maxmemory", b"0"), (b"maxmemory-policy", b"noeviction"), (b"appendonly", b"yes"),
        (b"appendfsync", b"everysec"), (b"min-replicas-to-write", b"0"),
    ):  # fmt: skip
        link.call(b"CONFIG", b"SET", name, value)
    link.call(b"REPLICAOF", b"NO", b"ONE")
    link.close()


def strict(server: RedisServer) -> RedisStore:
    """Give a store that refuses what may lose jobs."""
    return RedisStore(server.url, NAMESPACE, Policy(), durability="strict")


def relaxed(server: RedisServer) -> RedisStore:
    """Give a store that only warns."""
    return RedisStore(server.url, NAMESPACE, Policy())


def new_job(payload: str = "{}") -> NewJob:
    """Describe a job."""
    return NewJob(id=mint.mint(), queue_name="work", payload=payload)


class TestPromises:
    """What a server must promise (§10, faults B2, B11)."""

    @pytest.mark.parametrize(
        ("name", "value", "says"),
        [
            (b"maxmemory-policy", b"allkeys-lru", "maxmemory-policy is allkeys-lru"),
            (b"maxmemory-policy", b"volatile-ttl", "set it to noeviction"),
            (b"appendonly", b"no", "set appendonly to yes"),
            (b"appendfsync", b"everysec", "appendfsync is everysec"),
        ],
    )
    def test_what_may_lose_jobs_is_refused_or_told(
        self, server: RedisServer, link: Link, name: bytes, value: bytes, says: str
    ) -> None:
        """A strict store refuses each setting that may lose jobs, another warns of it (§10)."""
        link.call(b"CONFIG", b"SET", b"appendfsync", b"always")
        assert strict(server).open().warnings == ()
        link.call(b"CONFIG", b"SET", name, value)
        with pytest.raises(ConfigurationError, match=says):
            strict(server).open()
        (warning,) = relaxed(server).open().warnings
        assert says in warning

    def test_a_check_repeats_the_warnings(self, server: RedisServer, link: Link) -> None:
        """What was found at the start is said by every later check, on every connection (I20)."""
        link.call(b"CONFIG", b"SET", b"appendonly", b"no")
        store = relaxed(server)
        opened = store.open()
        backend = store.connect()
        assert backend.check().warnings == opened.warnings
        assert opened.warnings
        backend.close()

    def test_settings_that_cannot_be_read_are_a_warning(self) -> None:
        """Where CONFIG is forbidden the store says that it could not look (§10)."""
        server = RedisServer("--rename-command", "CONFIG", "")
        try:
            (warning,) = strict(server).open().warnings
        finally:
            server.close()
        assert "CONFIG GET is not allowed" in warning

    @pytest.mark.parametrize("url", ["redis://127.0.0.1:none", "http://127.0.0.1"])
    def test_a_url_that_makes_no_sense(self, url: str) -> None:
        """A URL that cannot be read is a mistake of whoever set it, and says so (§9)."""
        with pytest.raises(ConfigurationError, match="Redis URL"):
            RedisStore(url, NAMESPACE, Policy())

    def test_a_socket_in_the_file_system(self, tmp_path: Path) -> None:
        """A server may be reached by its socket's path as by its port (``open``)."""
        path = tmp_path / "redis.sock"
        server = RedisServer("--unixsocket", str(path))
        try:
            store = RedisStore(f"unix://{path}", NAMESPACE, Policy())
            store.open()
            backend = store.connect()
            assert backend.get_queue_length(["q"])[0].pending == 0
            backend.close()
            store.close()
        finally:
            server.close()

    def test_an_option_that_there_is_not(self) -> None:
        """An option of the URL that means nothing is named before anything is sent (§9)."""
        with pytest.raises(ConfigurationError, match="among these: db, pool"):
            RedisStore("redis://localhost:1/?db=1&pool=3", NAMESPACE, Policy())

    @pytest.mark.parametrize("namespace", ["", "a{b}", "a b", "é"])
    def test_a_namespace_that_would_move_the_slot(self, namespace: str) -> None:
        """A namespace cannot hold what has a meaning in a key (§8, faults F4)."""
        with pytest.raises(ConfigurationError, match="namespace"):
            RedisStore("redis://localhost", namespace, Policy())

    def test_a_wrong_password(self, server: RedisServer) -> None:
        """A password that the server refuses will not become right by waiting (``open``)."""
        url = f"redis://nobody:secret@127.0.0.1:{server.port}"
        with pytest.raises(ConfigurationError, match="user or password") as caught:
            RedisStore(url, NAMESPACE, Policy()).open()
        assert "secret" not in str(caught.value)

    def test_a_server_that_is_not_there(self) -> None:
        """A server that may come back is unavailable, which waiting cures (C14)."""
        with pytest.raises(BackendUnavailable):
            RedisStore("redis://127.0.0.1:1", NAMESPACE, Policy()).open()


class TestFullMemory:
    """``maxmemory`` is reached, and nothing may be evicted (B10)."""

    def test_what_frees_memory_still_works(
        self, server: RedisServer, link: Link, tmp_path: Path
    ) -> None:
        """Enqueues are refused as unavailable; every other verb still works, so the store recovers (B10)."""
        harness = RedisHarness(tmp_path, server.url)
        bench = Bench(harness, Policy())
        jobs = bench.put_many(8)
        bench.put(delay=0.1)
        acked, failed, released, renewed, bare = (bench.take(job) for job in jobs[:5])
        link.call(b"CONFIG", b"SET", b"maxmemory", b"1mb")
        for new in (bench.new(), bench.new(dedupe_key="k")):
            with pytest.raises(BackendUnavailable, match="maxmemory"):
                bench.backend.enqueue([new])
        with pytest.raises(BackendUnavailable, match="maxmemory"):
            bench.backend.check()
        assert answered(bench.backend.extend([Extend(renewed.id)])[0]).version > renewed.version
        settled(bench.ack(acked.id))
        settled(bench.fail(failed.id, None, Failure("x", retry_in=0.0)))
        settled(bench.release(released.id))
        settled(bench.connect().ack([Ack(bare.id)])[0])
        bench.cancel(jobs[6])
        bench.take(released)
        bench.advance(0.2)
        assert len(bench.promote().jobs) == 2
        assert bench.backend.delete([acked.id])
        link.call(b"CONFIG", b"SET", b"maxmemory", b"0")
        bench.put()
        assert bench.stats().accepted == 10
        audit(bench.backend)
        bench.close()
        harness.close()


class TestReplicas:
    """A server that takes no writes, or too few copies of them (B7, B8)."""

    def test_a_replica_is_unavailable(self, server: RedisServer, link: Link) -> None:
        """A primary that became a replica is unavailable, until it is one again (B8)."""
        backend = relaxed(server).connect()
        new = new_job()
        assert isinstance(backend.enqueue([new])[0], Enqueued)
        link.call(b"REPLICAOF", b"127.0.0.1", b"1")
        with pytest.raises(BackendUnavailable):
            backend.enqueue([new_job()])
        with pytest.raises(BackendUnavailable):
            relaxed(server).open()
        link.call(b"REPLICAOF", b"NO", b"ONE")
        (answer,) = backend.enqueue([new])
        assert isinstance(answer, Enqueued)
        assert answer.job.status is Status.PENDING
        backend.close()

    def test_a_write_waits_for_its_replicas(self, server: RedisServer) -> None:
        """With ``wait`` a write counts when the replica has it, and is in doubt when it has not (B7)."""
        store = RedisStore(server.url, NAMESPACE, Policy(), wait=Wait(1, 2_000))
        replica = RedisServer("--replicaof", "127.0.0.1", str(server.port))
        try:
            replica.process.wait_until(lambda: "up" in _replication(replica))
            backend = store.connect()
            new = new_job("copied")
            assert isinstance(backend.enqueue([new])[0], Enqueued)
            copy = Link(ServerAddress(replica.url, 5.0))
            body = copy.call(b"HGET", b"{servers:0}:body", new.id.encode())
            copy.close()
        finally:
            replica.close()
        assert isinstance(body, bytes)
        assert b"copied" in body
        hasty = RedisStore(server.url, NAMESPACE, Policy(), wait=Wait(1, 20)).connect()
        again = new_job()
        with pytest.raises(BackendUnavailable, match="0 of 1 replicas"):
            hasty.enqueue([again])
        assert isinstance(relaxed(server).connect().enqueue([again])[0], Enqueued)
        for one in (backend, hasty):
            one.close()

    def test_too_few_replicas_are_unavailable(self, server: RedisServer, link: Link) -> None:
        """A server that wants replicas before it writes is unavailable without them (B7)."""
        link.call(b"CONFIG", b"SET", b"min-replicas-to-write", b"1")
        backend = relaxed(server).connect()
        with pytest.raises(BackendUnavailable):
            backend.enqueue([new_job()])
        backend.close()


def _replication(server: RedisServer) -> str:
    link = Link(ServerAddress(server.url, 5.0))
    text = link.call(b"INFO", b"replication")
    link.close()
    assert isinstance(text, bytes)
    return next(line for line in text.decode().splitlines() if "master_link_status" in line)
