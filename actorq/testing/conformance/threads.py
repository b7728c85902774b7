"""Racing threads: the same call at the same moment, each on a connection of its own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from actorq.backends.backend import Backend
    from actorq.testing.conformance.bench import Bench

T = TypeVar("T")

PATIENCE_S = 30.0
"""Seconds after which a race counts as a deadlock."""


def race(bench: Bench, runners: int, run: Callable[[Backend, int], T]) -> list[T]:
    """Call ``run(backend, number)`` in ``runners`` threads at once; return their results in order.

    Each thread connects and closes by itself, for a connection may belong to its thread. An exception
    in any of them fails the test.
    """
    barrier = Barrier(runners)

    def one(number: int) -> T:
        backend = bench.store.connect()
        try:
            barrier.wait(PATIENCE_S)
            return run(backend, number)
        finally:
            backend.close()

    with ThreadPoolExecutor(runners) as pool:
        futures = [pool.submit(one, number) for number in range(runners)]
        return [future.result(PATIENCE_S) for future in futures]
