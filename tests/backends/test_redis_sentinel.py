"""A primary that is replaced (faults B7, B8), and many shards on a single server."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING, Final

import pytest

from actorq.backends.redis import RedisStore, Wait
from actorq.clock import random_bits, wall_clock
from actorq.core.ids import IdMint
from actorq.core.job import NewJob
from actorq.core.policy import Policy, Retention
from actorq.core.results import Enqueued
from actorq.core.transitions import Status
from actorq.errors import BackendUnavailable, ConfigurationError
from actorq.testing.conformance.answers import settled
from actorq.testing.conformance.audit import audit
from actorq.testing.conformance.bench import Bench
from tests.servers.crews import Crew
from tests.servers.redis_groups import SentinelGroup, wait_until
from tests.servers.redis_harness import RedisHarness

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from actorq.core.job import Job

NAMESPACE: Final = "sentinel"
mint: Final = IdMint(wall_clock, random_bits)


def new_job() -> NewJob:
    """Describe a job."""
    return NewJob(id=mint.mint(), queue_name="work", payload="{}")


class TestSentinel:
    """A primary behind a sentinel (B7, B8)."""

    @pytest.fixture
    def group(self) -> Iterator[SentinelGroup]:
        """Run a primary, a replica and a sentinel."""
        group = SentinelGroup()
        yield group
        group.close()

    def test_nothing_confirmed_is_lost(self, group: SentinelGroup) -> None:
        """With ``wait``, whatever was confirmed before the primary died is at its successor (B7, I1)."""
        store = RedisStore(group.url, NAMESPACE, Policy(), wait=Wait(1, 1_000), timeout=1.0)
        plain = RedisStore(group.url, NAMESPACE, Policy(), timeout=1.0).connect()
        store.open()
        enough = Event()
        crew = [Crew(store.connect, f"queue-{number}", enough) for number in range(2)]
        for one in crew:
            one.start()
        wait_until(lambda: all(one.done for one in crew), "some jobs are done")
        group.primary.kill()
        enough.set()
        for one in crew:
            one.finish()
        wait_until(group.promoted, "the replica is promoted")
        accepted = [job_id for one in crew for job_id in one.accepted]
        done = [job_id for one in crew for job_id in one.done]

        def read() -> list[Job | None]:
            return plain.get_job(accepted)

        wait_until(lambda: bool(read()), "the connection finds the new primary")
        assert all(job is not None for job in read())
        finished = plain.get_job(done)
        assert {job.status for job in finished if job is not None} == {Status.COMPLETED}
        plain.close()

    def test_an_old_primary_that_comes_back(self, group: SentinelGroup) -> None:
        """A connection to a server that became a replica finds the primary by itself (B8)."""
        backend = RedisStore(group.url, NAMESPACE, Policy(), timeout=1.0).connect()
        assert isinstance(backend.enqueue([new_job()])[0], Enqueued)
        group.sentinel.call("SENTINEL", "FAILOVER", SentinelGroup.SERVICE)
        wait_until(group.promoted, "the replica is promoted")

        def works() -> bool:
            return isinstance(backend.enqueue([new_job()])[0], Enqueued)

        wait_until(works, "the connection finds the new primary")
        # The sentinel does the same, but takes its time.
        group.primary.call("REPLICAOF", "127.0.0.1", group.replica.port)
        wait_until(works, "the connection leaves the old primary")
        backend.close()

    @pytest.mark.parametrize(
        "url", ["redis+sentinel://127.0.0.1:1", "redis+cluster://", "redis+cluster://h:1/2"]
    )
    def test_a_url_that_says_too_little(self, url: str) -> None:
        """A URL without a service, without nodes or with a database names what is missing."""
        with pytest.raises(ConfigurationError, match="URL names"):
            RedisStore(url, NAMESPACE, Policy())

    def test_sentinels_that_are_not_there(self) -> None:
        """Sentinels that do not answer are unavailable, each with its reason."""
        with pytest.raises(BackendUnavailable, match="no sentinel tells"):
            RedisStore("redis+sentinel://127.0.0.1:1/jobs", NAMESPACE, Policy()).open()


class TestManyShardsOnOneServer:
    """Data of a cluster on a single server: the namespace says how many shards there are."""

    def test_the_first_program_decides(self, tmp_path: Path) -> None:
        """A namespace with 256 shards is used as such by a store on a single server (§8)."""
        harness = RedisHarness(tmp_path)
        namespace = f"test-{harness.run}-0"
        key = f"{{{namespace}:meta}}:layout".encode()
        harness.link.call(b"HSET", key, b"shards", b"256")
        bench = Bench(harness, Policy(retention=Retention(completed=0.0)))
        jobs = [bench.put(queue_name=f"q{number}") for number in range(5)]
        assert len({key.split(b"}")[0] for key in harness.written()}) > 4
        settled(bench.ack(bench.take(jobs[0]).id))
        bench.advance(0.1)
        assert bench.backend.prune(10)[0] == 1
        assert bench.find(jobs[0].id) is None
        audit(bench.backend)
        bench.close()
        harness.close()

    def test_a_number_that_no_program_writes(self, tmp_path: Path) -> None:
        """A namespace with an impossible number of shards is refused, not guessed at."""
        harness = RedisHarness(tmp_path)
        key = f"{{test-{harness.run}-0:meta}}:layout".encode()
        harness.link.call(b"HSET", key, b"shards", b"7")
        with pytest.raises(ConfigurationError, match="7 shards"):
            harness.make(Policy()).open()
        harness.close()
