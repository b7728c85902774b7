"""Leases and fencing (contract §4): whose word counts (I5, I6, I7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from actorq.clock import mint_token
from actorq.core.commands import Ack, Claim, Extend, Fail, Release, Report
from actorq.core.instants import to_us
from actorq.core.policy import Policy
from actorq.core.results import Settled
from actorq.core.retry import Failure
from actorq.core.transitions import Status
from actorq.errors import ActorqError, LeaseLost, NotFound, NotLeased
from actorq.testing.conformance.answers import (
    ids,
    lease_of,
    public,
    refusal,
    repeated,
    settled,
    token_of,
)
from actorq.testing.conformance.bench import QUEUE

if TYPE_CHECKING:
    from collections.abc import Callable

    from actorq.core.job import Job
    from actorq.testing.conformance.bench import Bench

SETTLINGS = ("ack", "fail", "release")
CALLS = (*SETTLINGS, "extend", "report")


def call(bench: Bench, verb: str, job_id: str, token: str | None) -> Settled | Job | ActorqError:
    """Make one call of a holder."""
    backend = bench.backend
    match verb:
        case "ack":
            return backend.ack([Ack(job_id, token, "1")])[0]
        case "fail":
            return backend.fail([Fail(job_id, token, Failure("x", retry_in=0.0))])[0]
        case "release":
            return backend.release([Release(job_id, token)])[0]
        case "extend":
            return backend.extend([Extend(job_id, token, 30.0)])[0]
        case _:
            return backend.report([Report(job_id, token, "1")])[0]


def settle(bench: Bench, verb: str, job: Job) -> Settled:
    """Settle a running job by its holder's word, which must count now."""
    answer = call(bench, verb, job.id, token_of(job))
    assert isinstance(answer, Settled), answer
    return settled(answer)


def lose(bench: Bench, job: Job) -> None:
    """Let the lease of a running job, of one second, run out."""
    bench.advance(1.1)
    assert ids(bench.reap().jobs) == [job.id]


class TestClaims:
    """What a claim gives (§4)."""

    def test_a_claim_leases_under_its_own_token(self, bench: Bench) -> None:
        """The claim's answer is the record with its lease: token, worker, end, seconds (§4)."""
        job = bench.put()
        tokens = (mint_token(),)
        claim = Claim(
            queue_name=QUEUE, worker_id="wörker 😀", tokens=tokens, visibility_timeout=2.5
        )
        (claimed,) = bench.backend.dequeue([claim])
        (taken,) = claimed.jobs
        lease = lease_of(taken)
        assert (taken.id, taken.status, taken.attempt) == (job.id, Status.RUNNING, 1)
        assert (lease.token, lease.worker_id) == (tokens[0], "wörker 😀")
        assert lease.expires_at - lease.claimed_at == to_us(2.5)
        assert (lease.visibility_timeout, lease.claimed_at) == (2.5, taken.updated_at)
        assert bench.get(job) == taken
        assert not claimed.paused

    def test_one_token_for_each_job(self, bench: Bench) -> None:
        """A claim takes at most as many jobs as it has tokens, each under one of its own (§4)."""
        bench.put_many(5)
        tokens = tuple(mint_token() for _ in range(3))
        claim = Claim(queue_name=QUEUE, worker_id="w", tokens=tokens, visibility_timeout=5.0)
        (claimed,) = bench.backend.dequeue([claim])
        assert {token_of(job) for job in claimed.jobs} == set(tokens)
        assert len(set(ids(claimed.jobs))) == 3
        assert bench.length() == 2

    def test_claims_of_one_batch_share_nothing(self, bench: Bench) -> None:
        """Claims of one batch, of one queue and of several, get different jobs, the earlier first (§2)."""
        jobs = bench.put_many(3)
        other = bench.put(queue_name="other")
        claims = [
            Claim(queue_name=queue, worker_id="w", tokens=(mint_token(), mint_token()))
            for queue in (QUEUE, "other", QUEUE, "none")
        ]
        taken = [ids(claimed.jobs) for claimed in bench.backend.dequeue(claims)]
        assert taken == [ids(jobs[:2]), [other.id], [jobs[2].id], []]

    def test_the_default_visibility_is_the_policys(
        self, make_bench: Callable[[Policy], Bench]
    ) -> None:
        """A claim that names no visibility timeout gets the installation's (§4)."""
        bench = make_bench(Policy(visibility_timeout=77.0))
        bench.put()
        assert lease_of(bench.take(visibility_timeout=None)).visibility_timeout == 77.0

    def test_a_lost_answer_can_be_found(self, bench: Bench) -> None:
        """``find_claims`` gives exactly the running jobs leased under these tokens (§4)."""
        bench.put_many(4)
        first, second, third = bench.claim(3).jobs
        tokens = [token_of(job) for job in (first, second, third)]
        settled(bench.ack(second.id))
        found = bench.backend.find_claims([*tokens, mint_token()])
        assert sorted(ids(found)) == sorted([first.id, third.id])
        assert all(public(job) == bench.get(job) for job in found)
        assert ids(bench.backend.find_claims(tokens[2:])) == [third.id]
        assert bench.backend.find_claims([mint_token()]) == []

    def test_attempts_rise_by_one(self, bench: Bench) -> None:
        """Each claim raises ``attempt`` by exactly one, whatever ended the one before (I7)."""
        job = bench.put()
        for attempt, how in enumerate(("release", "fail", "expiry", "release", "reject"), start=1):
            taken = bench.take(job, visibility_timeout=1.0)
            assert taken.attempt == attempt
            if how == "expiry":
                lose(bench, job)
            elif how == "reject":
                bench.fail(job.id, None, Failure("x", retryable=False))
                bench.redrive(job)
            else:
                settle(bench, how, taken)
                bench.promote()
            assert bench.get(job).attempt == attempt


class TestFencing:
    """A stale call changes nothing (I6)."""

    @pytest.mark.parametrize("verb", CALLS)
    def test_a_stale_token_while_another_holds(self, bench: Bench, verb: str) -> None:
        """A holder who lost its lease is told so, also when the next one is running already (§4)."""
        job = bench.put()
        stale = token_of(bench.take(job, visibility_timeout=1.0))
        lose(bench, job)
        refusal(call(bench, verb, job.id, stale), LeaseLost)
        current = bench.take(job)
        refusal(call(bench, verb, job.id, stale), LeaseLost)
        assert bench.get(job) == current
        settled(bench.ack(job.id, token_of(current)))

    @pytest.mark.parametrize("verb", CALLS)
    def test_three_different_answers(self, bench: Bench, verb: str) -> None:
        """Lost, not there, and not leased are different answers (§4)."""
        job = bench.put()
        unknown = bench.mint.mint()
        assert refusal(call(bench, verb, unknown, mint_token()), NotFound).job_id == unknown
        assert refusal(call(bench, verb, job.id, mint_token()), LeaseLost).job_id == job.id
        if verb != "report":
            assert refusal(call(bench, verb, job.id, None), NotLeased).status == "pending"
        assert bench.get(job) == job

    @pytest.mark.parametrize("first", SETTLINGS)
    @pytest.mark.parametrize("second", CALLS)
    def test_a_repeat_is_the_same_call_again(self, bench: Bench, first: str, second: str) -> None:
        """The same settlement again succeeds and changes nothing; another one is lost (§4)."""
        taken = bench.take(bench.put())
        after = settle(bench, first, taken).job
        answer = call(bench, second, taken.id, token_of(taken))
        if first == second:
            assert isinstance(answer, Settled)
            assert repeated(answer) == after
        else:
            refusal(answer, LeaseLost)
        assert bench.get(taken) == after

    @pytest.mark.parametrize("verb", ["fail", "release"])
    def test_a_repeat_after_the_next_claim(self, bench: Bench, verb: str) -> None:
        """A repeat is known even when the job was claimed again meanwhile, and shows it so (§4)."""
        job = bench.put()
        first = bench.take(job)
        settle(bench, verb, first)
        bench.promote()
        second = bench.take(job, visibility_timeout=1.0)
        answer = call(bench, verb, job.id, token_of(first))
        assert isinstance(answer, Settled)
        assert repeated(answer) == second
        assert bench.get(job) == second
        lose(bench, job)
        assert isinstance(call(bench, verb, job.id, token_of(first)), Settled)
        third = bench.take(job)
        settle(bench, "ack", third)
        refusal(call(bench, verb, job.id, token_of(first)), LeaseLost)

    def test_a_repeat_after_a_redrive(self, bench: Bench) -> None:
        """The last settling token is remembered through a redrive, until the next settlement (§4)."""
        taken = bench.take(bench.put(max_retries=0))
        settle(bench, "fail", taken)
        bench.redrive(taken)
        answer = call(bench, "fail", taken.id, token_of(taken))
        assert isinstance(answer, Settled)
        assert repeated(answer).status is Status.PENDING

    @pytest.mark.parametrize("verb", SETTLINGS)
    def test_a_repeat_within_one_batch(self, bench: Bench, verb: str) -> None:
        """Of one settlement twice in a batch the second is the repeat (architecture, rule 1)."""
        taken = bench.take(bench.put())
        token = token_of(taken)
        backend = bench.backend
        match verb:
            case "ack":
                first, second = backend.ack([Ack(taken.id, token)] * 2)
            case "fail":
                first, second = backend.fail([Fail(taken.id, token)] * 2)
            case _:
                first, second = backend.release([Release(taken.id, token)] * 2)
        assert settled(first).job == repeated(second)

    def test_the_token_of_another_job_is_worth_nothing(self, bench: Bench) -> None:
        """A token counts for its own job only (I6, I16)."""
        first, second = bench.put_many(2)
        tokens = [token_of(bench.take(job)) for job in (first, second)]
        refusal(bench.ack(first.id, tokens[1]), LeaseLost)
        answers = bench.backend.ack([Ack(first.id, tokens[1]), Ack(second.id, tokens[1])])
        assert [type(answer) for answer in answers] == [LeaseLost, Settled]
        assert bench.get(first).status is Status.RUNNING

    @pytest.mark.parametrize("verb", ["ack", "fail", "release", "extend"])
    def test_the_bare_form_means_the_current_lease(self, bench: Bench, verb: str) -> None:
        """Without a token a call speaks for whoever holds the job now, once (§4)."""
        taken = bench.take(bench.put())
        assert not isinstance(call(bench, verb, taken.id, None), ActorqError)
        if verb != "extend":
            refusal(call(bench, verb, taken.id, None), NotLeased)
            answer = call(bench, verb, taken.id, token_of(taken))
            assert isinstance(answer, Settled)
            assert answer.repeated
