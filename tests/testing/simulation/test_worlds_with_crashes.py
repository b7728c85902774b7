"""Worlds in which machines crash and pause, clocks are wrong, and everything is full."""

from __future__ import annotations

from tests.testing.simulation.worlds import SEEDS, run


def test_worlds_with_families_keep_every_promise() -> None:
    """Jobs that depend on others start after them and are told of each end, whoever crashes (§2, I17)."""
    met = run("families", SEEDS)
    assert {"moved: note", "moved: cancel", "fault: kill of server", "store: unheard"} <= met.keys()


def test_worlds_with_crashes_keep_every_promise() -> None:
    """Servers, workers and clients are killed, paused and replaced; jobs end all the same (I1-I17)."""
    met = run("crashes", SEEDS)
    assert {
        "fault: kill of server",
        "fault: kill of worker",
        "fault: kill of client",
        "fault: pause of server",
        "fault: pause of worker",
        "fault: restart of server",
        "fault: restart of worker",
        "handler: dies",
        "handler: hangs",
        "moved: expire",
        "moved: bury",
        "renewed: lease_lost",
    } <= met.keys()


def test_worlds_with_wrong_clocks_keep_every_promise() -> None:
    """Only the store's clock decides, and it may be turned itself (contract §3)."""
    met = run("clocks", SEEDS)
    assert {"fault: clock_step of server", "fault: clock_step of store"} <= met.keys()


def test_worlds_in_a_storm_keep_every_promise() -> None:
    """All of it at once (I1-I17)."""
    met = run("storms", SEEDS)
    assert {
        "fault: cut of server",
        "fault: kill of server",
        "fault: pause of worker",
        "fault: restart of store",
        "exchange: lost answer",
        "store: unheard",
        "store: late",
        "settled: already",
        "settled: lease_lost",
    } <= met.keys()


def test_worlds_that_are_full_keep_every_promise() -> None:
    """Whoever finds no room is told so at once, and nothing was done (I1, rule 7)."""
    met = run("overload", SEEDS)
    assert {"refused: overloaded", "refused: queue_full"} <= met.keys()
