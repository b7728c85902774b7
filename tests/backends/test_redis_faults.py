"""What may happen between a store and its server, and what must hold then (faults A, B, D)."""

from __future__ import annotations

import signal
from threading import Event
from typing import TYPE_CHECKING, Final, cast

import pytest

from actorq.actors import messages as m
from actorq.actors.caller import Caller
from actorq.actors.verbs import Kind
from actorq.backends.redis import RedisStore
from actorq.core.commands import Ack, Extend, Fail, Release
from actorq.core.policy import Policy
from actorq.core.results import Claimed, Enqueued, Settled
from actorq.core.retry import Failure
from actorq.core.transitions import Status
from actorq.errors import BackendUnavailable
from actorq.testing.conformance.answers import ids, token_of
from actorq.testing.conformance.audit import audit
from actorq.testing.conformance.bench import QUEUE, Bench
from actorq.testing.conformance.families import put_after
from tests.servers.crews import Crew, claim_of, no_crash
from tests.servers.proxy import Proxy
from tests.servers.redis import RedisServer
from tests.servers.redis_harness import RedisHarness

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


QUICK_S: Final = 0.3
"""A timeout that does not make a test wait long."""


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    """Run a server that the tests of this module may kill, stop and flush."""
    server = RedisServer()
    yield server
    server.close()


@pytest.fixture
def bench(server: RedisServer, tmp_path: Path) -> Iterator[Bench]:
    """Give a bench straight on the server, with balanced books at the end."""
    harness = RedisHarness(tmp_path, server.url)
    bench = Bench(harness, Policy())
    yield bench
    audit(bench.backend)
    bench.close()
    harness.close()


@pytest.fixture
def proxy(server: RedisServer) -> Iterator[Proxy]:
    """Give a way to the server that can be disturbed."""
    proxy = Proxy(server.port)
    yield proxy
    proxy.close()


@pytest.fixture
def store(bench: Bench, proxy: Proxy) -> RedisStore:
    """Give the bench's store a second time, through the proxy and with little patience."""
    recipe = cast("RedisHarness", bench.harness).recipe(bench.store)
    _, namespace, policy = recipe.args
    url = f"redis://127.0.0.1:{proxy.port}"
    return RedisStore(url, namespace, policy, timeout=QUICK_S, shift=recipe.keywords["shift"])


@pytest.fixture
def lane(store: RedisStore) -> Iterator[Caller]:
    """Give a lane that has its connection already."""
    lane = Caller(store.connect, no_crash)
    assert lane.batch(m.GetJobs, ["none"]) == [None]
    yield lane
    lane.close()


class TestLostReplies:
    """The server did it, and nobody heard of it (B6)."""

    def test_an_enqueue_is_one_job(self, bench: Bench, proxy: Proxy, lane: Caller) -> None:
        """A repeated batch finds its own jobs: each is accepted once and answered as created (I1)."""
        wishes = [bench.new() for _ in range(5)] + [bench.new(dedupe_key="k")]
        proxy.lose_replies()
        answers = lane.batch(m.EnqueueJobs, wishes)
        assert proxy.lost == 1
        assert [cast("Enqueued", answer).job.id for answer in answers] == [new.id for new in wishes]
        assert bench.stats().accepted == len(wishes)

    def test_a_claim_is_found_again(self, bench: Bench, proxy: Proxy, lane: Caller) -> None:
        """The jobs of a claim whose answer was lost are delivered, leased once (I4, I5)."""
        jobs = bench.put_many(3)
        proxy.lose_replies()
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

    def test_an_ack_at_once_counts_once(self, bench: Bench, proxy: Proxy, lane: Caller) -> None:
        """The one round of an ack by the process that gave the job out may be lost as well (§4)."""
        bench.put()
        (claimed,) = lane.batch(m.ClaimJobs, [claim_of(QUEUE, 1)])
        (job,) = cast("Claimed", claimed).jobs
        proxy.lose_replies()
        (answer,) = lane.batch(m.AckJobs, [Ack(job.id, token_of(job), "1")])
        assert (proxy.lost, cast("Settled", answer).repeated) == (1, True)
        assert bench.get(job).status is Status.COMPLETED

    def test_an_end_is_told_by_the_next_sweep(
        self, bench: Bench, proxy: Proxy, lane: Caller
    ) -> None:
        """When nobody heard that a parent ended its children are told none the less (I17)."""
        parent = bench.put()
        child = put_after(bench, [parent])
        taken = bench.take(parent)
        proxy.lose_replies(skip=1)
        (answer,) = lane.batch(m.AckJobs, [Ack(taken.id, token_of(taken))])
        assert (proxy.lost, cast("Settled", answer).repeated) == (1, True)
        bench.advance(1.1)
        bench.promote()
        assert bench.get(child).status is Status.PENDING

    def test_a_relay_that_is_cut(self, bench: Bench, proxy: Proxy, lane: Caller) -> None:
        """The end of a parent counts though its children cannot be told now; the next sweep does it (I17)."""
        parent = bench.put()
        child = put_after(bench, [parent])
        taken = bench.take(parent)
        # The read and the write of the ack get through, but not those of what it has to tell.
        proxy.lose_replies(9, skip=2)
        (answer,) = lane.batch(m.AckJobs, [Ack(taken.id, token_of(taken))])
        assert cast("Settled", answer).repeated is False
        bench.advance(1.1)
        bench.promote()
        assert (bench.get(child).status, bench.get(child).version) == (Status.PENDING, 2)

    def test_twice_is_unknown(self, bench: Bench, proxy: Proxy, lane: Caller) -> None:
        """When the repeat is lost as well the caller hears that the outcome is unknown: 0 or 1 job (I1)."""
        new = bench.new()
        proxy.lose_replies(2)
        (answer,) = lane.batch(m.EnqueueJobs, [new])
        assert isinstance(answer, BackendUnavailable)
        assert isinstance(lane.batch(m.EnqueueJobs, [new])[0], Enqueued)
        assert bench.stats().accepted == 1


class TestConnections:
    """Connections come and go (B3, B4, B5)."""

    def test_a_server_that_forgot_its_scripts(self, bench: Bench) -> None:
        """After ``SCRIPT FLUSH`` every verb goes on, and no caller sees an error (B3)."""
        link = cast("RedisHarness", bench.harness).link
        verbs: list[Callable[[], object]] = [
            lambda: bench.put(dedupe_key="k"),
            lambda: bench.put(),
            lambda: bench.fail(bench.take().id, None, Failure("x", retry_in=0.0)),
            bench.promote,
            lambda: bench.ack(bench.take().id),
            bench.reap,
            lambda: bench.backend.prune(10),
            lambda: bench.backend.check(),
            lambda: bench.stats(),
            lambda: bench.backend.find_claims(["t"]),
        ]
        for verb in verbs:
            link.call(b"SCRIPT", b"FLUSH")
            verb()

    def test_every_connection_is_cut_again_and_again(
        self, bench: Bench, server: RedisServer
    ) -> None:
        """With all connections killed every few moments, every job still ends, once (B4, I1, I17)."""
        stop = Event()
        link = cast("RedisHarness", bench.harness).link
        crew = [Crew(bench.store.connect, QUEUE, stop) for _ in range(3)]
        for one in crew:
            one.start()
        for _ in range(10):
            stop.wait(0.1)
            link.call(b"CLIENT", b"KILL", b"TYPE", b"normal", b"SKIPME", b"yes")
        stop.set()
        for one in crew:
            one.finish()
        accepted = [job_id for one in crew for job_id in one.accepted]
        assert len(accepted) > 0
        counts = bench.stats().counts
        assert bench.stats().accepted >= len(accepted)
        assert counts[Status.COMPLETED] > 0
        assert counts[Status.DEAD] == 0
        found = bench.backend.get_job(accepted)
        assert all(job is not None and job.attempt <= 1 for job in found)
        assert server.process.running

    def test_a_frozen_server(
        self, bench: Bench, server: RedisServer, store: RedisStore, lane: Caller
    ) -> None:
        """A server that stops frees the lane in time, and a repeated enqueue is still one job (B5, I11)."""
        new = bench.new()
        server.process.signal(signal.SIGSTOP)
        try:
            (answer,) = lane.batch(m.EnqueueJobs, [new])
        finally:
            server.process.signal(signal.SIGCONT)
        assert isinstance(answer, BackendUnavailable)
        assert isinstance(lane.batch(m.EnqueueJobs, [new])[0], Enqueued)
        assert bench.stats().accepted == 1
        assert store.open().now <= bench.now()

    def test_a_server_that_is_killed(self, bench: Bench, server: RedisServer) -> None:
        """After a kill -9 under load, the append-only file has every job that was accepted (B1, I1)."""
        stop = Event()
        crew = [Crew(bench.store.connect, QUEUE, stop) for _ in range(2)]
        for one in crew:
            one.start()
        stop.wait(0.3)
        server.kill()
        stop.set()
        for one in crew:
            one.finish()
        accepted = [job_id for one in crew for job_id in one.accepted]
        with pytest.raises(BackendUnavailable):
            bench.store.open()
        server.start()
        assert len(accepted) > 0
        found = bench.connect().get_job(accepted)
        assert all(job is not None for job in found)
        bench.backend.close()
        cast("RedisHarness", bench.harness).link.close()
