"""Workflows in Redis: what lies between a write and those who must hear of it, and is cut short there."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final, cast

import pytest
from msgspec.structs import replace

from actorq.backends.redis import intake, settling, sweeps
from actorq.backends.redis.backend import RedisBackend
from actorq.backends.redis.sharded import ShardedBackend
from actorq.core.commands import Ack, Fail
from actorq.core.instants import to_us
from actorq.core.policy import Policy
from actorq.core.results import Enqueued, Outcome
from actorq.core.transitions import Status
from actorq.core.workflow import OnParentFailure
from actorq.testing.conformance.answers import created, ids, settled, token_of
from actorq.testing.conformance.audit import audit
from actorq.testing.conformance.bench import LONG_S, QUEUE, Bench
from actorq.testing.conformance.families import LATER, REJECT, after, known, put_after
from tests.servers.redis_groups import ManyShards
from tests.servers.redis_harness import RedisHarness

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from actorq.backends.backend import Backend
    from actorq.backends.redis.access import Access
    from actorq.core.job import DependentJob, Job, NewJob
    from actorq.core.results import Sweep

GRACE_S: Final = 1.1
"""After so many seconds a note is anybody's."""


@pytest.fixture(params=[RedisHarness, ManyShards])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """Give a bench on one shard and on many, with balanced books at the end, and nothing left to relay."""
    harness = cast("type[RedisHarness]", request.param)(tmp_path)
    bench = Bench(harness, Policy())
    yield bench
    audit(bench.backend)
    assert [key for key in harness.written() if key.endswith(b":outbox")] == []
    bench.close()
    harness.close()


@pytest.fixture
def many(tmp_path: Path) -> Iterator[Bench]:
    """Give a bench over many shards."""
    harness = ManyShards(tmp_path)
    bench = Bench(harness, Policy())
    yield bench
    audit(bench.backend)
    bench.close()
    harness.close()


def shard_of(backend: Backend, queue: str) -> Access:
    """Return a connection's way to the shard of a queue."""
    if isinstance(backend, ShardedBackend):
        return backend._spread.of_queue(queue)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - no verb stops half way
    assert isinstance(backend, RedisBackend)
    return backend._access  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - likewise


def half_end(bench: Bench, parent: Job, how: str) -> None:
    """End a parent as a server does that dies before it has told anybody."""
    backend = bench.connect()
    access = shard_of(backend, parent.queue_name)
    match how:
        case "ack":
            settling.settle(access, [Ack(parent.id)])
        case "fail":
            settling.settle(access, [Fail(parent.id, None, REJECT)])
        case "purge":
            sweeps.purge(access, parent.queue_name, frozenset({Status.PENDING}), 10)
        case _:
            settling.cancel(access, [parent.id])
    backend.close()


def half_enqueue(bench: Bench, child: DependentJob, parents: list[Job]) -> None:
    """Make a child as a server does that dies before its parents in other shards know of it."""
    backend = bench.connect()
    assert isinstance(backend, ShardedBackend)
    backend._spread.note_queues([child.queue_name])  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - likewise
    backend._spread.note_jobs([child])  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - likewise
    elsewhere = {parent.id: bench.get(parent) for parent in parents}
    created(intake.enqueue(shard_of(backend, child.queue_name), [child], elsewhere)[0])
    backend.close()


def sweep(bench: Bench, which: str = "promote", limit: int = 100) -> Sweep:
    """Let another server sweep."""
    backend = bench.connect()
    verb = backend.promote_delayed if which == "promote" else backend.requeue_expired
    return verb(limit)


@pytest.mark.parametrize("which", ["promote", "reap"])
@pytest.mark.parametrize("how", ["ack", "fail", "cancel", "purge"])
def test_an_end_that_nobody_was_told_of(bench: Bench, how: str, which: str) -> None:
    """A server dies between the end of a parent and its children: the next sweep of any tells them (I17)."""
    parent = bench.put()
    child = put_after(bench, [parent])
    if how in {"ack", "fail"}:
        bench.take(parent)
    half_end(bench, parent, how)
    assert bench.get(child) == child
    bench.advance(GRACE_S)
    assert sweep(bench, which) == sweep(bench, which)
    expected = Status.PENDING if how == "ack" else Status.CANCELLED
    assert (bench.get(child).status, bench.get(child).version) == (expected, 2)


def test_what_a_sweep_answers(bench: Bench) -> None:
    """Notes count for the time of the next sweep, and whom it told for what it stirred (rule 8)."""
    parent = bench.put()
    child = put_after(bench, [parent])
    assert bench.promote().next_in is None
    bench.take(parent)
    half_end(bench, parent, "ack")
    fresh = bench.promote()
    assert fresh.next_in is not None
    assert 0.0 < fresh.next_in <= 1.0
    bench.advance(GRACE_S)
    bench.backend.stirred()
    told = bench.promote()
    assert (told.jobs, told.next_in) == ((), None)
    assert ids(list(bench.backend.stirred())) == [child.id]


def test_sweeps_are_bounded(bench: Bench) -> None:
    """A sweep relays as many notes as it may, and says at once that there are more (I18)."""
    parents = bench.put_many(3)
    children = [put_after(bench, [parent]) for parent in parents]
    for parent in parents:
        half_end(bench, parent, "cancel")
    bench.advance(GRACE_S)
    for told in (1, 2, 3):
        assert sweep(bench, limit=1).next_in == (None if told == 3 else 0.0)
        statuses = [bench.get(child).status for child in children]
        assert statuses.count(Status.CANCELLED) == told


def test_a_sweep_goes_down_the_line(bench: Bench) -> None:
    """What a sweep tells is told to the whole line, and each of them hears it once (§2)."""
    line: list[NewJob] = [bench.new()]
    for _ in range(20):
        line.append(after(bench, [line[-1]]))
    first = created(bench.backend.enqueue(line)[0])
    half_end(bench, first, "cancel")
    assert bench.stats(LATER).counts[Status.DELAYED] == 20
    bench.advance(GRACE_S)
    sweep(bench)
    jobs = bench.backend.get_job([new.id for new in line])
    assert all(job is not None and job.status is Status.CANCELLED for job in jobs)


def test_to_be_told_twice_changes_nothing(bench: Bench) -> None:
    """A server dies before it crosses out what it has told everybody: nothing happens twice (§4)."""
    first, last = bench.put_many(2)
    child = put_after(bench, [first, last])
    bench.take(first)
    half_end(bench, first, "ack")
    access = shard_of(bench.backend, QUEUE)
    notes = cast("list[bytes]", access.link.call(b"ZRANGE", access.keys.outbox, b"0", b"-1"))
    bench.advance(GRACE_S)
    sweep(bench)
    told = bench.get(child)
    assert known(told).waiting_for == (last.id,)
    access.link.call(b"ZADD", access.keys.outbox, b"0", *notes)
    sweep(bench)
    assert bench.get(child) == told


def test_a_parent_that_lives_again(bench: Bench) -> None:
    """An end that nobody was told of counts, though the parent is given another life (I3)."""
    parent = bench.put()
    child = put_after(bench, [parent])
    bench.take(parent)
    half_end(bench, parent, "fail")
    bench.redrive(parent)
    settled(bench.ack(bench.take(parent).id))
    assert (bench.get(child).status, bench.get(child).version) == (Status.CANCELLED, 2)


def test_a_parent_and_its_child_in_one_sweep(bench: Bench) -> None:
    """Of two that lapse in one sweep the child is cancelled with its parent, and stirred (rule 1)."""
    parent = bench.put(delay=LONG_S, expires_at=bench.now() + to_us(0.2))
    child = put_after(bench, [parent], queue_name=QUEUE, expires_at=bench.now() + to_us(0.4))
    bench.advance(0.5)
    bench.backend.stirred()
    assert ids(bench.promote().jobs) == [parent.id]
    assert (bench.get(child).status, bench.get(child).version) == (Status.CANCELLED, 2)
    assert ids(list(bench.backend.stirred())) == [child.id]


def test_a_window_of_a_job_that_is_made_cancelled(bench: Bench) -> None:
    """A job whose parents have failed before it is made holds its key as long as its window says (§6)."""
    parent = bench.bury()
    wish = after(bench, [parent], dedupe_key="k", dedupe_window=0.5)
    again = replace(wish, id=bench.mint.mint())
    first, second = bench.backend.enqueue([wish, again])
    assert created(first).status is Status.CANCELLED
    assert [cast("Enqueued", one).job.id for one in (second, *bench.backend.enqueue([again]))] == [
        wish.id,
        wish.id,
    ]
    bench.advance(0.6)
    assert created(bench.backend.enqueue([again])[0]).id == again.id


@pytest.mark.parametrize("policy", OnParentFailure)
@pytest.mark.parametrize("fate", ["lives", "completed", "cancelled", "gone"])
def test_a_child_that_its_parent_does_not_know(
    many: Bench, fate: str, policy: OnParentFailure
) -> None:
    """A server dies before a parent elsewhere knows of its child: a sweep sees to it (I1)."""
    parent = many.put()
    child = after(many, [parent], policy)
    half_enqueue(many, child, [parent])
    assert many.get(parent).workflow is None
    match fate:
        case "completed":
            settled(many.ack(many.take(parent).id))
        case "cancelled":
            many.cancel(parent)
        case "gone":
            many.cancel(parent)
            many.backend.delete([parent.id])
        case _:
            pass
    many.advance(GRACE_S)
    sweep(many)
    told = many.get(child.id)
    if fate == "lives":
        assert known(many.get(parent)).dependents == (child.id,)
        assert (told.status, told.version) == (Status.DELAYED, 1)
    else:
        runs = fate == "completed" or policy is OnParentFailure.RUN
        assert told.status is (Status.PENDING if runs else Status.CANCELLED)


def test_a_line_over_many_shards(many: Bench) -> None:
    """A batch may hold a line through many queues, and one that stands for another of them (rule 1)."""
    held = many.put(queue_name="queue-3", dedupe_key="k")
    line: list[NewJob] = [many.new(queue_name="queue-0")]
    for number in range(1, 8):
        new = after(many, [line[-1]], queue_name=f"queue-{number % 4}")
        line.append(replace(new, dedupe_key="k") if number == 3 else new)
    answers = many.backend.enqueue(line)
    accepted = [cast("Enqueued", answer) for answer in answers]
    outcomes = [one.outcome for one in accepted]
    assert outcomes == [Outcome.DUPLICATE if place == 3 else Outcome.CREATED for place in range(8)]
    assert known(many.get(accepted[4].job)).waiting_for == (held.id,)
    settled(many.ack(many.take(queue="queue-0").id))
    assert many.take(queue="queue-1").id == line[1].id
    settled(many.ack(many.take(queue="queue-3").id))
    assert many.take(queue="queue-0").id == line[4].id


@pytest.mark.parametrize("bench", [RedisHarness], indirect=True)
def test_ends_without_a_family_cost_no_round_more(bench: Bench) -> None:
    """Jobs without dependents are made, claimed and settled in as many rounds as ever (I18)."""
    bench.finish()
    bench.bury()

    def scripts_run() -> int:
        text = cast("bytes", shard_of(bench.backend, QUEUE).link.call(b"INFO", b"commandstats"))
        (line,) = [one for one in text.decode().splitlines() if one.startswith("cmdstat_evalsha:")]
        return int(line.split("calls=")[1].split(",")[0])

    counts = [scripts_run()]
    bench.put_many(20)
    counts.append(scripts_run())
    jobs = bench.claim(20).jobs
    counts.append(scripts_run())
    bench.backend.ack([Ack(job.id, token_of(job)) for job in jobs[:10]])
    counts.append(scripts_run())
    bench.backend.fail([Fail(job.id, token_of(job), REJECT) for job in jobs[10:]])
    counts.append(scripts_run())
    rounds = [end - start for start, end in pairwise(counts)]
    assert rounds == [1, 1, 1, 2]
