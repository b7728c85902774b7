"""A store's clock that is turned back, as an operator or a time service may do (contract §10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from actorq.core.policy import Policy
from actorq.core.transitions import Status
from actorq.testing.conformance.answers import ids, settled, token_of
from actorq.testing.conformance.bench import Bench
from tests.backends.harnesses import MemoryHarness, SqliteHarness

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOUR_S = 3_600.0


@pytest.fixture(params=["memory", "sqlite"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    harness = MemoryHarness() if request.param == "memory" else SqliteHarness(tmp_path)
    bench = Bench(harness, Policy())
    yield bench
    bench.close()


def test_what_is_pending_stays_so(bench: Bench) -> None:
    """A job that was due once is claimed and settled though its due time lies ahead again (I1)."""
    first, second = bench.put_many(2)
    bench.advance(-HOUR_S)
    third = bench.put()
    assert bench.length() == 3
    taken = [bench.take(job) for job in (first, second, third)]
    for job in taken:
        assert settled(bench.ack(job.id, token_of(job))).job.status is Status.COMPLETED


def test_what_waits_goes_by_the_clock(bench: Bench) -> None:
    """Neither a delay nor a lease ends before the clock has come to it again (I5, I9)."""
    delayed, held = bench.put(delay=1.0), bench.put()
    taken = bench.take(held, visibility_timeout=1.0)
    bench.advance(-HOUR_S)
    assert (bench.promote().jobs, bench.reap().jobs, bench.claim().jobs) == ((), (), ())
    assert bench.get(held) == taken
    bench.advance(HOUR_S + 1.1)
    assert ids(bench.promote().jobs) == [delayed.id]
    assert ids(bench.reap().jobs) == [held.id]


def test_the_story_of_a_job_goes_on(bench: Bench) -> None:
    """Attempts and versions rise as ever, whatever the clock says (I7)."""
    job = bench.put(max_retries=9)
    versions = [job.version]
    for attempt in range(1, 4):
        bench.advance(-HOUR_S)
        taken = bench.take(job)
        assert taken.attempt == attempt
        back = settled(bench.release(job.id, token_of(taken))).job
        versions += [taken.version, back.version]
    assert versions == sorted(set(versions))
