"""What each event does to a record: the table decides where, the invariants hold (contract §2)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict, replace

from actorq.core import lifecycle
from actorq.core.commands import Edit
from actorq.core.instants import to_us
from actorq.core.job import DeadReason, Delivery, ErrorKind, Job, Settlement, create
from actorq.core.policy import Policy
from actorq.core.retry import Failure
from actorq.core.transitions import ENDED, LIVE, WAITING, Event, Status
from actorq.errors import IllegalTransition
from actorq.testing.clock import START_US
from tests.core.acts import ACTS, LEASE_ENDS, Act
from tests.core.records import ID, NOW, assert_sound, jobs, new

RUNNING = jobs([Status.RUNNING])
UNCHANGING = (
    "id", "queue_name", "delivery", "created_at", "task", "dedupe_key", "dedupe_until", "backoff",
    "timeout",
)  # fmt: skip


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.name)
@given(job=jobs())
def test_the_table_decides(act: Act, job: Job) -> None:
    """Every act leads where the table says, and is refused everywhere else (§2, I3)."""
    allowed = act.leads_to(job.status)
    if not allowed:
        with pytest.raises(IllegalTransition):
            act.perform(job)
        return
    assert act.perform(job).status in allowed


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.name)
@given(job=jobs())
def test_every_act_keeps_the_invariants(act: Act, job: Job) -> None:
    """One more version, attempts by claims alone, budgets as documented, a sound record (§1, I7)."""
    if not act.leads_to(job.status):
        return
    after = act.perform(job)
    assert_sound(after)
    if act.name == "cancel" and job.status is Status.RUNNING and job.cancel_requested:
        assert after == job
        return
    assert (after.version, after.updated_at) == (job.version + 1, NOW)
    assert after.attempt == job.attempt + (act.name == "claim")
    for field in UNCHANGING:
        assert getattr(after, field) == getattr(job, field)
    if act.name != "redrive":
        assert after.expiries == job.expiries + (act.name == "expire")
        assert after.interruptions == job.interruptions + (act.name in {"release", "postpone"})
        retried = after.status is Status.DELAYED and after.retry_count > job.retry_count
        assert after.retry_count == job.retry_count + retried
    if act.name not in {"edit", "hold", "hurry"}:
        assert (after.priority, after.payload) == (job.priority, job.payload)


@pytest.mark.parametrize(
    "act", [act for act in ACTS if act.name in LEASE_ENDS], ids=lambda a: a.name
)
@given(job=RUNNING)
def test_a_lease_that_ended_is_gone_and_its_settlement_remembered(act: Act, job: Job) -> None:
    """Whatever ends a lease removes it; only its holder's word is remembered (§4)."""
    after = act.perform(job)
    assert after.lease is None
    word = {"ack": Settlement.ACK, "fail": Settlement.FAIL, "reject": Settlement.FAIL}.get(act.name)
    if act.name == "expire":
        assert (after.settled_token, after.settled_by) == (job.settled_token, job.settled_by)
    else:
        assert (after.settled_token, after.settled_by) == ("t", word or Settlement.RELEASE)


@given(RUNNING, st.booleans(), st.none() | st.floats(0.0, 1e6))
def test_a_failure_is_recorded_with_what_follows(
    job: Job,
    retryable: bool,
    retry_in: float | None,
) -> None:
    """A failure is entered in the history; a retry waits for its delay on the store's clock (§2)."""
    after = lifecycle.fail(job, Failure("why", retryable, retry_in), NOW)
    entry = after.errors[-1]
    assert (entry.attempt, entry.worker, entry.time) == (job.attempt, "w", NOW)
    assert (entry.kind, entry.message) == (ErrorKind.FAILURE, "why")
    if after.status is Status.DELAYED:
        assert after.available_at >= NOW
        if retry_in is not None:
            assert after.available_at == NOW + to_us(retry_in)
    else:
        assert after.available_at == job.available_at


@given(jobs([Status.PENDING]))
def test_a_claim_leases_and_counts_in_one_step(job: Job) -> None:
    """Claim and lease are one write: the record is never running without a lease (§2, I7)."""
    after = lifecycle.claim(job, "token", "worker", 30.0, NOW)
    assert after.lease is not None
    assert (after.lease.token, after.lease.worker_id) == ("token", "worker")
    assert after.lease.expires_at == NOW + to_us(30.0)
    assert after.available_at == job.available_at


@given(RUNNING)
def test_redelivery_keeps_priority_and_order(job: Job) -> None:
    """A job that comes back by release or expiry keeps its id, priority and due time (§7, I12)."""
    for after in (lifecycle.release(job, 0.0, Policy(), NOW), lifecycle.expire(job, Policy(), NOW)):
        if after.status is Status.PENDING:
            assert (after.id, after.priority) == (job.id, job.priority)
            assert after.available_at == job.available_at


@given(jobs([Status.DEAD]), st.booleans())
def test_a_redrive_gives_fresh_budgets_and_keeps_the_past(job: Job, passed: bool) -> None:
    """A redrive resets what was spent; attempt, history and last settlement stay (§2, §4, I7)."""
    job = replace(job, expires_at=NOW - 1 if passed else NOW + 1)
    after = lifecycle.redrive(job, NOW)
    assert (after.retry_count, after.expiries, after.interruptions) == (0, 0, 0)
    assert (after.attempt, after.errors) == (job.attempt, job.errors)
    assert (after.settled_token, after.settled_by) == (job.settled_token, job.settled_by)
    assert (after.dead_reason, after.completed_at, after.cancel_requested) == (None, None, False)
    assert after.expires_at == (None if passed else job.expires_at)
    assert after.available_at == NOW


@given(jobs([Status.DEAD]))
def test_at_most_once_is_redriven_only_if_never_claimed(job: Job) -> None:
    """A job that may have started once is not given another life (§2, I4)."""
    allowed = job.delivery is Delivery.AT_LEAST_ONCE or job.attempt == 0
    assert lifecycle.may_redrive(job) == allowed


@given(jobs(WAITING), st.sampled_from([None, 0.0, 5.0]), st.none() | st.integers(-5, 5))
def test_an_edit_s_due_time_decides_where_the_job_waits(
    job: Job, delay: float | None, at: int | None
) -> None:
    """After an edit a job is delayed if it is due later than now, and pending otherwise (§9)."""
    change = Edit(id=ID, delay=None if at is not None else delay, available_at=at and NOW + at)
    after = lifecycle.edit(job, change, NOW)
    if change.available_at is None and change.delay is None:
        assert after.available_at == job.available_at
    assert after.status is (Status.DELAYED if after.available_at > NOW else Status.PENDING)


@given(jobs(WAITING))
def test_an_edit_changes_only_what_it_names(job: Job) -> None:
    """What an edit does not name stays as it was (§9)."""
    change = Edit(id=ID, payload="p", priority=-3, max_retries=9, metadata={"a": "b"})
    after = lifecycle.edit(job, change, NOW)
    named = {"payload": "p", "priority": -3, "max_retries": 9, "metadata": {"a": "b"}}
    written = {"status", "version", "updated_at"}
    for field, value in asdict(after).items():
        assert field in written or value == named.get(field, getattr(job, field))


@given(jobs(WAITING), st.sampled_from(["", "delay", "available_at"]))
def test_a_replacement_takes_over_payload_priority_and_due_time(job: Job, when: str) -> None:
    """``on_duplicate: replace`` changes a waiting holder in these three things alone (§6)."""
    delay, at = (7.0 if when == "delay" else None), (NOW + 9 if when == "available_at" else None)
    wanted = new("other", "q", "new", priority=5, max_retries=77, delay=delay, available_at=at)
    after = lifecycle.replace_waiting(job, wanted, NOW)
    assert (after.id, after.payload, after.priority) == (job.id, "new", 5)
    assert after.max_retries == job.max_retries
    due = {"delay": NOW + to_us(7.0), "available_at": NOW + 9}
    assert after.available_at == due.get(when, NOW)


@given(jobs(LIVE), st.integers(1, 30))
def test_the_history_keeps_the_latest_twenty(job: Job, count: int) -> None:
    """Of more errors than twenty the latest are kept, in order (§1)."""
    running = replace(job, status=Status.PENDING, lease=None, errors=(), cancel_requested=False)
    for number in range(count):
        running = replace(running, status=Status.PENDING, lease=None, max_retries=1_000)
        running = replace(running, delivery=Delivery.AT_LEAST_ONCE, retry_count=0)
        claimed = lifecycle.claim(running, "t", "w", 1.0, NOW)
        running = lifecycle.fail(claimed, Failure(str(number)), NOW)
    kept = [str(number) for number in range(count)][-20:]
    assert [error.message for error in running.errors] == kept


@given(jobs(), st.integers(-2, 2), st.booleans())
def test_a_key_is_held_while_the_job_lives_or_its_window_lasts(
    job: Job,
    left: int,
    keyed: bool,
) -> None:
    """A dedupe key is held by a live job, and by an ended one within its window (§6, I10)."""
    job = replace(job, dedupe_key="k" if keyed else None, dedupe_until=NOW + left)
    assert job.holds_key(NOW) == (keyed and (job.status in LIVE or left > 0))


@given(
    st.none() | st.floats(0.0, 1e9),
    st.none() | st.integers(-(10**9), 10**9),
    st.sampled_from([0.0, 60.0]),
)
def test_a_new_record_is_pending_or_delayed(
    delay: float | None, at: int | None, window: float
) -> None:
    """A new job is due by its delay on the store's clock, or at its instant, or now (§2, §3)."""
    due = None if at is None else NOW + at
    wanted = new(delay=None if at is not None else delay, available_at=due)
    job = create(replace(wanted, dedupe_key="k", dedupe_window=window), NOW)
    assert_sound(job)
    assert (job.version, job.attempt, job.created_at, job.updated_at) == (1, 0, NOW, NOW)
    assert job.available_at == NOW + (to_us(delay or 0.0) if at is None else at)
    assert (job.status is Status.DELAYED) == (job.available_at > NOW)
    assert job.holds_key(NOW)
    assert replace(job, status=Status.COMPLETED).holds_key(NOW) == (window > 0)


def test_a_lapse_says_why() -> None:
    """A job not started before its ``expires_at`` is dead, reason expired, and says so (§2)."""
    after = lifecycle.lapse(create(new(expires_at=NOW), START_US), NOW)
    assert (after.status, after.dead_reason) == (Status.DEAD, DeadReason.EXPIRED)
    assert [entry.kind for entry in after.errors] == [ErrorKind.EXPIRED]


def test_only_the_handler_s_own_failures_count_as_failures() -> None:
    """Expiries and hand-backs are not recorded as failures of the handler (I8)."""
    job = lifecycle.claim(create(new(), START_US), "t", "w", 30.0, START_US)
    assert lifecycle.release(job, 0.0, Policy(), NOW).errors == ()
    over = lifecycle.release(replace(job, interruptions=100), 0.0, Policy(), NOW)
    expired = lifecycle.expire(job, Policy(), NOW)
    assert [entry.kind for entry in over.errors] == [ErrorKind.INTERRUPTED]
    assert [entry.kind for entry in expired.errors] == [ErrorKind.LEASE_EXPIRED]


def test_every_event_has_an_act() -> None:
    """The acts of these tests cover the whole table (§2)."""
    assert {event for act in ACTS for event in act.events} == set(Event)
    assert {status for act in ACTS for status in Status if act.leads_to(status)} == (
        set(Status) - ENDED | {Status.DEAD}
    )
