"""Retry and backoff: pure decisions that every store shares (contract §2, §5)."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from actorq.core.job import DEFAULT_BACKOFF, Backoff, DeadReason, Delivery, Job, create
from actorq.core.policy import Policy
from actorq.core.retry import (
    JITTER,
    Abort,
    Again,
    Bury,
    Failure,
    Retry,
    backoff_delay,
    on_expiry,
    on_failure,
    on_release,
)
from actorq.core.transitions import Status
from actorq.testing.clock import START_US
from tests.core.records import ID, jobs, new

WILD = st.builds(
    Backoff,
    base=st.floats(0.0, 3.2e9),
    factor=st.floats(1.0, 1_000.0),
    max=st.floats(0.0, 3.2e9),
)
"""Every backoff that the bounds let through, denormal numbers included."""


@given(WILD, st.sampled_from([1, 2, 64, 1_024, 10**6]) | st.integers(1, 10**9), st.integers(0, 99))
@example(Backoff(5e-324, 1_000.0, 3.2e9), 105, 1)
@example(Backoff(1.0, 2.0, 3_600.0), 1_025, 1)
def test_no_delay_leaves_its_bounds(backoff: Backoff, n: int, attempt: int) -> None:
    """At any retry the delay lies between 0 and max, and nothing overflows (§5)."""
    assert 0.0 <= backoff_delay(backoff, n, ID, attempt) <= backoff.max


@given(WILD, st.integers(1, 2_000), st.text(max_size=9), st.integers(0, 10**6))
def test_jitter_is_at_most_a_fifth_and_replayable(
    backoff: Backoff, n: int, job_id: str, attempt: int
) -> None:
    """The delay lies within 20 % of the plain one, and the same job and attempt give it again (§5)."""
    delay = backoff_delay(backoff, n, job_id, attempt)
    plain = exact(backoff, n)
    assert abs(delay - plain) <= plain * JITTER * (1 + 1e-9) + 1e-300
    assert delay == backoff_delay(backoff, n, job_id, attempt)


@given(WILD)
@example(Backoff(base=708_983_009.0, factor=1.125, max=848_651_758.0))
def test_plain_delays_never_fall(backoff: Backoff) -> None:
    """Without jitter, each retry waits at least as long as the one before (§5)."""
    # One job and attempt share their draw, so the jitter is the same fraction on every retry.
    delays = [backoff_delay(backoff, n, ID, 7) for n in (1, 2, 3, 10, 64, 1_024, 10**6)]
    top = backoff.max * (1 - JITTER)
    assert all(b >= min(a, top) * (1 - 1e-9) for a, b in pairwise(delays))


def test_the_default_backoff_is_the_contract_s() -> None:
    """1 s, doubled each time, an hour at most (§5)."""
    assert Backoff(base=1.0, factor=2.0, max=3_600.0) == DEFAULT_BACKOFF
    for n, plain in [(1, 1.0), (2, 2.0), (12, 2_048.0), (13, 3_600.0), (100, 3_600.0)]:
        assert math.isclose(exact(DEFAULT_BACKOFF, n), plain)
        assert 0.8 * plain <= backoff_delay(DEFAULT_BACKOFF, n, ID, 1) <= 1.2 * plain


def test_jobs_that_failed_together_do_not_come_back_together() -> None:
    """At the cap, too, a thousand jobs spread over a fifth of the delay, and none exceeds it (§5)."""
    delays = [backoff_delay(DEFAULT_BACKOFF, 99, f"job-{n}", 1) for n in range(1_000)]
    assert max(delays) <= 3_600.0
    assert min(delays) >= 2_880.0
    fifths = {int((delay - 2_880.0) // 72.0) for delay in delays}
    assert fifths >= set(range(10))


def exact(backoff: Backoff, n: int) -> float:
    """Return min(max, base * factor ** (n - 1)) without overflow."""
    if not backoff.base or not backoff.max:
        return 0.0
    exponent = math.log(backoff.base) + (n - 1) * math.log(backoff.factor)
    return backoff.max if exponent > math.log(backoff.max) else math.exp(exponent)


RUNNING = jobs([Status.RUNNING])
failures = st.builds(
    Failure,
    reason=st.just("broken"),
    retryable=st.booleans(),
    retry_in=st.none() | st.floats(0.0, 1e6),
)


@given(RUNNING, failures)
def test_a_failure_is_decided_by_its_record_alone(job: Job, failure: Failure) -> None:
    """A failure retries while retries are left and wanted, and ends the job otherwise (§2)."""
    decision = on_failure(job, failure)
    assert decision == on_failure(job, failure)
    if job.cancel_requested:
        assert decision == Abort()
    elif not failure.retryable:
        assert decision == Bury(DeadReason.REJECTED)
    elif job.delivery is Delivery.AT_MOST_ONCE or job.retry_count >= job.max_retries:
        assert decision == Bury(DeadReason.RETRIES_EXHAUSTED)
    else:
        assert isinstance(decision, Retry)
        if failure.retry_in is not None:
            assert decision.delay == failure.retry_in
        else:
            delay = backoff_delay(job.backoff, job.retry_count + 1, job.id, job.attempt)
            assert decision.delay == delay


@given(RUNNING, st.integers(0, 5))
def test_expiries_have_a_budget_of_their_own(job: Job, most: int) -> None:
    """A lost lease brings the job back until its budget is spent; at most once never (§2, I4)."""
    decision = on_expiry(job, Policy(max_expiries=most))
    if job.delivery is Delivery.AT_MOST_ONCE:
        assert decision == Bury(DeadReason.LEASE_EXPIRED)
    elif job.cancel_requested:
        assert decision == Abort()
    elif job.expiries < most:
        assert decision == Again()
    else:
        assert decision == Bury(DeadReason.LEASE_EXPIRED)


@given(RUNNING, st.sampled_from([0.0, 2.5]))
def test_hand_backs_are_free_until_their_budget_is_spent(job: Job, delay: float) -> None:
    """A release spends no retry; past the budget it is judged as a failure (§2)."""
    decision = on_release(job, delay, Policy())
    if job.cancel_requested:
        assert decision == Abort()
    elif job.interruptions < 100:
        assert decision == Again(delay)
    else:
        assert decision == on_failure(job, Failure())


@pytest.mark.parametrize("count", [2, 3, 4])
def test_the_fourth_lost_lease_is_the_last(count: int) -> None:
    """With the default of three, the fourth expiry ends the job (§2)."""
    running = replace(create(new(), START_US), status=Status.RUNNING, expiries=count)
    ended = isinstance(on_expiry(running, Policy()), Bury)
    assert ended == (count + 1 > 3)
