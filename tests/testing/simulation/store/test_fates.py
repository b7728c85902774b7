"""What becomes of a call of the simulated store, fate by fate."""

from __future__ import annotations

import pytest

from actorq.core.commands import Ack
from actorq.core.results import Enqueued, Settled
from actorq.errors import BackendUnavailable
from actorq.testing.simulation.store import Fate
from tests.testing.simulation.store.hand import ODDS, Scene, claim, meets, new


def test_all_is_well_without_a_choice() -> None:
    """A record that chooses nothing is a world without faults: each call works once, in its time."""
    scene = Scene()
    before = scene.hand.time()
    (answer,) = scene.backend.enqueue([new("a")])
    assert isinstance(answer, Enqueued)
    assert scene.hand.time() == before + ODDS.latency[0]
    assert scene.moves() == [("a", "enqueue")]


def test_a_refusal_changes_nothing() -> None:
    """A call that is refused has no effect, and its connection is as good as before."""
    scene = Scene(meets("enqueue", Fate.REFUSED))
    with pytest.raises(BackendUnavailable, match="refused"):
        scene.backend.enqueue([new("a")])
    assert scene.status("a") == [None]
    assert len(scene.backend.enqueue([new("a")])) == 1


@pytest.mark.parametrize("silent", [0, 1])
def test_a_call_that_was_not_sent_changes_nothing(silent: int) -> None:
    """A connection that breaks on the way is of no use any more, whenever its caller notices."""
    scene = Scene(meets("enqueue", Fate.UNSENT), ("one enqueue noticed", silent))
    with pytest.raises(BackendUnavailable):
        scene.backend.enqueue([new("a")])
    assert (scene.hand.time() >= ODDS.silence) == bool(silent)
    assert scene.status("a") == [None]
    with pytest.raises(BackendUnavailable):
        scene.backend.get_job(["a"])
    assert scene.connect().get_job(["a"]) == [None]


def test_an_answer_that_is_lost_leaves_the_effect() -> None:
    """A caller that gets no answer cannot tell this from a call that was not sent (I1)."""
    scene = Scene(meets("enqueue", Fate.UNHEARD))
    with pytest.raises(BackendUnavailable):
        scene.backend.enqueue([new("a")])
    assert scene.status("a") == ["pending"]
    (again,) = scene.connect().enqueue([new("a")])
    assert isinstance(again, Enqueued)
    assert scene.moves() == [("a", "enqueue")]


def test_a_late_effect_comes_after_the_caller_has_gone() -> None:
    """A call that the store takes up late has its effect when its caller has long given up."""
    scene = Scene(meets("enqueue", Fate.LATE))
    with pytest.raises(BackendUnavailable):
        scene.backend.enqueue([new("a")])
    scene.hand.pass_by(ODDS.late_by[0] - 0.1)
    assert scene.status("a") == [None]
    scene.hand.pass_by(0.2)
    assert scene.status("a") == ["pending"]


def test_a_late_effect_dies_with_the_process() -> None:
    """What had reached only a process that was started anew never happens."""
    scene = Scene(meets("enqueue", Fate.LATE))
    with pytest.raises(BackendUnavailable):
        scene.backend.enqueue([new("a")])
    scene.store.restart(1.0)
    scene.hand.pass_by(100.0)
    assert scene.status("a") == [None]


def test_a_call_that_arrives_twice_is_answered_by_the_second() -> None:
    """A settlement that reaches the store twice moves its job once, and says that it is a repeat (§4)."""
    scene = Scene(meets("ack", Fate.TWICE))
    scene.backend.enqueue([new("a")])
    scene.backend.dequeue([claim("t")])
    (answer,) = scene.backend.ack([Ack("a", "t")])
    assert isinstance(answer, Settled)
    assert answer.repeated
    assert scene.moves() == [("a", "enqueue"), ("a", "claim"), ("a", "ack")]


def test_a_claim_never_arrives_twice() -> None:
    """No driver repeats a claim, so what would double it loses its answer instead (§4)."""
    scene = Scene(meets("dequeue", Fate.TWICE))
    scene.backend.enqueue([new("a"), new("b")])
    with pytest.raises(BackendUnavailable):
        scene.backend.dequeue([claim("t")])
    assert scene.status("a", "b") == ["running", "pending"]


def test_half_a_batch() -> None:
    """Of a batch that spans several parts of a store the first ones may be done, and the rest not."""
    scene = Scene(meets("enqueue", Fate.HALF), ("one enqueue part", 1))
    with pytest.raises(BackendUnavailable):
        scene.backend.enqueue([new("a"), new("b"), new("c")])
    assert scene.status("a", "b", "c") == ["pending", "pending", None]


def test_a_slow_call_works() -> None:
    """A call may take seconds, and is answered all the same."""
    scene = Scene(meets("enqueue", Fate.SLOW))
    before = scene.hand.time()
    scene.backend.enqueue([new("a")])
    assert scene.hand.time() == before + ODDS.slow_latency[0]


def test_a_connection_may_not_come_about() -> None:
    """Connecting fails like any other call."""
    scene = Scene(("one connect", 0), meets("connect", Fate.REFUSED))
    with pytest.raises(BackendUnavailable):
        scene.connect()
