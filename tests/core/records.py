"""Job records for tests: any that a store could hold, drawn by Hypothesis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hypothesis import strategies as st

from actorq.core.instants import to_us
from actorq.core.job import (
    MAX_ERRORS,
    Backoff,
    DeadReason,
    Delivery,
    ErrorKind,
    Job,
    JobError,
    Lease,
    NewJob,
    Settlement,
)
from actorq.core.transitions import ENDED, Status
from actorq.testing.clock import START_US

if TYPE_CHECKING:
    from collections.abc import Collection

NOW: Final = START_US + to_us(86_400.0)
"""The instant at which the drawn records are looked at: a day after the first could be made."""

ID: Final = "018f0000-0000-7000-8000-000000000001"

backoffs = st.builds(
    Backoff,
    base=st.floats(0.0, 1e6),
    factor=st.floats(1.0, 1_000.0),
    max=st.floats(0.0, 1e6),
)

_past = st.integers(START_US, NOW)


def new(job_id: str = ID, queue_name: str = "q", payload: str = "", **wishes: object) -> NewJob:
    """Make a plain job that somebody asks for."""
    made = {"id": job_id, "queue_name": queue_name, "payload": payload, **wishes}
    return NewJob(**made)  # type: ignore[arg-type]  # the test's own words for fields


@st.composite
def _errors(draw: st.DrawFn) -> tuple[JobError, ...]:
    count = draw(st.sampled_from([0, 1, MAX_ERRORS - 1, MAX_ERRORS]))
    return tuple(
        JobError(number, "w", START_US, ErrorKind.FAILURE, f"error {number}")
        for number in range(count)
    )


@st.composite
def jobs(draw: st.DrawFn, statuses: Collection[Status] = tuple(Status)) -> Job:
    """Draw a record of one of ``statuses`` in which every invariant holds."""
    status = draw(st.sampled_from(sorted(statuses)))
    running = status is Status.RUNNING
    attempt = draw(st.integers(1 if running or status is Status.COMPLETED else 0, 50))
    claimed_at = draw(_past)
    timeout = draw(st.floats(1.0, 43_200.0))
    lease = Lease("t", "w", claimed_at, claimed_at + to_us(timeout), timeout)
    settlement = draw(st.sampled_from([None, *Settlement])) if attempt else None
    updated_at = draw(_past)
    return Job(
        id=ID,
        queue_name="q",
        status=status,
        payload=draw(st.text(max_size=3)),
        priority=draw(st.integers(-(2**31), 2**31 - 1)),
        max_retries=(max_retries := draw(st.integers(0, 5))),
        retry_count=draw(st.integers(0, max_retries)),
        delivery=draw(st.sampled_from(Delivery)),
        available_at=draw(st.integers(START_US, NOW + to_us(86_400.0))),
        created_at=START_US,
        updated_at=updated_at,
        attempt=attempt,
        expiries=draw(st.integers(0, 4)),
        interruptions=draw(st.sampled_from([0, 1, 99, 100])),
        backoff=draw(backoffs),
        expires_at=draw(st.none() | st.integers(START_US, NOW + to_us(86_400.0))),
        result="1" if status is Status.COMPLETED else None,
        errors=draw(_errors()),
        dead_reason=draw(st.sampled_from(DeadReason)) if status is Status.DEAD else None,
        completed_at=updated_at if status in ENDED else None,
        cancel_requested=status is Status.CANCELLED or (running and draw(st.booleans())),
        version=draw(st.integers(1, 1_000)),
        lease=lease if running else None,
        settled_token=None if settlement is None else "old",
        settled_by=settlement,
    )


def assert_sound(job: Job) -> None:
    """Fail unless every invariant of one record holds (contract §1, §2)."""
    assert (job.lease is not None) == (job.status is Status.RUNNING)
    assert (job.completed_at is not None) == (job.status in ENDED)
    assert (job.dead_reason is not None) == (job.status is Status.DEAD)
    assert len(job.errors) <= MAX_ERRORS
    assert (job.settled_token is None) == (job.settled_by is None)
    assert min(job.attempt, job.expiries, job.interruptions, job.retry_count) >= 0
