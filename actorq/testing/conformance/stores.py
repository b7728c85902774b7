"""The store itself (``Store``): opening, connecting, closing, and what it promises of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actorq.core.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from actorq.testing.conformance.bench import Bench
    from actorq.testing.conformance.harness import Harness


class TestStore:
    """What holds before the first job."""

    def test_opening_proves_that_it_works(self, harness: Harness) -> None:
        """``open`` and ``check`` answer with the store's clock, and a store may be opened again (§3)."""
        before = harness.now()
        store = harness.make(Policy())
        for check in (store.open(), store.open()):
            assert before <= check.now <= harness.now()
        backend = store.connect()
        assert before <= backend.check().now <= harness.now()
        backend.close()
        store.close()

    def test_a_connection_may_be_closed_twice(self, bench: Bench) -> None:
        """Closing a connection twice is as good as once, and touches no other one (``close``)."""
        other = bench.connect()
        job = bench.put()
        other.close()
        other.close()
        assert bench.get(job) == job

    def test_every_connection_sees_what_was_answered(self, bench: Bench) -> None:
        """What one connection was answered, every other one reads at once (``get_job``)."""
        others = [bench.connect() for _ in range(3)]
        job = bench.put()
        for other in others:
            assert other.get_job([job.id]) == [job]
        others[0].cancel([job.id])
        assert others[1].get_job([job.id]) == [bench.get(job)]
        assert others[2].get_queue_length([job.queue_name])[0].pending == 0

    def test_two_stores_share_nothing(self, make_bench: Callable[[Policy], Bench]) -> None:
        """Stores of different namespaces know nothing of each other's queues and keys (§8)."""
        here, there = make_bench(Policy()), make_bench(Policy())
        job = here.put(dedupe_key="k")
        assert (there.find(job.id), there.claim().jobs, there.length()) == (None, (), 0)
        assert there.backend.list_queues() == []
        there.put(dedupe_key="k")
        assert here.get(job) == job

    def test_only_a_shared_store_has_news(self, harness: Harness, bench: Bench) -> None:
        """A store has a listener if other processes can share it, and else none (``listen``)."""
        listener = bench.store.listen()
        assert (listener is not None) == harness.shared_by_processes
        if listener is not None:
            listener.close()

    def test_a_shared_store_is_raced_by_processes(
        self, harness: Harness, request: pytest.FixtureRequest
    ) -> None:
        """Where processes can share a store, the tests of ``processes`` are run as well (``Harness``)."""
        names = dir(getattr(request, "module"))  # noqa: B009 - pytest leaves its type open
        assert ("TestProcesses" in names) == harness.shared_by_processes
