"""The drift between ids and creation: no job may be left out of a span of time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from actorq.backends.memory.drift import Drift
from actorq.core.ids import IdMint
from actorq.core.job import Job, NewJob, create
from actorq.testing.clock import START_US

instants = st.integers(START_US, START_US + 10_000_000)
odd_ids = st.sampled_from(["a", "zz", "", "!", "FFFFFFFF-FFFF-7000", "ffffffff-ffff-7000-8000-0"])


def made(minted_at: int, created_at: int) -> Job:
    """Make a job whose id was minted at one instant, and its record at another."""
    job_id = IdMint(lambda: minted_at, lambda bits: 2**bits - 1).mint()
    return create(NewJob(id=job_id, queue_name="q", payload=""), created_at)


def odd(job_id: str, created_at: int) -> Job:
    """Make a job whose id says nothing about time."""
    return create(NewJob(id=job_id, queue_name="q", payload=""), created_at)


jobs = st.one_of(st.builds(made, instants, instants), st.builds(odd, odd_ids, instants))


@given(st.lists(jobs), instants, instants)
def test_every_job_of_the_span_is_within_the_ids(known: list[Job], start: int, end: int) -> None:
    """However far the clocks were apart, whoever walks the ids meets every job of the span (§8)."""
    drift = Drift()
    for job in known:
        drift.saw(job)
    lowest, beyond = drift.no_id_below(start), drift.no_id_from(end)
    for job in known:
        assert job.created_at < start or job.id >= lowest
        assert job.created_at >= end or beyond is None or job.id < beyond


def test_clocks_that_agree_leave_a_narrow_span() -> None:
    """While ids are minted just before the write, a span of time is a span of ids as narrow (§8)."""
    drift = Drift()
    for number in range(1_000):
        drift.saw(made(START_US + 1_000 * number, START_US + 1_000 * number + 300))
    start, end = START_US + 400_000, START_US + 500_000
    lowest, beyond = drift.no_id_below(start), drift.no_id_from(end)
    assert beyond is not None
    assert made(start - 2_000, start).id < lowest < made(start, start).id
    assert made(end - 1_000, end).id < beyond < made(end + 1_000, end).id
