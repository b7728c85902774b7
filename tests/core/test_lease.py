"""Leases and fencing: whose word counts, and for how long (contract §4)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from actorq.core import lifecycle
from actorq.core.instants import to_us
from actorq.core.job import Job, Lease, Settlement, create
from actorq.core.lease import Standing, extended, grant, standing
from actorq.core.policy import Policy
from actorq.core.retry import Failure
from actorq.core.transitions import Status
from actorq.testing.clock import START_US
from tests.core.records import NOW, jobs, new

HOUR_US = to_us(3_600.0)


@given(
    jobs(),
    st.sampled_from([None, "t", "old", "foreign"]),
    st.sampled_from([None, *Settlement]),
)
def test_every_token_has_one_of_four_standings(
    job: Job, token: str | None, settlement: Settlement | None
) -> None:
    """Holder, repeat, lost and not leased are told apart, whatever the status (§4, I6)."""
    answer = standing(job, token, settlement)
    if job.status is Status.RUNNING and token in {None, "t"}:
        assert answer is Standing.HOLDER
    elif job.status is not Status.RUNNING and token is None:
        assert answer is Standing.NOT_LEASED
    elif token == "old" and settlement is not None and job.settled_by is settlement:  # noqa: S105 - no secret
        assert answer is Standing.REPEAT
    else:
        assert answer is Standing.LOST


def test_a_repeat_is_known_until_the_next_settlement() -> None:
    """A settling token is known as a repeat also after a new claim, and not after its end (§4)."""
    first = lifecycle.claim(create(new(), START_US), "t1", "w", 30.0, START_US)
    released = lifecycle.release(first, 0.0, Policy(), START_US)
    assert standing(released, "t1", Settlement.RELEASE) is Standing.REPEAT

    second = lifecycle.claim(released, "t2", "w", 30.0, START_US)
    assert standing(second, "t1", Settlement.RELEASE) is Standing.REPEAT
    assert standing(second, "t2", Settlement.RELEASE) is Standing.HOLDER

    ended = lifecycle.ack(second, None, START_US)
    assert standing(ended, "t1", Settlement.RELEASE) is Standing.LOST
    assert standing(ended, "t2", Settlement.ACK) is Standing.REPEAT


def test_an_expiry_leaves_the_last_settlement() -> None:
    """Nobody settled an expired lease: its token is lost, the one before still a repeat (§4, I6)."""
    first = lifecycle.claim(create(new(), START_US), "t1", "w", 30.0, START_US)
    failed = lifecycle.fail(first, Failure(retry_in=0.0), START_US)
    second = lifecycle.claim(lifecycle.promote(failed, START_US), "t2", "w", 1.0, START_US)
    lost = lifecycle.expire(second, Policy(), START_US + to_us(1.0))
    assert standing(lost, "t1", Settlement.FAIL) is Standing.REPEAT
    assert standing(lost, "t2", Settlement.ACK) is Standing.LOST


def test_a_token_that_settled_one_way_cannot_settle_another_way() -> None:
    """A repeat is the same call again: who failed a job cannot acknowledge it after (§4)."""
    job = lifecycle.claim(create(new(), START_US), "t", "w", 30.0, START_US)
    failed = lifecycle.fail(job, Failure(), START_US)
    assert standing(failed, "t", Settlement.ACK) is Standing.LOST
    assert standing(failed, "t", Settlement.FAIL) is Standing.REPEAT


@given(st.floats(1.0, 43_200.0))
def test_a_grant_lasts_as_long_as_was_asked(seconds: float) -> None:
    """A claim's lease ends one visibility timeout after the store's now (§3, §4)."""
    lease = grant("t", "w", seconds, NOW)
    assert (lease.claimed_at, lease.expires_at) == (NOW, NOW + to_us(seconds))


@given(
    st.floats(1.0, 43_200.0),
    st.lists(st.tuples(st.none() | st.floats(1.0, 43_200.0), st.integers(0, 13 * HOUR_US))),
    st.floats(1.0, 43_200.0),
)
def test_no_run_of_renewals_holds_a_lease_beyond_the_bound(
    timeout: float, renewals: list[tuple[float | None, int]], bound: float
) -> None:
    """However a holder renews, its lease ends within the bound since the claim (§4)."""
    policy = Policy(max_extension=bound)
    lease, now = grant("t", "w", timeout, NOW), NOW
    for asked, pause in renewals:
        now += pause
        renewed = extended(lease, asked, now, policy)
        assert renewed.token == lease.token
        assert renewed.claimed_at == NOW
        assert renewed.expires_at - now == to_us(renewed.visibility_timeout)
        assert renewed.visibility_timeout <= (lease.visibility_timeout if asked is None else asked)
        lease = renewed
        # A renewal beyond the bound grants nothing: the lease ends there and then.
        assert lease.expires_at <= max(NOW + to_us(max(bound, timeout)), now)


def test_the_default_bound_is_twelve_hours() -> None:
    """A lease can be renewed up to 12 h after its claim, and then is granted what is left (§4)."""
    lease = grant("t", "w", 30.0, NOW)
    late = NOW + 12 * HOUR_US - to_us(10.0)
    assert extended(lease, None, NOW + HOUR_US, Policy()).expires_at == NOW + HOUR_US + to_us(30)
    assert extended(lease, None, late, Policy()) == Lease("t", "w", NOW, NOW + 12 * HOUR_US, 10.0)
    after = NOW + 13 * HOUR_US
    assert extended(lease, None, after, Policy()) == Lease("t", "w", NOW, after, 0.0)
