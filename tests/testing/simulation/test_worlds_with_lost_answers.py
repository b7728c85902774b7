"""Worlds in which requests, answers and calls of the store are lost, late and doubled."""

from __future__ import annotations

from actorq.testing.simulation.network import FATES
from actorq.testing.simulation.store.fates import Fate
from tests.testing.simulation.worlds import SEEDS, run

OF_THE_STORE = {f"store: {fate.name.lower()}" for fate in Fate} - {"store: well"}
"""What may become of a call of the store."""

EXCHANGES = {f"exchange: {fate}" for fate in FATES} - {"exchange: well"}
"""What may become of a request to a server."""


def test_worlds_with_lost_answers_keep_every_promise() -> None:
    """Every fate of a request and of a store's call is met, and what it leads to is mended (I1-I17)."""
    met = run("lost-replies", SEEDS)
    assert {
        *OF_THE_STORE,
        *EXCHANGES,
        "unknown",
        "settled: already",
        "settled: lease_lost",
        "handed back for a caller that had gone",
    } <= met.keys()


def test_worlds_with_unheard_answers_leave_no_lease_in_the_void() -> None:
    """After a lost answer to a claim its lane finds what it took, or hands it back (rule 2)."""
    met = run("unheard", SEEDS)
    assert {"store: unheard", "settled: already"} <= met.keys()


def test_worlds_with_a_store_in_trouble_keep_every_promise() -> None:
    """The store is cut off, freezes, restarts and loses its power; nothing accepted is lost (I1-I17)."""
    met = run("store", SEEDS)
    assert {
        *OF_THE_STORE,
        "store: cut",
        "store: freeze",
        "store: restart",
        "store: power",
        "rolledback",
        "unknown",
    } <= met.keys()


def test_a_failover_that_loses_jobs_is_told_of() -> None:
    """A replica that lags behind loses what was accepted: the oracle says so, and all else holds."""
    met = run("failover", SEEDS)
    assert {"rolledback", "store: fail_over", "excused"} <= met.keys()


def test_worlds_with_belated_calls_keep_every_promise() -> None:
    """What takes effect when nobody waits any more makes nobody's answer wrong (I1, I6, I11)."""
    met = run("belated", SEEDS)
    assert {"store: late", "store: twice", "store: unheard", "refused: queue_full"} <= met.keys()
