"""What is done to the machine of the simulated store, and what its connections feel of it."""

from __future__ import annotations

import pytest

from actorq.core.results import Enqueued
from actorq.errors import BackendUnavailable
from actorq.testing.simulation.store import Fate
from tests.testing.simulation.store.hand import ODDS, Gone, Scene, claim, meets, new


@pytest.mark.parametrize("arrived", [0, 1])
def test_a_cut_meets_a_call_on_its_way(arrived: int) -> None:
    """When all connections are cut, a call that was under way may have arrived or not."""
    scene = Scene(("one enqueue arrived", arrived))
    scene.hand.later(0.5, scene.store.cut)
    with pytest.raises(BackendUnavailable):
        scene.backend.enqueue([new("a")])
    assert scene.status("a") == [["pending"], [None]][1 - arrived]
    assert isinstance(scene.connect().enqueue([new("b")])[0], Enqueued)


def test_a_cut_takes_the_answer() -> None:
    """A cut after the effect leaves the caller in doubt."""
    scene = Scene(("one enqueue way", 1))
    scene.hand.later(0.5, scene.store.cut)
    with pytest.raises(BackendUnavailable):
        scene.backend.enqueue([new("a")])
    assert scene.status("a") == ["pending"]


def test_a_restart_keeps_all() -> None:
    """A store that comes back after a restart has everything, and meanwhile nobody reaches it (I1)."""
    scene = Scene(meets("enqueue", Fate.UNHEARD))
    with pytest.raises(BackendUnavailable):
        scene.backend.enqueue([new("a")])
    scene.store.restart(10.0)
    with pytest.raises(BackendUnavailable):
        scene.connect()
    scene.hand.pass_by(10.0)
    assert scene.connect().get_job(["a"]) != [None]
    assert scene.rolled_back() == []


def test_a_loss_of_power_takes_what_nobody_was_told_of() -> None:
    """What was answered is there after a loss of power; what was not may be gone, the last first (I1)."""
    scene = Scene(("one enqueue", 0), meets("enqueue", Fate.UNHEARD))
    scene.backend.enqueue([new("told")])
    with pytest.raises(BackendUnavailable):
        scene.backend.enqueue([new("untold")])
    assert scene.store.restart(1.0, loses_power=True) == 1
    assert scene.status("told", "untold") == ["pending", None]
    assert scene.rolled_back() == [1]


def test_an_answer_makes_all_before_it_durable() -> None:
    """An answer tells of all that was committed before it: none of that is lost with the power (I1)."""
    scene = Scene(meets("enqueue", Fate.UNHEARD))
    with pytest.raises(BackendUnavailable):
        scene.backend.enqueue([new("untold")])
    scene.connect().dequeue([claim("t")])
    assert scene.store.restart(1.0, loses_power=True) == 0
    assert scene.status("untold") == ["running"]


def test_a_short_freeze_makes_calls_wait() -> None:
    """A store that stands still for a moment answers when it goes on."""
    scene = Scene()
    scene.store.freeze(3.0)
    until = scene.hand.time() + 3.0
    scene.backend.enqueue([new("a")])
    assert scene.hand.time() == until


def test_what_lies_before_a_frozen_store_is_done_when_it_goes_on() -> None:
    """A caller leaves a store that is silent for too long; its call is done all the same, later (I1)."""
    scene = Scene()
    scene.store.freeze(60.0)
    with pytest.raises(BackendUnavailable):
        scene.backend.enqueue([new("a")])
    assert scene.hand.time() < 2 * ODDS.silence
    assert scene.status("a") == [None]
    scene.hand.pass_by(60.0)
    assert scene.status("a") == ["pending"]


def test_a_replica_lacks_the_end() -> None:
    """A fail-over may take what was answered, which the history says: it is outside of the promises."""
    scene = Scene(lag=30.0)
    scene.backend.enqueue([new("a")])
    scene.hand.pass_by(20.0)
    scene.backend.enqueue([new("b")])
    assert scene.store.fail_over(lag=10.0, split=0.0) == 1
    assert scene.status("a", "b") == ["pending", None]
    assert scene.rolled_back() == [1]


def test_a_deposed_primary_answers_into_the_void() -> None:
    """While the brain is split, what old connections are told comes to nothing."""
    scene = Scene(lag=30.0)
    scene.store.fail_over(lag=0.0, split=10.0)
    (answer,) = scene.backend.enqueue([new("a")])
    assert isinstance(answer, Enqueued)
    assert (scene.status("a"), scene.moves()) == ([None], [])
    scene.hand.pass_by(10.0)
    with pytest.raises(BackendUnavailable):
        scene.backend.enqueue([new("a")])
    scene.connect().enqueue([new("a")])
    assert scene.status("a") == ["pending"]


@pytest.mark.parametrize(("choice", "at_once"), [(0, [None]), (1, ["pending"]), (2, [None])])
def test_what_a_dead_node_had_sent(choice: int, at_once: list[str | None]) -> None:
    """Of a node that is killed, a call on its way is lost, has arrived, or arrives later."""
    scene = Scene(("one enqueue sent", choice))

    def crash() -> None:
        scene.one.dead = True
        scene.store.drop_node("one")

    scene.hand.later(0.5, crash)
    with pytest.raises(Gone):
        scene.backend.enqueue([new("a")])
    assert scene.status("a") == at_once
    scene.hand.pass_by(100.0)
    assert (scene.status("a") == ["pending"]) == (choice > 0)


def test_healing_ends_all_of_it() -> None:
    """Once healed, a store answers, and no call meets with anything any more (I17)."""
    scene = Scene(("one enqueue", 0), meets("enqueue", Fate.REFUSED))
    scene.store.freeze(1_000.0)
    scene.store.restart(1_000.0)
    scene.store.heal()
    for name in ("a", "b"):
        scene.connect().enqueue([new(name)])
    assert scene.status("a", "b") == ["pending", "pending"]
