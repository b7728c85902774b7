"""News of the simulated store: hints, of which any may be lost."""

from __future__ import annotations

import pytest

from actorq.errors import BackendUnavailable
from tests.testing.simulation.store.hand import ODDS, QUEUE, Scene, new


def test_others_hear_of_ready_jobs() -> None:
    """A node hears which queues got ready jobs by others' work, a moment later, once for all of it."""
    scene = Scene()
    listener = scene.store.at(scene.two).listen()
    assert listener is not None
    scene.backend.enqueue([new("a"), new("b")])
    assert listener.wait(2 * ODDS.news_latency) == frozenset({QUEUE})
    assert scene.two.rung == 1
    assert listener.wait(1.0) == frozenset()


def test_nobody_hears_of_its_own_work() -> None:
    """A node's own commits reach its actors without the store."""
    scene = Scene()
    listener = scene.store.at(scene.one).listen()
    assert listener is not None
    scene.backend.enqueue([new("a")])
    assert listener.wait(10.0) == frozenset()


def test_news_may_be_lost_or_doubled() -> None:
    """A hint that is lost is never heard, one that is doubled is heard twice."""
    scene = Scene(("two news lost", 1), ("two news doubled", 1))
    listener = scene.store.at(scene.two).listen()
    assert listener is not None
    scene.backend.enqueue([new("a")])
    assert listener.wait(10.0) == frozenset()
    scene.backend.enqueue([new("b")])
    assert [listener.wait(0.6) for _ in range(3)] == [
        frozenset({QUEUE}),
        frozenset({QUEUE}),
        frozenset(),
    ]


def test_a_listener_notices_that_it_is_cut_off() -> None:
    """A connection for news that was cut wakes whoever waits, and says so."""
    scene = Scene()
    listener = scene.store.at(scene.two).listen()
    assert listener is not None
    scene.hand.later(1.0, scene.store.cut)
    with pytest.raises(BackendUnavailable):
        listener.wait(5.0)
    assert scene.two.rung == 1
    listener.close()
    listener.close()
