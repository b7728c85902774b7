"""The returner: what nobody got goes back, whatever the store does meanwhile."""

from __future__ import annotations

from actorq.actors import messages as m
from actorq.actors.returner import DOUBT_BEATS, MAX_HELD, STEP, Returner
from actorq.core.commands import Claim, Release
from actorq.core.job import Delivery, Job, NewJob
from actorq.core.transitions import Status
from tests.actors.lanes import DirectLane, World


class Bench:
    """A returner on a lane, and jobs that were claimed for it."""

    def __init__(self) -> None:
        self.world = World()
        self.lane = DirectLane(self.world.lane())
        self.returner = Returner(lane=self.lane)

    def claimed(
        self, *ids: str, delivery: Delivery = Delivery.AT_LEAST_ONCE
    ) -> tuple[Release, ...]:
        """Put jobs into the store, claim them, and return their hand-backs."""
        ids = tuple(sorted(ids))
        new = [NewJob(id=i, queue_name="q", payload="", delivery=delivery) for i in ids]
        self.world.backend.enqueue(new)
        tokens = tuple(f"token-{i}" for i in ids)
        self.world.backend.dequeue([Claim(queue_name="q", worker_id="w", tokens=tokens)])
        return tuple(Release(i, f"token-{i}") for i in ids)

    def job(self, job_id: str) -> Job:
        """Return a job as the store has it."""
        (job,) = self.world.backend.get_job([job_id])
        assert job is not None
        return job


async def test_a_hand_back_is_released() -> None:
    """The job is pending again, an interruption is counted and no retry spent (§2, §9)."""
    bench = Bench()
    await bench.returner.handle([m.HandBack(bench.claimed("a", "b"))])
    for name in ("a", "b"):
        job = bench.job(name)
        assert (job.status, job.retry_count, job.interruptions) == (Status.PENDING, 0, 1)


async def test_a_hand_back_is_tried_until_the_store_takes_it() -> None:
    """An at-most-once job does not end because the store was away when it went back (I4)."""
    bench = Bench()
    items = bench.claimed("a", delivery=Delivery.AT_MOST_ONCE)
    bench.world.trouble.away = True
    await bench.returner.handle([m.HandBack(items)])
    await bench.returner.handle([m.Beat()])
    assert bench.job("a").status is Status.RUNNING

    bench.world.trouble.away = False
    await bench.returner.handle([m.Beat()])
    assert bench.job("a").status is Status.PENDING
    calls = len(bench.lane.told)
    await bench.returner.handle([m.Beat()])
    assert len(bench.lane.told) == calls


async def test_a_hand_back_whose_answer_was_lost_is_made_once() -> None:
    """The token makes a repeat harmless: one interruption is counted (§4)."""
    bench = Bench()
    bench.world.trouble.lose["release"] = 1
    await bench.returner.handle([m.HandBack(bench.claimed("a"))])
    assert (bench.job("a").status, bench.job("a").interruptions) == (Status.PENDING, 1)


async def test_a_lease_that_is_lost_by_then_is_forgotten() -> None:
    """What the store refuses for good is not tried again (§4)."""
    bench = Bench()
    await bench.returner.handle([m.HandBack((Release("nobody", "t"), *bench.claimed("a")))])
    assert bench.job("a").status is Status.PENDING
    calls = len(bench.lane.told)
    await bench.returner.handle([m.Beat()])
    assert len(bench.lane.told) == calls


async def test_an_item_that_the_store_will_not_take_keeps_no_other_back() -> None:
    """A bug at one item is logged, and the rest goes back all the same (rule 1)."""
    bench = Bench()
    items = bench.claimed("a", "b", "poison")
    bench.world.trouble.poison = "poison"
    await bench.returner.handle([m.HandBack(items)])
    assert [bench.job(i).status.value for i in ("a", "b")] == ["pending", "pending"]
    await bench.returner.handle([m.HandBack(items[2:])])
    assert len(bench.world.crashes) == 2


async def test_a_claim_in_doubt_is_looked_up_and_released() -> None:
    """What a claim took whose answer was lost goes back at once, not when its lease is over (rule 2)."""
    bench = Bench()
    bench.claimed("a")
    await bench.returner.handle([m.ClaimsInDoubt(("token-a", "token-never"))])
    assert (bench.job("a").status, bench.job("a").interruptions) == (Status.PENDING, 1)


async def test_a_claim_that_reaches_the_store_late_is_found() -> None:
    """A claim that was under way when its connection broke is looked for a while longer (B6, C8)."""
    bench = Bench()
    await bench.returner.handle([m.ClaimsInDoubt(("token-a",))])
    bench.claimed("a")
    await bench.returner.handle([m.Beat()])
    assert bench.job("a").status is Status.PENDING


async def test_a_claim_that_took_nothing_is_forgotten_in_the_end() -> None:
    """Looking ends after a while: an idle server asks the store nothing (rule 6)."""
    bench = Bench()
    await bench.returner.handle([m.ClaimsInDoubt(("token-a",))])
    for _ in range(DOUBT_BEATS):
        await bench.returner.handle([m.Beat()])
    assert bench.world.trouble.count("find_claims") == 1 + DOUBT_BEATS
    await bench.returner.handle([m.Beat()])
    assert bench.world.trouble.count("find_claims") == 1 + DOUBT_BEATS


async def test_doubts_outlast_a_store_that_is_away() -> None:
    """The tokens are kept until the store can be asked (rule 2)."""
    bench = Bench()
    bench.claimed("a")
    bench.world.trouble.away = True
    await bench.returner.handle([m.ClaimsInDoubt(("token-a",))])
    await bench.returner.handle([m.Beat()])
    bench.world.trouble.away = False
    await bench.returner.handle([m.Beat()])
    assert bench.job("a").status is Status.PENDING


async def test_what_is_remembered_is_bounded_and_the_first_are_kept() -> None:
    """Claims that met a closed door do not push those out which may have taken something (I18)."""
    bench = Bench()
    bench.claimed("a")
    bench.world.trouble.away = True
    await bench.returner.handle([m.ClaimsInDoubt(("token-a",))])
    for start in range(0, 2 * MAX_HELD, 1_000):
        many = tuple(f"closed-{n}" for n in range(start, start + 1_000))
        await bench.returner.handle([m.ClaimsInDoubt(many)])
    bench.world.trouble.away = False
    bench.world.trouble.calls.clear()
    await bench.returner.handle([m.Beat()])
    assert bench.job("a").status is Status.PENDING
    sizes = bench.world.trouble.sizes("find_claims")
    assert (sum(sizes), max(sizes)) == (MAX_HELD, STEP)


async def test_stopping_tries_once_more() -> None:
    """Before the lanes are closed, what is still owed goes back (rule 10)."""
    bench = Bench()
    items = bench.claimed("a")
    bench.world.trouble.away = True
    await bench.returner.handle([m.HandBack(items)])
    bench.world.trouble.away = False
    await bench.returner.stop()
    assert bench.job("a").status is Status.PENDING
