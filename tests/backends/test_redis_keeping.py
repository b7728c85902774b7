"""How jobs are kept in Redis: what no other store has to think of."""

from __future__ import annotations

from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING, Final, cast

import msgspec
import pytest

from actorq.backends.redis import access, claiming, intake, listing, recent
from actorq.backends.redis.address import ServerAddress
from actorq.backends.redis.link import Link
from actorq.backends.redis.news import Herald, RedisListener
from actorq.core.commands import Ack, Edit, ListJobs
from actorq.core.job import FORMAT
from actorq.core.policy import Policy, Retention
from actorq.core.queue import QueueEdit
from actorq.core.retry import Failure
from actorq.core.transitions import Status
from actorq.errors import BackendUnavailable
from actorq.testing.conformance.answers import answered, created, ids, settled, token_of
from actorq.testing.conformance.audit import audit, list_all
from actorq.testing.conformance.bench import QUEUE, Bench
from actorq.testing.conformance.scenes import bring
from tests.servers.proxy import Proxy
from tests.servers.redis_harness import RedisHarness

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[RedisHarness]:
    """Give a clean namespace on the server of this run."""
    harness = RedisHarness(tmp_path)
    yield harness
    harness.close()


@pytest.fixture
def bench(harness: RedisHarness) -> Iterator[Bench]:
    """Give a bench, with balanced books at the end."""
    bench = Bench(harness, Policy())
    yield bench
    audit(bench.backend)
    bench.close()


def key_of(harness: RedisHarness, name: str) -> bytes:
    """Return the one key of the test that ends so."""
    (key,) = (key for key in harness.written() if key.endswith(f":{name}".encode()))
    return key


class TestLaterVersions:
    """What a later version keeps beside a record, this one leaves alone (§1)."""

    LATER: Final = {"group_key": "g", "n": [1, None]}

    def test_fields_of_a_later_version_stay(self, bench: Bench, harness: RedisHarness) -> None:
        """Unknown fields of body and state outlive an edit, a claim, a failure and an ack (§1)."""
        job = bench.put()
        answered(bench.backend.update_job([Edit(id=job.id, priority=1)])[0])
        self.write_like_a_later_version(harness, job.id)
        answered(bench.backend.update_job([Edit(id=job.id, payload="new")])[0])
        taken = bench.take(job)
        bench.fail(job.id, token_of(taken), Failure("x", retry_in=0.0))
        bench.promote()
        settled(bench.ack(job.id, token_of(bench.take(job))))
        body, state = self.read(harness, "body", job.id)[1], self.read(harness, "state", job.id)[3]
        assert (body[0], body[2], body[-1]) == (FORMAT + 1, "new", self.LATER)
        assert state[-1] == self.LATER

    @staticmethod
    def read(harness: RedisHarness, name: str, job_id: str) -> list[list[object]]:
        """Return a field as it is stored, decoded."""
        text = cast("bytes", harness.link.call(b"HGET", key_of(harness, name), job_id.encode()))
        return cast("list[list[object]]", msgspec.msgpack.decode(text))

    def write_like_a_later_version(self, harness: RedisHarness, job_id: str) -> None:
        """Write a record of the next format, with a field more in the maps at the end."""
        body = self.read(harness, "body", job_id)
        body[1][0], body[1][-1] = FORMAT + 1, self.LATER
        keys = [key_of(harness, name) for name in ("body", "state")]
        harness.link.call(b"HSET", keys[0], job_id.encode(), msgspec.msgpack.encode(body))
        # The numbers of a state have a fixed width, so only its map is replaced.
        state = cast("bytes", harness.link.call(b"HGET", keys[1], job_id.encode()))
        head, _, tail = state.rpartition(msgspec.msgpack.encode({}))
        changed = head + msgspec.msgpack.encode(self.LATER) + tail
        harness.link.call(b"HSET", keys[1], job_id.encode(), changed)
        assert self.read(harness, "state", job_id)[3][-1] == self.LATER

    def test_settings_of_a_later_version_stay(self, bench: Bench, harness: RedisHarness) -> None:
        """An edit of a queue's settings keeps those that this version does not know (§1)."""
        bench.set(QueueEdit(queue_name=QUEUE, max_running=3))
        key = key_of(harness, "queues")
        harness.link.call(b"HSET", key, QUEUE.encode(), b'{"max_running":3,"rate_limit":{"n":5}}')
        bench.set(QueueEdit(queue_name=QUEUE, max_running=None, max_depth=9))
        kept = cast("bytes", harness.link.call(b"HGET", key, QUEUE.encode()))
        assert msgspec.json.decode(kept) == {"max_depth": 9, "rate_limit": {"n": 5}}


class TestKeys:
    """The keys (§8, faults B9, B11)."""

    def test_no_key_ever_expires(self, bench: Bench, harness: RedisHarness) -> None:
        """No key has a time to live: an eviction policy has no reason to take one (B11)."""
        for status in sorted(Status, key=lambda each: each is Status.PENDING):
            bring(bench, status, queue_name=status, dedupe_key=status, dedupe_window=60.0)
        keys = harness.written()
        assert len(keys) > 10
        assert {harness.link.call(b"TTL", key) for key in keys} == {-1}

    def test_all_keys_are_in_one_slot(self, bench: Bench, harness: RedisHarness) -> None:
        """All keys of a shard have one hash tag, whatever the queues are called (B9)."""
        for name in ("a:b", "a.b", "_", "A-1"):
            bench.put(queue_name=name)
        tags = {key[: key.index(b"}") + 1].rsplit(b":", 1)[1] for key in harness.written()}
        assert tags == {b"0}", b"meta}"}

    def test_nothing_is_left_of_a_pruned_job(self, bench: Bench, harness: RedisHarness) -> None:
        """A job that is removed leaves no record, no index entry and no key behind (I2, I18)."""
        for status in sorted(Status, key=lambda each: each is Status.PENDING):
            bring(bench, status, queue_name=status, dedupe_key=status, dedupe_window=60.0)
        for status in Status:
            if status is Status.RUNNING:
                bench.ack(bench.backend.list_jobs(ListJobs(queue_name=status)).jobs[0].id)
            bench.backend.purge(status, frozenset(Status), 10)
        assert sorted(key.rsplit(b":", 1)[1] for key in harness.written()) == [
            b"accepted", b"drift", b"layout", b"probe", b"pruned", b"queues",
        ]  # fmt: skip


class TestWindows:
    """Jobs whose dedupe window has held them back (§6, §8)."""

    def test_a_small_round_finds_the_one_that_may_go(self, harness: RedisHarness) -> None:
        """Of windows that end together, one whose job stays hides none whose job may go (§8)."""
        bench = Bench(harness, Policy(retention=Retention(cancelled=1.0)))
        keys = ("a", "b", "c")
        jobs = [bench.put(dedupe_key=key, dedupe_window=3.0) for key in keys]
        bench.cancel(jobs[-1])
        bench.advance(2.9)
        for job in jobs[:-1]:
            bench.cancel(job)
        bench.advance(0.2)
        assert bench.backend.prune(1)[0] == 1
        assert [bench.find(job.id) is None for job in jobs] == [False, False, True]
        audit(bench.backend)
        bench.close()


class TestPriorities:
    """One sorted set has the order of claims and that of listings (§7, §8)."""

    @pytest.mark.parametrize("searched", [200, 3])
    def test_a_listing_over_many_priorities(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch, searched: int
    ) -> None:
        """Pages are exact with one priority, with some, and with more than are searched one by one (§8)."""
        monkeypatch.setattr(listing, "MOST_PRIORITIES", searched)
        wishes = [bench.new(priority=n * 7 % 12 - 6) for n in range(100)]
        jobs = [created(answer) for answer in bench.backend.enqueue(wishes)]
        for statuses in (frozenset[Status](), frozenset({Status.PENDING})):
            for limit in (1, 7, 200):
                query = ListJobs(queue_name=QUEUE, statuses=statuses, limit=limit)
                assert ids(list_all(bench.backend, query)) == ids(jobs)[::-1]
        before = bench.backend.list_jobs(ListJobs(before=jobs[40].id, limit=3))
        assert ids(before.jobs) == ids(jobs[37:40])[::-1]
        for nothing in ("", "+", "0"):
            assert bench.backend.list_jobs(ListJobs(before=nothing)).jobs == ()
        best = sorted(jobs, key=lambda job: (-job.priority, job.id))
        assert ids(bench.claim(100).jobs) == ids(best)

    def test_the_oldest_job_is_not_the_one_with_the_smallest_id(self, bench: Bench) -> None:
        """The oldest pending job is told by its creation, in whatever order ids were minted (§9)."""
        late, early = bench.new(priority=1), bench.new()
        oldest = bench.enqueue(early).job
        bench.advance(0.5)
        bench.enqueue(late)
        bench.advance(0.5)
        for priority in (1, 0, -1):
            bench.put(priority=priority)
        assert late.id < early.id
        assert bench.stats().oldest_pending_at == oldest.created_at


class TestRecent:
    """Claims are remembered until they are acknowledged; memory has bounds, and may be wrong (I18)."""

    def test_what_changed_meanwhile_is_read_again(self, bench: Bench) -> None:
        """An ack by a record that is out of date is decided anew by what is stored (I6)."""
        job = bench.put()
        taken = bench.take(job)
        other = bench.harness.reopen(bench.store).connect()
        assert answered(other.cancel([job.id])[0]).cancel_requested
        done = settled(bench.ack(job.id, token_of(taken), "1")).job
        assert (done.status, done.cancel_requested, done.result) == ("completed", True, "1")
        other.close()

    def test_the_memory_is_bounded(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        """The oldest records make room, and large ones are not kept; both can still be acknowledged."""
        monkeypatch.setattr(recent, "MOST", 3)
        jobs = [*bench.put_many(5), bench.put(payload="x" * (recent.LARGEST + 1))]
        taken = bench.claim(6).jobs
        answers = bench.backend.ack([Ack(job.id, token_of(job)) for job in taken])
        assert [settled(answer).job.id for answer in answers] == ids(jobs)
        assert bench.stats().counts[Status.COMPLETED] == 6

    def test_a_batch_larger_than_lua_unpacks(self, bench: Bench) -> None:
        """Batches of thousands are one step each, though Lua passes on few values at a time (rule 1)."""
        count = 9_000
        bench.put_many(count)
        (first, *_), rest = (taken := bench.claim(count).jobs), len(taken)
        assert (first.attempt, rest) == (1, count)
        answers = bench.backend.ack([Ack(job.id, token_of(job)) for job in taken])
        assert len({settled(answer).job.updated_at for answer in answers}) == 1
        assert (
            len(list_all(bench.backend, ListJobs(statuses=frozenset({Status.COMPLETED})))) == count
        )

    def test_a_large_answer_comes_in_parts(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A claim takes as many large jobs as one answer carries, the next the others (I18)."""
        for module in (access, claiming):
            monkeypatch.setattr(module, "MOST_BYTES", 50_000)
        jobs = bench.put_many(120, payload="x" * 1_000)
        first, second, third = (bench.claim(120).jobs for _ in range(3))
        assert ids([*first, *second, *third]) == ids(jobs)
        assert len(first) == len(second) < 60
        read = bench.backend.get_job(ids(jobs))
        assert [job is not None and job.id for job in read] == ids(jobs)

    def test_the_largest_payloads_are_claimed_together(self, bench: Bench) -> None:
        """A batch of the largest payloads is accepted, claimed and acknowledged (§1)."""
        jobs = bench.put_many(12, payload="x" * 1_048_576)
        taken = [*bench.claim(12).jobs, *bench.claim(12).jobs]
        assert [job.payload for job in taken] == [job.payload for job in jobs]
        answers = bench.backend.ack([Ack(job.id, token_of(job)) for job in taken])
        assert [settled(answer).job.id for answer in answers] == ids(jobs)
        bench.backend.delete(ids(jobs))

    def test_a_huge_batch_is_sent_in_parts(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A batch beyond what a server takes in one request is written in parts, all before the answer."""
        monkeypatch.setattr(intake, "MOST_BYTES", 5_000)
        wishes = [bench.new(payload="é" * 900, dedupe_key=None if n % 2 else "k") for n in range(9)]
        answers = bench.backend.enqueue(wishes)
        outcomes = [getattr(answer, "outcome", None) for answer in answers]
        assert outcomes.count("created") == bench.stats().accepted == 5
        assert outcomes.count("duplicate") == 4


class TestDeadListener:
    """A connection for news that died is found out (faults C3, B4)."""

    @pytest.mark.parametrize("how", ["cut", "freeze"])
    def test_a_dead_connection_is_given_up(self, harness: RedisHarness, how: str) -> None:
        """A cut connection is seen at once, a silent one after a ping without an answer."""
        port = int(harness.url.rsplit(":", 1)[1].split("/")[0])
        proxy = Proxy(port)
        link = Link(ServerAddress(f"redis://127.0.0.1:{proxy.port}", 0.3))
        listener = RedisListener(link, Herald("n"), patience=0.2, silence=0.1)
        assert listener.wait(0.3) == frozenset()
        start = monotonic()
        getattr(proxy, how)()
        with pytest.raises(BackendUnavailable):
            listener.wait(5.0)
        assert monotonic() - start < 3.0
        listener.close()
        proxy.close()

    def test_an_interrupt_reaches_a_wait_of_another_thread(self, harness: RedisHarness) -> None:
        """A wait ends soon after another thread interrupts it (``Listener``)."""
        listener = RedisListener(Link(ServerAddress(harness.url, 5.0)), Herald("n"), patience=5.0)
        heard: list[object] = []
        thread = Thread(target=lambda: heard.append(listener.wait(30.0)))
        thread.start()
        listener.interrupt()
        thread.join(5.0)
        assert heard == [frozenset()]
        listener.close()
