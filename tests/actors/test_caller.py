"""How a lane calls its store: what is repeated after a lost answer, and what must not be."""

from __future__ import annotations

import pytest

from actorq.actors import messages as m
from actorq.actors.caller import Caller
from actorq.actors.mailbox import Reply
from actorq.actors.verbs import RANK, SINGLE, call_single, repeatable
from actorq.core.commands import Ack, Claim, Edit, Extend, Fail, Release, Report
from actorq.core.job import NewJob
from actorq.core.results import Claimed, Settled
from actorq.errors import BackendUnavailable, InternalError
from tests.actors.lanes import World


class Bench:
    """A caller of a store with trouble; ``a`` and ``b`` are pending there."""

    def __init__(self) -> None:
        self.world = World()
        self.trouble = self.world.trouble
        self.caller = Caller(
            self.world.store.connect,
            lambda actor, error: self.world.crashes.append((actor, str(error))),
        )
        self.world.backend.enqueue([NewJob(id=i, queue_name="q", payload="") for i in "ab"])

    def claim(self, *claims: Claim) -> list[object]:
        """Claim through the caller."""
        return self.caller.batch(m.ClaimJobs, claims)


def claim(*tokens: str, worker: str = "w") -> Claim:
    """Make a claim."""
    return Claim(queue_name="q", worker_id=worker, tokens=tokens)


def test_a_closed_door_is_tried_once() -> None:
    """Without a connection nothing was sent: no second try, and no doubt (rule 2)."""
    bench = Bench()
    bench.trouble.away = True
    results = bench.caller.batch(m.CancelJobs, ["a", "b"])
    assert [type(result) for result in results] == [BackendUnavailable] * 2
    assert bench.trouble.calls == []


def test_a_connection_that_broke_is_replaced() -> None:
    """The next call meets a new connection, and the old one was let go (rule 2)."""
    bench = Bench()
    bench.trouble.refuse["cancel"] = 1
    (result,) = bench.caller.batch(m.CancelJobs, ["a"])
    assert not isinstance(result, Exception)
    assert bench.trouble.count("cancel") == 2
    assert bench.trouble.connections == 1
    bench.caller.close()
    bench.caller.close()
    assert bench.trouble.connections == 0


def test_a_store_that_goes_on_refusing_is_asked_twice() -> None:
    """One repeat, then the caller is told (rule 2)."""
    bench = Bench()
    bench.trouble.refuse["get_job"] = 9
    results = bench.caller.batch(m.GetJobs, ["a", "b"])
    assert [type(result) for result in results] == [BackendUnavailable] * 2
    assert bench.trouble.count("get_job") == 2
    assert bench.trouble.connections == 0


@pytest.mark.parametrize("item", [Edit(id="a", priority=1), Ack("a"), Fail("a"), Release("a")])
def test_what_cannot_be_told_apart_is_not_repeated(item: object) -> None:
    """An edit or a settlement without a token might meet its own effect, or another's (rule 2)."""
    assert not repeatable(m.UpdateJobs if isinstance(item, Edit) else m.AckJobs, item)


@pytest.mark.parametrize(
    "item",
    [Ack("a", "t"), Fail("a", "t"), Release("a", "t"), Extend("a", "t"), Report("a", "t", "1")],
)
def test_what_carries_its_token_is_repeated(item: object) -> None:
    """The store knows a settling token again (§4, rule 2)."""
    assert repeatable(m.AckJobs, item)


def test_a_redrive_with_a_lost_answer_is_not_repeated() -> None:
    """A second try would find the job pending and refuse: the outcome is unknown, and said so."""
    bench = Bench()
    bench.trouble.lose["redrive"] = 1
    (result,) = bench.caller.batch(m.RedriveJobs, ["a"])
    assert isinstance(result, BackendUnavailable)
    assert bench.trouble.count("redrive") == 1


def test_a_claim_whose_second_connection_fails_too_stays_unknown() -> None:
    """The tokens are the returner's then: nothing is claimed a second time (rule 2)."""
    bench = Bench()
    bench.trouble.lose["dequeue"] = 1
    bench.trouble.refuse["find_claims"] = 1
    (result,) = bench.claim(claim("t1"))
    assert isinstance(result, BackendUnavailable)
    assert bench.trouble.count("dequeue") == 1
    (found,) = bench.world.backend.find_claims(["t1"])
    assert found.id == "a"


def test_a_batch_of_claims_that_a_bug_broke_off_is_looked_up_first() -> None:
    """What the batch may have taken is delivered, not claimed again over its own tokens (I5)."""
    bench = Bench()
    calls = 0

    def explode_after(verb: str) -> None:
        nonlocal calls
        calls += verb == "dequeue"
        if verb == "dequeue" and calls == 1:
            bench.world.backend.dequeue([claim("t1")])
            raise ValueError("after the effect")

    bench.trouble.before = explode_after
    first, second = bench.claim(claim("t1"), claim("t2"))
    assert isinstance(first, Claimed)
    assert isinstance(second, Claimed)
    assert [job.id for job in (*first.jobs, *second.jobs)] == ["a", "b"]
    assert bench.world.backend.get_queue_length(["q"])[0].running == 2


def test_a_bug_in_the_repeat_fails_one_item() -> None:
    """What a first call may raise, a second may too: still only the bad item fails (rule 1)."""
    bench = Bench()
    bench.world.backend.dequeue([claim("t1"), claim("poison")])
    bench.trouble.refuse["ack"] = 1
    items = [Ack("a", "t1"), Ack("b", "poison"), Ack("b")]
    bench.trouble.before = lambda _: setattr(bench.trouble, "poison", "poison")
    good, bad, bare = bench.caller.batch(m.AckJobs, items)
    assert isinstance(good, Settled)
    assert isinstance(bad, InternalError)
    assert isinstance(bare, BackendUnavailable)
    assert len(bench.world.crashes) == 1


def test_a_single_call_is_repeated_once() -> None:
    """Reads and sweeps decide anew by what they find (rule 2)."""
    bench = Bench()
    bench.trouble.lose["promote"] = 1
    assert not isinstance(bench.caller.single(m.PromoteDelayed(9, Reply())), Exception)
    bench.trouble.refuse["promote"] = 2
    assert isinstance(bench.caller.single(m.PromoteDelayed(9, Reply())), BackendUnavailable)
    bench.trouble.before = _explode
    assert isinstance(bench.caller.single(m.PromoteDelayed(9, Reply())), InternalError)
    assert bench.world.crashes == [("PromoteDelayed", "promote")]


def _explode(verb: str) -> None:
    raise ValueError(verb)


def test_every_message_of_a_lane_has_its_place() -> None:
    """The table of verbs is whole: settlements first, claims after enqueues (rule 2)."""
    kinds = set(m.StorageMessage.__args__)
    assert set(RANK) == kinds
    assert {kind for kind in kinds if not issubclass(kind, m.Batch)} == SINGLE
    ranks = [RANK[m.AckJobs], RANK[m.ReleaseJobs], RANK[m.EnqueueJobs], RANK[m.ClaimJobs]]
    assert ranks == sorted(ranks)
    with pytest.raises(TypeError):
        call_single(Bench().world.backend, m.GetJobs((), Reply()))
