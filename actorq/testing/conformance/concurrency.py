"""Many at once: threads on connections of their own (I4, I5, I10, I11)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from actorq.clock import mint_token
from actorq.core import keys
from actorq.core.commands import Ack, Claim, Edit, Fail, Release
from actorq.core.queue import QueueEdit
from actorq.core.results import Enqueued, Outcome, Settled
from actorq.core.retry import Failure
from actorq.core.transitions import Status
from actorq.errors import IllegalTransition, LeaseLost, NotLeased, QueueFull, StaleVersion
from actorq.testing.conformance.answers import ids, lease_of, token_of
from actorq.testing.conformance.bench import LONG_S, QUEUE
from actorq.testing.conformance.threads import race, race_over

if TYPE_CHECKING:
    from actorq.backends.backend import Backend
    from actorq.core.job import Job
    from actorq.errors import ActorqError
    from actorq.testing.conformance.bench import Bench

THREADS = 8
ROUNDS = 20


def claim_some(backend: Backend, worker: int, count: int) -> list[Job]:
    """Claim up to ``count`` jobs for a worker."""
    tokens = tuple(mint_token() for _ in range(count))
    claim = Claim(
        queue_name=QUEUE, worker_id=f"w{worker}", tokens=tokens, visibility_timeout=LONG_S
    )
    (claimed,) = backend.dequeue([claim])
    return list(claimed.jobs)


class TestRacingClaims:
    """No job twice (I5)."""

    @pytest.mark.parametrize("size", [1, 4])
    def test_claims_are_disjoint(self, bench: Bench, size: int) -> None:
        """Racing workers share the jobs out: each is claimed exactly once, and all are (I5)."""
        jobs = bench.put_many(120)

        def work(backend: Backend, worker: int) -> list[str]:
            mine: list[str] = []
            while taken := claim_some(backend, worker, size):
                assert {lease_of(job).worker_id for job in taken} == {f"w{worker}"}
                mine += ids(taken)
            return mine

        shares = race(bench, THREADS, work)
        claimed = Counter(job_id for share in shares for job_id in share)
        assert claimed == Counter(ids(jobs))
        assert all(bench.get(job).attempt == 1 for job in jobs)

    def test_a_whole_life_under_load(self, bench: Bench) -> None:
        """Workers that ack, fail, release and enqueue at once lose nothing and double nothing (I13)."""
        bench.put_many(60, max_retries=1_000)

        def work(backend: Backend, worker: int) -> int:
            done = 0
            for step in range(30):
                for job in claim_some(backend, worker, 2):
                    token = token_of(job)
                    if step % 5 == 0:
                        (answer,) = backend.fail([Fail(job.id, token, Failure(retry_in=0.0))])
                    elif step % 5 == 1:
                        (answer,) = backend.release([Release(job.id, token)])
                    else:
                        (answer,) = backend.ack([Ack(job.id, token)])
                        done += 1
                    assert isinstance(answer, Settled)
                    assert not answer.repeated
                backend.promote_delayed(100)
            return done

        done = sum(race(bench, 4, work))
        counts = bench.stats().counts
        assert counts[Status.COMPLETED] == done > 0
        assert counts[Status.RUNNING] == counts[Status.DEAD] == 0
        assert sum(counts.values()) == bench.stats().accepted == 60

    def test_max_running_holds(self, bench: Bench) -> None:
        """Racing claims together take no more than the queue allows (§8)."""
        bench.put_many(40)
        bench.set(QueueEdit(queue_name=QUEUE, max_running=5))
        shares = race(bench, THREADS, lambda backend, worker: claim_some(backend, worker, 3))
        assert len({job.id for share in shares for job in share}) == sum(map(len, shares)) == 5


class TestRacingEnqueues:
    """One job for one key (I10, I11)."""

    def test_fifty_enqueues_of_one_dedupe_key(self, bench: Bench) -> None:
        """Fifty at once with one dedupe key make one job and get fifty equal ids (faults E1)."""
        wishes = [bench.new(dedupe_key="one", payload=str(n)) for n in range(50)]
        answers = race_over(bench, wishes, lambda backend, new: backend.enqueue([new])[0])
        accepted = [answer for answer in answers if isinstance(answer, Enqueued)]
        assert Counter(answer.outcome for answer in accepted) == {
            Outcome.CREATED: 1,
            Outcome.DUPLICATE: 49,
        }
        assert {answer.job.id for answer in accepted} == {bench.take().id}
        assert bench.stats().accepted == 1

    def test_fifty_enqueues_of_one_idempotency_key(self, bench: Bench) -> None:
        """Fifty at once of one request make one job; one answer is the first, the rest replays (I11)."""
        plain = [bench.new() for _ in range(50)]
        wishes = [replace(new, idempotency=keys.idempotency(new, "", "k")) for new in plain]
        answers = race_over(bench, wishes, lambda backend, new: backend.enqueue([new])[0])
        accepted = [answer for answer in answers if isinstance(answer, Enqueued)]
        assert Counter(answer.replayed for answer in accepted) == {False: 1, True: 49}
        assert {answer.outcome for answer in accepted} == {Outcome.CREATED}
        assert {answer.job.id for answer in accepted} == {bench.take().id}
        assert bench.stats().accepted == 1

    def test_crossing_batches(self, bench: Bench) -> None:
        """Batches that name the same keys in opposite order neither deadlock nor duplicate (§6)."""
        for number in range(ROUNDS):
            names = [f"{number}/{letter}" for letter in "abcd"]
            wishes = [
                [bench.new(dedupe_key=name) for name in order] for order in (names, names[::-1])
            ]
            answers = race_over(bench, wishes, lambda backend, batch: backend.enqueue(batch))
            flat = [answer for batch in answers for answer in batch]
            made = [answer for answer in flat if isinstance(answer, Enqueued)]
            assert len(made) == 8
            assert sum(answer.outcome is Outcome.CREATED for answer in made) == len(names)
        assert bench.length() == 4 * ROUNDS

    def test_max_depth_holds(self, bench: Bench) -> None:
        """Racing enqueues together fill the queue exactly (§8)."""
        bench.set(QueueEdit(queue_name=QUEUE, max_depth=10))
        wishes = [[bench.new() for _ in range(3)] for _ in range(THREADS)]
        answers = race_over(bench, wishes, lambda backend, batch: backend.enqueue(batch))
        kinds = Counter(type(answer) for batch in answers for answer in batch)
        assert kinds == {Enqueued: 10, QueueFull: 3 * THREADS - 10}
        assert bench.length() == 10


class TestRacingEnds:
    """Exactly one of two ends (I2, I3)."""

    def test_cancel_against_claim(self, bench: Bench) -> None:
        """A cancel that races a claim either ends the job unstarted or asks its holder (§2)."""
        for _ in range(ROUNDS):
            job = bench.put()

            def act(backend: Backend, n: int, job_id: str = job.id) -> list[Job]:
                if n:
                    return claim_some(backend, n, 1)
                (answer,) = backend.cancel([job_id])
                assert not isinstance(answer, Exception)
                return [answer]

            (cancelled,), claimed = race(bench, 2, act)
            after = bench.get(job)
            assert after.cancel_requested
            if claimed:
                assert (cancelled.status, after.status) == (Status.RUNNING, Status.RUNNING)
                bench.ack(job.id)
            else:
                assert (cancelled.status, after.attempt) == (Status.CANCELLED, 0)

    def test_ack_against_expiry(self, bench: Bench) -> None:
        """An ack that races the reaper either counts or is told that the lease is lost (I6)."""
        for _ in range(ROUNDS):
            taken = bench.take(bench.put(), visibility_timeout=1.0)
            token = token_of(taken)
            bench.advance(1.01)

            def act(backend: Backend, n: int, job_id: str = taken.id, own: str = token) -> object:
                return backend.requeue_expired(10) if n else backend.ack([Ack(job_id, own)])[0]

            answer, _ = race(bench, 2, act)
            after = bench.get(taken)
            if isinstance(answer, Settled):
                assert after.status is Status.COMPLETED
            else:
                assert isinstance(answer, LeaseLost)
                assert (after.status, after.expiries) == (Status.PENDING, 1)
                bench.cancel(after)

    def test_two_reapers(self, bench: Bench) -> None:
        """Reapers that race end each lease once: one expiry each, however many look (I7)."""
        jobs = bench.put_many(40)
        bench.claim(40, visibility_timeout=1.0)
        bench.advance(1.1)
        sweeps = race(bench, 4, lambda backend, _: ids(backend.requeue_expired(100).jobs))
        assert sorted(job_id for sweep in sweeps for job_id in sweep) == ids(jobs)
        assert {bench.get(job).expiries for job in jobs} == {1}

    def test_two_bare_acks(self, bench: Bench) -> None:
        """Of racing settlements of one lease exactly one takes effect (I3)."""
        for _ in range(ROUNDS):
            taken = bench.take(bench.put())

            def act(backend: Backend, n: int, job_id: str = taken.id) -> Settled | ActorqError:
                if n % 2:
                    return backend.ack([Ack(job_id)])[0]
                return backend.fail([Fail(job_id, None, Failure(retryable=False))])[0]

            answers = race(bench, 4, act)
            assert Counter(type(answer) for answer in answers) == {Settled: 1, NotLeased: 3}
            assert bench.get(taken).version == taken.version + 1

    def test_racing_edits_of_one_version(self, bench: Bench) -> None:
        """Of edits based on one version exactly one is made (§9)."""
        for _ in range(ROUNDS):
            job = bench.put()
            edits = [Edit(id=job.id, version=job.version, priority=n) for n in range(4)]
            answers = race_over(bench, edits, lambda b, edit: b.update_job([edit])[0])
            losers = [answer for answer in answers if isinstance(answer, StaleVersion)]
            assert len(losers) == 3
            assert bench.get(job).version == job.version + 1

    def test_racing_redrives(self, bench: Bench) -> None:
        """A dead job is redriven once, however many ask (I14)."""
        for _ in range(ROUNDS):
            job = bench.bury()
            answers = race_over(bench, [job.id] * 4, lambda b, job_id: b.redrive([job_id])[0])
            refused = [answer for answer in answers if isinstance(answer, IllegalTransition)]
            assert len(refused) == 3
            bench.cancel(job)

    def test_one_enqueue_over_two_connections(self, bench: Bench) -> None:
        """The same enqueue sent over two connections at once is one job (I1)."""
        for _ in range(ROUNDS):
            new = bench.new()
            answers = race_over(bench, [new, new], lambda b, one: b.enqueue([one])[0])
            jobs = [answer.job for answer in answers if isinstance(answer, Enqueued)]
            assert len(jobs) == 2
            assert jobs[0] == jobs[1]
        assert bench.stats().accepted == ROUNDS
