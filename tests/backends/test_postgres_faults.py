"""What may happen between the PostgreSQL store and its server, and what must hold then (faults A to D)."""

from __future__ import annotations

import os
import signal
from threading import Event
from typing import TYPE_CHECKING, Final, cast

import pytest

from actorq.actors import messages as m
from actorq.actors.caller import Caller
from actorq.actors.mailbox import Reply
from actorq.backends.postgres import PostgresStore
from actorq.core.commands import Ack, Extend, Fail, Release
from actorq.core.policy import Policy
from actorq.core.queue import QueueEdit, QueueLength
from actorq.core.results import Check, Claimed, Enqueued, Settled
from actorq.core.retry import Failure
from actorq.core.transitions import Status
from actorq.errors import BackendUnavailable
from actorq.testing.conformance.answers import ids, token_of
from actorq.testing.conformance.audit import audit
from actorq.testing.conformance.bench import QUEUE, Bench
from tests.servers.crews import Crew, claim_of, no_crash
from tests.servers.postgres import PostgresHarness, PostgresServer
from tests.servers.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actorq.actors.verbs import Kind

QUICK_S: Final = 0.5
"""A silence that does not make a test wait long."""

OTHERS: Final = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
)


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """Run a server that the tests of this module may kill and stop."""
    server = PostgresServer()
    yield server
    server.close()


@pytest.fixture
def bench(server: PostgresServer) -> Iterator[Bench]:
    """Give a bench straight on the server, with balanced books at the end."""
    harness = PostgresHarness(server.dsn)
    bench = Bench(harness, Policy())
    yield bench
    audit(bench.connect())
    bench.close()
    harness.close()


@pytest.fixture
def proxy(server: PostgresServer) -> Iterator[Proxy]:
    """Give a way to the server that can be disturbed."""
    proxy = Proxy(server.port)
    yield proxy
    proxy.close()


@pytest.fixture
def store(bench: Bench, server: PostgresServer, proxy: Proxy) -> PostgresStore:
    """Give the bench's store a second time, through the proxy and with little patience."""
    dsn = server.dsn.replace(f":{server.port}/", f":{proxy.port}/")
    words = (f"{dsn}&application_name=lane&connect_timeout=2", namespace_of(bench), Policy())
    return PostgresStore(*words, silence=QUICK_S)


class Load:
    """Threads that take jobs through their lives until they are told to stop."""

    def __init__(self, store: PostgresStore) -> None:
        self._enough = Event()
        self._crew = [Crew(store.connect, QUEUE, self._enough) for _ in range(3)]
        for one in self._crew:
            one.start()

    def go_on(self, seconds: float) -> None:
        """Let them work."""
        self._enough.wait(seconds)

    def stop(self) -> None:
        """Let them stop."""
        self._enough.set()
        for one in self._crew:
            one.join()

    def check(self, bench: Bench) -> None:
        """Let them stop, and check that what they were told is so."""
        self.stop()
        for one in self._crew:
            one.finish()
        accepted = [job_id for one in self._crew for job_id in one.accepted]
        done = [job_id for one in self._crew for job_id in one.done]
        assert accepted
        backend = bench.connect()
        found = backend.get_job(accepted)
        assert all(job is not None and job.attempt <= 1 for job in found)
        assert all(job and job.status is Status.COMPLETED for job in backend.get_job(done))
        (stats,) = backend.list_queues([QUEUE])
        assert stats.accepted >= len(accepted)
        assert stats.counts[Status.COMPLETED] >= len(done)
        assert stats.counts[Status.DEAD] == 0


@pytest.fixture
def load(bench: Bench, server: PostgresServer) -> Iterator[Load]:
    """Put load on the bench's store."""
    store = PostgresStore(f"{server.dsn}&application_name=load", namespace_of(bench), Policy())
    load = Load(store)
    yield load
    load.stop()


@pytest.fixture
def lane(bench: Bench, store: PostgresStore) -> Iterator[Caller]:
    """Give a lane that has its connection already."""
    bench.set(QueueEdit(queue_name=QUEUE))
    lane = Caller(store.connect, no_crash)
    # It learns of the queue, so that what follows takes no look at the list of them.
    assert lane.batch(m.GetQueueLengths, [QUEUE]) == [QueueLength(queue_name=QUEUE)]
    yield lane
    lane.close()


def namespace_of(bench: Bench) -> str:
    """Return the schema of a bench's store."""
    return cast("PostgresHarness", bench.harness).namespace(bench.store)


class TestLostReplies:
    """The server did it, and nobody heard of it (B6, C8)."""

    @pytest.mark.parametrize("skip", [0, 1])
    def test_an_enqueue_is_one_job(
        self, bench: Bench, proxy: Proxy, lane: Caller, skip: int
    ) -> None:
        """A repeated batch finds its own jobs: each is accepted once and answered as created (I1)."""
        wishes = [bench.new() for _ in range(5)] + [bench.new(dedupe_key="k")]
        proxy.lose_replies(skip=skip)
        answers = lane.batch(m.EnqueueJobs, wishes)
        assert proxy.lost == 1
        assert [cast("Enqueued", answer).job.id for answer in answers] == [new.id for new in wishes]
        assert bench.stats().accepted == len(wishes)

    def test_a_claim_is_found_again(self, bench: Bench, proxy: Proxy, lane: Caller) -> None:
        """The jobs of a claim whose answer was lost are delivered, leased once (I4, I5)."""
        jobs = bench.put_many(3)
        proxy.lose_replies(skip=1)
        (answer,) = lane.batch(m.ClaimJobs, [claim_of(QUEUE, 2)])
        taken = cast("Claimed", answer).jobs
        assert proxy.lost == 1
        assert sorted(ids(taken)) == ids(jobs[:2])
        assert {job.attempt for job in taken} == {1}
        assert bench.length() == 1

    @pytest.mark.parametrize("lost", ["read", "write"])
    @pytest.mark.parametrize("verb", ["ack", "fail", "release", "extend"])
    def test_a_holders_call_counts_once(
        self, bench: Bench, proxy: Proxy, lane: Caller, verb: str, lost: str
    ) -> None:
        """A repeated settlement is known by its token, and a renewal does no harm (§4)."""
        taken = bench.take(bench.put())
        token = token_of(taken)
        calls: dict[str, tuple[Kind, object]] = {
            "ack": (m.AckJobs, Ack(taken.id, token)),
            "fail": (m.FailJobs, Fail(taken.id, token, Failure("x"))),
            "release": (m.ReleaseJobs, Release(taken.id, token)),
            "extend": (m.ExtendLeases, Extend(taken.id, token)),
        }
        kind, item = calls[verb]
        proxy.lose_replies(skip=int(lost == "write"))
        (answer,) = lane.batch(kind, [item])
        assert proxy.lost == 1
        assert getattr(answer, "repeated", True) is (lost == "write" or verb == "extend")
        after = bench.get(taken)
        assert (after.retry_count, after.interruptions) == (
            int(verb == "fail"),
            int(verb == "release"),
        )
        assert after.attempt == 1

    def test_an_ack_of_what_this_process_gave_out(
        self, bench: Bench, proxy: Proxy, lane: Caller
    ) -> None:
        """An ack that need not read first counts once, too (§4)."""
        bench.put()
        (claimed,) = lane.batch(m.ClaimJobs, [claim_of(QUEUE, 1)])
        (job,) = cast("Claimed", claimed).jobs
        proxy.lose_replies(skip=1)
        (answer,) = lane.batch(m.AckJobs, [Ack(job.id, token_of(job), "1")])
        assert (proxy.lost, cast("Settled", answer).repeated) == (1, True)
        assert bench.get(job).status is Status.COMPLETED

    def test_twice_is_unknown(self, bench: Bench, proxy: Proxy, lane: Caller) -> None:
        """When the repeat is lost as well the caller hears that the outcome is unknown: 0 or 1 job (I1)."""
        new = bench.new()
        proxy.lose_replies(20)
        (answer,) = lane.batch(m.EnqueueJobs, [new])
        proxy.lose_replies(0)
        assert isinstance(answer, BackendUnavailable)
        assert isinstance(lane.batch(m.EnqueueJobs, [new])[0], Enqueued)
        assert bench.stats().accepted == 1


class TestLostServers:
    """The server goes, and comes back (C1, C2, C14)."""

    def test_every_connection_is_cut_again_and_again(
        self, bench: Bench, server: PostgresServer, load: Load
    ) -> None:
        """With all connections ended every few moments nothing is lost or done twice (C1, I1, I17)."""
        for _ in range(10):
            load.go_on(0.1)
            server.execute(OTHERS)
        load.check(bench)

    def test_a_backend_that_is_killed(
        self, bench: Bench, server: PostgresServer, load: Load
    ) -> None:
        """A kill -9 of one process makes PostgreSQL start anew; no accepted job is missing (C2, I1)."""
        load.go_on(0.3)
        os.kill(server.pids("load")[0], signal.SIGKILL)
        load.go_on(0.3)
        server.wait()
        load.go_on(0.3)
        load.check(bench)

    def test_a_server_that_is_killed(
        self, bench: Bench, server: PostgresServer, load: Load
    ) -> None:
        """After a kill -9 under load the database has every job that was accepted (C2, C14, I1)."""
        load.go_on(0.3)
        server.kill()
        with pytest.raises(BackendUnavailable):
            bench.store.open()
        server.start()
        load.go_on(0.3)
        load.check(bench)

    def test_a_frozen_server(
        self, bench: Bench, server: PostgresServer, proxy: Proxy, lane: Caller
    ) -> None:
        """Silence frees the lane in time, and a repeated enqueue is still one job (I11, I18)."""
        new = bench.new()
        proxy.freeze()
        (answer,) = lane.batch(m.EnqueueJobs, [new])
        proxy.thaw()
        assert isinstance(answer, BackendUnavailable)
        assert isinstance(lane.batch(m.EnqueueJobs, [new])[0], Enqueued)
        assert bench.stats().accepted == 1
        assert server.process.running

    def test_a_backend_that_freezes(self, server: PostgresServer, lane: Caller) -> None:
        """A server process that stands still keeps its connection open, and is given up anyway (I18)."""
        (pid,) = server.pids("lane")
        os.kill(pid, signal.SIGSTOP)
        try:
            check_store = m.CheckStore(Reply())
            assert isinstance(lane.single(check_store), Check)
        finally:
            os.kill(pid, signal.SIGCONT)
        assert pid not in server.pids("lane")
