"""Eleven defects that job queues of this kind had, each as a test that it broke."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actorq.clock import mint_token
from actorq.core.commands import Claim, Edit, Extend, Report
from actorq.core.instants import to_us
from actorq.core.job import Backoff, DeadReason, Delivery, ErrorKind
from actorq.core.policy import Policy, Retention
from actorq.core.results import Claimed, Enqueued, Outcome
from actorq.core.retry import Failure, backoff_delay
from actorq.core.transitions import Status
from actorq.errors import LeaseLost, StaleVersion
from actorq.testing.conformance.answers import ids, refusal, settled, token_of
from actorq.testing.conformance.bench import QUEUE
from actorq.testing.conformance.threads import race_over

if TYPE_CHECKING:
    from collections.abc import Callable

    from actorq.backends.backend import Backend
    from actorq.core.job import NewJob
    from actorq.testing.conformance.bench import Bench


def enqueue_one(backend: Backend, new: NewJob) -> Enqueued:
    """Enqueue one job, which must be accepted or be known."""
    (answer,) = backend.enqueue([new])
    assert isinstance(answer, Enqueued), answer
    return answer


class TestDefects:
    """What went wrong before, by name."""

    def test_delayed_jobs_do_run(self, bench: Bench) -> None:
        """A delayed job is promoted once it is due, and can then be claimed (§2, I9)."""
        job = bench.put(delay=0.5)
        assert job.status is Status.DELAYED
        assert bench.claim().jobs == ()
        bench.advance(0.6)
        assert ids(bench.promote().jobs) == [job.id]
        assert bench.take(job).attempt == 1

    def test_claim_and_lease_are_one_step(self, bench: Bench) -> None:
        """A claim whose answer never arrives has left its job leased, to be found or to expire (§2)."""
        job = bench.put()
        token = mint_token()
        lost = bench.connect()
        lost.dequeue(
            [Claim(queue_name=QUEUE, worker_id="w", tokens=(token,), visibility_timeout=1.0)]
        )
        lost.close()
        (found,) = bench.connect().find_claims([token])
        assert (found.id, found.status, token_of(found)) == (job.id, Status.RUNNING, token)
        bench.advance(1.1)
        assert ids(bench.reap().jobs) == [job.id]
        assert bench.take(job).attempt == 2

    def test_an_expired_job_keeps_its_priority(self, bench: Bench) -> None:
        """A job that comes back from a lost lease has its priority, and the place that goes with it (§7)."""
        urgent = bench.put(priority=7)
        bench.take(urgent, visibility_timeout=1.0)
        bench.put(priority=5)
        bench.advance(1.1)
        (back,) = bench.reap().jobs
        assert (back.id, back.status, back.priority) == (urgent.id, Status.PENDING, 7)
        bench.take(urgent)

    def test_ack_and_fail_check_the_holder(self, bench: Bench) -> None:
        """A token that is not the current lease's settles nothing (§4, I6)."""
        job = bench.put()
        taken = bench.take(job)
        refusal(bench.ack(job.id, mint_token()), LeaseLost)
        refusal(bench.fail(job.id, mint_token()), LeaseLost)
        assert bench.get(job) == taken

    def test_a_failed_job_waits_for_its_backoff(self, bench: Bench) -> None:
        """A failed job is delayed for exactly the backoff that core decides (§5)."""
        job = bench.put(backoff=Backoff(base=5.0, factor=2.0, max=60.0))
        taken = bench.take(job)
        back = settled(bench.fail(job.id, token_of(taken))).job
        wait = backoff_delay(job.backoff, 1, job.id, 1)
        assert back.status is Status.DELAYED
        assert back.available_at - back.updated_at == to_us(wait)
        assert bench.promote().jobs == ()
        assert bench.claim().jobs == ()

    def test_an_expired_at_most_once_job_never_runs_again(self, bench: Bench) -> None:
        """A lost at-most-once job ends dead, whatever retries it has left (I4)."""
        job = bench.put(delivery=Delivery.AT_MOST_ONCE, max_retries=5)
        bench.take(job, visibility_timeout=1.0)
        bench.advance(1.1)
        (dead,) = bench.reap().jobs
        assert (dead.status, dead.dead_reason) == (Status.DEAD, DeadReason.LEASE_EXPIRED)
        assert bench.claim().jobs == ()

    def test_two_racing_enqueues_of_one_dedupe_key_make_one_job(self, bench: Bench) -> None:
        """Of two simultaneous enqueues with one dedupe key one creates, the other is told (§6, I10)."""
        for number in range(20):
            wishes = [bench.new(dedupe_key=f"key {number}") for _ in range(2)]

            answers = race_over(bench, wishes, enqueue_one)
            assert sorted(answer.outcome for answer in answers) == [
                Outcome.CREATED,
                Outcome.DUPLICATE,
            ]
            assert len({answer.job.id for answer in answers}) == 1
        assert bench.length() == 20

    def test_an_edit_of_an_old_version_undoes_nothing(self, bench: Bench) -> None:
        """What the reaper wrote stands against a slow worker's and a slow editor's word (§4)."""
        job = bench.put()
        taken = bench.take(job, visibility_timeout=1.0)
        bench.advance(1.1)
        (back,) = bench.reap().jobs
        stale = Edit(id=job.id, version=taken.version, payload="old")
        refusal(bench.backend.update_job([stale])[0], StaleVersion)
        refusal(bench.backend.report([Report(job.id, token_of(taken), "1")])[0], LeaseLost)
        refusal(bench.backend.extend([Extend(job.id, token_of(taken))])[0], LeaseLost)
        refusal(bench.ack(job.id, token_of(taken)), LeaseLost)
        assert bench.get(job) == back

    def test_a_dead_job_can_be_read(self, bench: Bench) -> None:
        """The dead letter queue is a status: the job is found under its id, with its history (I14)."""
        job = bench.put(payload="what it was", max_retries=0)
        bench.take(job)
        bench.fail(job.id, None, Failure("why it broke"))
        dead = bench.get(job)
        assert (dead.status, dead.payload) == (Status.DEAD, "what it was")
        assert dead.dead_reason is DeadReason.RETRIES_EXHAUSTED
        (error,) = dead.errors
        assert (error.attempt, error.kind, error.message) == (1, ErrorKind.FAILURE, "why it broke")
        assert dead.completed_at == error.time == dead.updated_at

    def test_a_dedupe_window_that_outlives_its_job_creates_no_duplicate(
        self, make_bench: Callable[[Policy], Bench]
    ) -> None:
        """Within the window an ended job answers for its key, and retention leaves it there (§6)."""
        bench = make_bench(Policy(retention=Retention(completed=0.0)))
        ended = bench.finish(dedupe_key="k", dedupe_window=3_600.0)
        other = bench.finish()
        bench.advance(0.1)
        assert bench.backend.prune(100)[0] == 1
        assert bench.find(other.id) is None
        again = bench.enqueue(bench.new(dedupe_key="k"))
        assert (again.outcome, again.job) == (Outcome.DUPLICATE, ended)
        assert bench.stats().accepted == 2

    def test_an_empty_queue_is_no_error(self, bench: Bench) -> None:
        """A dequeue that finds nothing answers nothing, of a known queue and of an unknown one (§9)."""
        assert bench.claim(queue="never heard of".replace(" ", "-")) == Claimed()
        bench.finish()
        assert bench.claim(3) == Claimed()
