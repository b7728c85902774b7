"""Verdicts: who may ask what of a job, and what is said to those who may not (contract §2, §4, §6)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from actorq.core import lifecycle, verdicts
from actorq.core.commands import Edit
from actorq.core.job import Delivery, Job, OnDuplicate
from actorq.core.lease import Standing
from actorq.core.transitions import ENDED, WAITING, Status
from actorq.errors import (
    AlreadyStarted,
    DuplicateJob,
    IllegalTransition,
    LeaseLost,
    NotFound,
    NotLeased,
    StaleVersion,
)
from tests.core.records import ID, NOW, jobs, new


def test_of_no_job_nothing_comes() -> None:
    """Whatever is asked of a job that is not there: it is not found (§9)."""
    change = Edit(id=ID, version=1)
    answers = [
        verdicts.cancel(None, ID, NOW),
        verdicts.redrive(None, ID, None, NOW),
        verdicts.edit(None, change, NOW),
        verdicts.delete(None, ID),
    ]
    assert [isinstance(one, NotFound) and one.job_id for one in answers] == [ID] * 4


@given(jobs())
def test_a_cancel_ends_asks_or_is_refused(job: Job) -> None:
    """What is over otherwise cannot be cancelled; what is cancelled already stays as it is (§2)."""
    after = verdicts.cancel(job, ID, NOW)
    if job.status is Status.CANCELLED:
        assert after is job
    elif job.status in ENDED:
        assert isinstance(after, IllegalTransition)
    else:
        assert after == lifecycle.cancel(job, NOW)


@given(jobs(), st.sampled_from([None, "other"]))
def test_a_redrive_needs_a_dead_job_that_may_run_and_has_its_key(
    job: Job, holder: str | None
) -> None:
    """Refused in this order: the status, at-most-once, the key that a live job has by now (§2)."""
    after = verdicts.redrive(job, ID, holder, NOW)
    if job.status is not Status.DEAD:
        assert isinstance(after, IllegalTransition)
    elif job.delivery is Delivery.AT_MOST_ONCE and job.attempt:
        assert isinstance(after, AlreadyStarted)
    elif holder is not None:
        assert isinstance(after, DuplicateJob)
        assert after.job_id == holder
    else:
        assert after == lifecycle.redrive(job, NOW)


@given(jobs(), st.integers(-1, 1) | st.none())
def test_an_edit_holds_for_the_version_that_it_names(job: Job, offset: int | None) -> None:
    """A stale version weighs more than a wrong status; without one only the status counts (§9)."""
    version = None if offset is None else job.version + offset
    after = verdicts.edit(job, Edit(id=ID, version=version, priority=7), NOW)
    if offset:
        assert isinstance(after, StaleVersion)
        assert after.version == job.version
    elif job.status in WAITING:
        assert isinstance(after, Job)
        assert after.priority == 7
    else:
        assert isinstance(after, IllegalTransition)


@given(jobs())
def test_only_what_has_ended_may_be_removed(job: Job) -> None:
    """A job that still has something to do is not removed (§9)."""
    after = verdicts.delete(job, ID)
    assert after is job if job.status in ENDED else isinstance(after, IllegalTransition)


@given(jobs(), st.sampled_from(OnDuplicate))
def test_a_request_that_meets_its_key_gets_what_it_asked_for(
    holder: Job, policy: OnDuplicate
) -> None:
    """The holder as it is; a refusal that names it; or the holder replaced, if it still waits (§6)."""
    request = new("another", payload="new", dedupe_key="k", on_duplicate=policy)
    after = verdicts.duplicate(request, holder, NOW)
    if policy is OnDuplicate.REJECT:
        assert isinstance(after, DuplicateJob)
        assert after.job_id == holder.id
    elif policy is OnDuplicate.REPLACE and holder.status in WAITING:
        assert isinstance(after, Job)
        assert (after.id, after.payload) == (holder.id, "new")
    else:
        assert after is holder


@given(jobs())
def test_a_token_that_is_worth_nothing_is_told_why(job: Job) -> None:
    """There is no lease; or there is one, and it is another's (§4)."""
    job = replace(job, id=ID)
    bare, stale = (verdicts.refusal(job, one) for one in (Standing.NOT_LEASED, Standing.LOST))
    assert isinstance(bare, NotLeased)
    assert (bare.job_id, bare.status) == (ID, job.status.value)
    assert isinstance(stale, LeaseLost)
