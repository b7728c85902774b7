"""The fixtures of the suite. The author of a store adds one more: ``harness``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from actorq.core.policy import Policy
from actorq.testing.conformance.audit import audit
from actorq.testing.conformance.bench import Bench

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from actorq.testing.conformance.harness import Harness


@pytest.fixture
def make_bench(harness: Harness) -> Iterator[Callable[[Policy], Bench]]:
    """Make benches under a policy of the test's choice; every test ends with an audit of each."""
    benches: list[Bench] = []

    def make(policy: Policy) -> Bench:
        bench = Bench(harness, policy)
        benches.append(bench)
        return bench

    yield make
    try:
        for bench in benches:
            audit(bench.backend)
    finally:
        for bench in benches:
            bench.close()


@pytest.fixture
def bench(make_bench: Callable[[Policy], Bench]) -> Bench:
    """Make a bench under the default policy."""
    return make_bench(Policy())
