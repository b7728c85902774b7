"""Worlds in which little goes wrong: every promise holds, the sharp ones too."""

from __future__ import annotations

from tests.testing.simulation.worlds import LIFE, SEEDS, run


def test_calm_worlds_keep_every_promise() -> None:
    """Without faults nothing is late and no lease goes into the void; every move is made (I1-I17)."""
    met = run("calm", SEEDS)
    assert {*LIFE, "handler: fails for now", "handler: rejects", "renewed: ok"} <= met.keys()
    assert "unknown" not in met


def test_worlds_without_hints_keep_every_promise() -> None:
    """A lost hint costs a beat, never a job (I9, I17)."""
    met = run("deaf", SEEDS)
    assert {"moved: promote", "moved: claim", "moved: ack"} <= met.keys()


def test_worlds_of_rivals_keep_every_promise() -> None:
    """One live job a key, whoever asks for it and however (I10, I11)."""
    met = run("rivals", SEEDS)
    assert {
        "accepted: duplicate",
        "accepted: replaced",
        "accepted: replayed",
        "refused: duplicate_job",
        "moved: reschedule",
    } <= met.keys()


def test_worlds_of_long_handlers_keep_every_promise() -> None:
    """Whoever settles after the end of his lease is refused, and changes nothing (I5, I6)."""
    met = run("overtime", SEEDS)
    assert {"settled: lease_lost", "moved: expire", "handler: stopped"} <= met.keys()
