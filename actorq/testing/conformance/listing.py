"""Listings (contract §8, §9): filters, pages, and a cursor that holds still."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Final

import pytest
from msgspec.structs import replace

from actorq.core.commands import ListJobs
from actorq.core.retry import Failure
from actorq.core.transitions import Status
from actorq.testing.conformance.answers import ids, public
from actorq.testing.conformance.audit import list_all, walk
from actorq.testing.conformance.bench import QUEUE
from actorq.testing.conformance.scenes import bring

if TYPE_CHECKING:
    from actorq.core.job import Job
    from actorq.testing.conformance.bench import Bench

STATUSES: Final = [frozenset(pair) for size in (1, 2, 6) for pair in combinations(Status, size)]
WAITING_LAST: Final = (Status.COMPLETED, Status.DEAD, Status.CANCELLED, Status.RUNNING,
                       Status.DELAYED, Status.PENDING)  # fmt: skip


def newest_first(jobs: list[Job]) -> list[str]:
    """Return the ids in the order of a listing."""
    return sorted(ids(jobs), reverse=True)


class TestFilters:
    """What a listing holds (§9)."""

    def test_nothing(self, bench: Bench) -> None:
        """A listing of nothing is one empty page that ends (§9)."""
        for query in (ListJobs(), ListJobs(queue_name="none"), ListJobs(metadata={"a": "b"})):
            page = bench.backend.list_jobs(query)
            assert (page.jobs, page.next_before) == ((), None)

    @pytest.mark.parametrize("size", [1, 3, 200])
    def test_by_queue_and_status(self, bench: Bench, size: int) -> None:
        """Every set of statuses, in one queue and in all, gives exactly its jobs, newest first (§9)."""
        jobs = [
            bench.get(bring(bench, status, queue_name=queue))
            for status in WAITING_LAST
            for queue in ("a", "b")
            for _ in range(2)
        ]
        for queue in ("a", "b", None):
            of_queue = [job for job in jobs if queue in {job.queue_name, None}]
            for statuses in (frozenset[Status](), *STATUSES):
                query = ListJobs(queue_name=queue, statuses=statuses, limit=size)
                wanted = [job for job in of_queue if job.status in (statuses or set(Status))]
                assert ids(list_all(bench.backend, query)) == newest_first(wanted)

    def test_by_time(self, bench: Bench) -> None:
        """``created_from`` counts in, ``created_to`` does not (§9)."""
        jobs: list[Job] = []
        for _ in range(4):
            jobs.append(bench.put())
            bench.advance(0.01)
        start, end = jobs[1].created_at, jobs[3].created_at
        for query, wanted in (
            (ListJobs(created_from=start), jobs[1:]),
            (ListJobs(created_to=end), jobs[:3]),
            (ListJobs(created_from=start, created_to=end, queue_name=QUEUE), jobs[1:3]),
            (ListJobs(created_from=start, statuses=frozenset({Status.PENDING})), jobs[1:]),
            (ListJobs(created_from=end + 1), []),
            (ListJobs(created_from=start, created_to=start), []),
        ):
            assert ids(list_all(bench.backend, query)) == newest_first(wanted)

    def test_by_metadata(self, bench: Bench) -> None:
        """All entries asked for must be equal; others may be there as well (§8)."""
        both = bench.put(metadata={"user": "ü'\"%_", "kind": "x"})
        one = bench.put(metadata={"user": "ü'\"%_"})
        bench.put(metadata={"user": "u", "other": "ü'\"%_"})
        bench.put()
        for metadata, wanted in (
            ({"user": "ü'\"%_"}, [both, one]),
            ({"user": "ü'\"%_", "kind": "x"}, [both]),
            ({"user": "ü'\"%_", "kind": "y"}, []),
            ({"user": "ü"}, []),
            ({"none": ""}, []),
        ):
            found = list_all(bench.backend, ListJobs(metadata=metadata))
            assert ids(found) == newest_first(wanted)

    def test_by_error_text(self, bench: Bench) -> None:
        """The text is looked for in every recorded error, and means only itself (§8)."""
        jobs = {text: bench.put(payload=text) for text in ("100% of é", "50_000", "100 of e")}
        for job in bench.claim(3).jobs:
            bench.fail(job.id, None, Failure(f"Error: {job.payload}!", retry_in=0.0))
        bench.put(payload="100% of é")
        bench.promote()
        for text, wanted in (("100% of é", ["100% of é"]), ("0_0", ["50_000"]), ("%", ["100% of é"]),
                             ("Error: ", list(jobs)), ("nothing", [])):  # fmt: skip
            found = list_all(bench.backend, ListJobs(error=text))
            assert ids(found) == newest_first([jobs[name] for name in wanted])

    def test_filters_combine(self, bench: Bench) -> None:
        """A job must pass every filter (§9)."""
        wanted = bench.bury(metadata={"a": "1"})
        bench.bury(metadata={"a": "2"})
        bench.finish(metadata={"a": "1"})
        bench.bury(metadata={"a": "1"}, queue_name="other")
        query = ListJobs(queue_name=QUEUE, statuses=frozenset({Status.DEAD}), metadata={"a": "1"},
                         error="broken", created_from=wanted.created_at)  # fmt: skip
        assert ids(list_all(bench.backend, query)) == [wanted.id]
        assert list_all(bench.backend, replace(query, created_to=wanted.created_at)) == []


class TestPages:
    """The cursor (§9)."""

    def test_pages_are_full_and_end(self, bench: Bench) -> None:
        """On an index every page but the last is full, and the last says so (§9)."""
        jobs = bench.put_many(7)
        pages = list(walk(bench.backend, ListJobs(queue_name=QUEUE, limit=3)))
        assert [len(page) for page in pages if page] == [3, 3, 1]
        assert [job.id for page in pages for job in page] == newest_first(jobs)
        page = bench.backend.list_jobs(ListJobs(limit=200))
        assert (len(page.jobs), page.next_before) == (7, None)

    def test_the_cursor_holds_still(self, bench: Bench) -> None:
        """What comes, goes or changes between two pages neither repeats nor hides a job (§9)."""
        jobs = bench.put_many(9)
        query = ListJobs(queue_name=QUEUE, limit=3)
        first = bench.backend.list_jobs(query)
        bench.put_many(2)
        bench.cancel(jobs[6])
        bench.cancel(jobs[2])
        bench.backend.delete([jobs[6].id, jobs[2].id])
        bench.claim(1)
        rest = list_all(bench.backend, replace(query, before=first.next_before))
        assert ids(first.jobs) == newest_first(jobs[6:])
        assert ids(rest) == newest_first([*jobs[:2], *jobs[3:6]])

    @pytest.mark.parametrize("filters", [{"metadata": {"a": "1"}}, {"error": "rare"}])
    def test_a_rare_match_is_found(self, bench: Bench, filters: dict[str, object]) -> None:
        """Short pages go on: a scan finds the few among the many (§8)."""
        rare = [bench.put(metadata={"a": "1"}) for _ in range(2)]
        for job in bench.claim(2).jobs:
            bench.fail(job.id, None, Failure("rare", retryable=False))
        for _ in range(5):
            bench.put_many(500)
        rare.append(bench.put(metadata={"a": "1"}, priority=1))
        bench.take(rare[2])
        bench.fail(rare[2].id, None, Failure("a rare one", retryable=False))
        query = replace(ListJobs(queue_name=QUEUE, limit=2), **filters)
        assert ids(list_all(bench.backend, query)) == newest_first(rare)

    def test_a_listing_shows_the_records(self, bench: Bench) -> None:
        """A listed job is the same record that its id reads (I2)."""
        jobs = [bring(bench, status) for status in WAITING_LAST]
        listed = {job.id: public(job) for job in bench.backend.list_jobs(ListJobs()).jobs}
        assert listed == {job.id: bench.get(job) for job in jobs}
