"""Racing threads: the same call at the same moment, each on a connection of its own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from actorq.backends.backend import Backend
    from actorq.testing.conformance.bench import Bench

X = TypeVar("X")
T = TypeVar("T")

PATIENCE_S = 30.0
"""Seconds after which a race counts as a deadlock."""


def race(bench: Bench, runners: int, run: Callable[[Backend, int], T]) -> list[T]:
    """Call ``run(backend, number)`` in ``runners`` threads at once; return their results in order."""
    return race_over(bench, range(runners), run)


def race_over(bench: Bench, items: Sequence[X], run: Callable[[Backend, X], T]) -> list[T]:
    """Call ``run(backend, item)`` at once in one thread for each item; return the results in order.

    Each thread connects and closes by itself, for a connection may belong to its thread. An exception
    in any of them fails the test.
    """
    barrier = Barrier(len(items))

    def one(item: X) -> T:
        backend = bench.store.connect()
        try:
            barrier.wait(PATIENCE_S)
            return run(backend, item)
        finally:
            backend.close()

    with ThreadPoolExecutor(len(items)) as pool:
        futures = [pool.submit(one, item) for item in items]
        return [future.result(PATIENCE_S) for future in futures]
