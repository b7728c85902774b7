"""The figures of a chaos run, from small histories whose answers are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from actorq.testing.invariants.events import (
    Audited,
    Claimed,
    Effect,
    ErrorSeen,
    Event,
    Seen,
    Settle,
    Settled,
    Start,
    Taken,
)
from benchmarks.chaos.conductor import Performance
from benchmarks.chaos.diary import Made
from benchmarks.chaos.figures import (
    NO_FAULT,
    UNEXPLAINED,
    Spread,
    duplicates,
    recoveries,
    returns,
)
from benchmarks.chaos.lives import Lives

if TYPE_CHECKING:
    from actorq.testing.invariants.records import ErrorKind

LEASE_S = 2.0


def claimed(at: float, worker: str, attempt: int = 1, job: str = "job") -> Event:
    taken = Taken(
        job_id=job,
        attempt=attempt,
        token=f"{job} {attempt}",
        visibility=LEASE_S,
        queue="q",
        payload="",
    )
    return Claimed(at=at, actor=worker, call=f"claim {job} {attempt}", jobs=(taken,))


def effect(at: float, worker: str, attempt: int = 1) -> list[Event]:
    token = f"job {attempt}"
    return [
        Start(at=at, actor=worker, job_id="job", attempt=attempt, token=token),
        Effect(at=at, actor=worker, job_id="job", attempt=attempt, token=token),
    ]


def acked(at: float, worker: str, attempt: int = 1, job: str = "job") -> list[Event]:
    call = f"ack {job} {attempt}"
    token = f"{job} {attempt}"
    return [
        Settle(at=at, actor=worker, call=call, job_id=job, action="ack", token=token),
        Settled(at=at, actor=worker, call=call, outcome="ok"),
    ]


def audited(*errors: tuple[int, ErrorKind]) -> Event:
    seen = Seen(
        job_id="job",
        queue="q",
        status="completed",
        errors=tuple(ErrorSeen(attempt, kind) for attempt, kind in errors),
    )
    return Audited(at=99.0, actor="auditor", since=99.0, job_id="job", seen=seen)


def death(at: float, worker: str = "a") -> Made:
    return Made(kind="kill worker", targets=(worker,), began=at, ended=at + 0.5)


def away(began: float, ended: float) -> Made:
    return Made(kind="kill store", targets=("store",), began=began, ended=ended)


def performance(*made: Made, healed: float) -> Performance:
    return Performance(
        began=0.0, healed=healed, ended=healed, made=list(made), complaints=[], server_mb=0.0
    )


def test_recovery_counts_from_the_death() -> None:
    """From the death of the holder to the next claim, for each job that it held then (A1)."""
    lives = Lives([claimed(1.0, "a"), claimed(4.5, "b", attempt=2)])
    found = recoveries(lives, [death(2.0)])
    assert found.calm == found.all == Spread(1, 2.5, 2.5, 2.5)


def test_recovery_while_the_store_was_met_stands_apart() -> None:
    """What was claimed again after the store had been away is among all, not among the calm ones."""
    lives = Lives([claimed(1.0, "a"), claimed(9.0, "b", attempt=2)])
    found = recoveries(lives, [death(2.0), away(3.0, 5.0)])
    assert (found.calm.count, found.all.most) == (0, 7.0)


@pytest.mark.parametrize(
    "events",
    [
        pytest.param([claimed(1.0, "a"), *acked(1.5, "a")], id="settled before"),
        pytest.param([claimed(1.0, "a")], id="never claimed again"),
        pytest.param([claimed(1.0, "a"), claimed(9.0, "b", 3)], id="the next claim is not known"),
        pytest.param([claimed(0.0, "a"), claimed(1.5, "b", 2)], id="lost before"),
        pytest.param([claimed(1.0, "b")], id="held by another"),
    ],
)
def test_what_is_no_recovery(events: list[Event]) -> None:
    """Only what the dead one held, and what is known to have been claimed next, is counted."""
    assert recoveries(Lives(events), [death(2.0)]).all.count == 0


def steady(since: float, until: float, name: str) -> list[Event]:
    """Complete ten jobs a second."""
    events: list[Event] = []
    for number in range(round((until - since) * 10)):
        at = since + number / 10
        job = f"{name} {number}"
        events += [claimed(at, "a", job=job), *acked(at, "a", job=job)]
    return events


def test_the_return_of_the_usual_rate() -> None:
    """From when the store answers to the end of the first second with nine tenths of the usual rate."""
    lives = Lives([*steady(0.0, 10.0, "before"), *steady(14.0, 30.0, "after")])
    found = returns(lives, performance(away(10.0, 12.0), healed=30.0))
    assert found.usual == 10.0
    assert found.seconds.most == pytest.approx(2.9, abs=0.11)
    assert found.unknown == 0


def test_a_return_that_was_not_seen() -> None:
    """When the store goes away again before the rate is back, nobody knows how long it would have taken."""
    lives = Lives([*steady(0.0, 10.0, "before"), *steady(14.0, 30.0, "after")])
    found = returns(lives, performance(away(10.0, 12.0), away(12.5, 13.9), healed=30.0))
    assert (found.seconds.count, found.unknown) == (1, 1)


def repeated(*errors: tuple[int, ErrorKind]) -> Lives:
    """Let a job take effect at worker a, and again at worker b."""
    first = [claimed(1.0, "a"), *effect(1.5, "a")]
    again = [claimed(4.0, "b", 2), *effect(4.5, "b", 2), *acked(4.6, "b", 2)]
    return Lives([*first, *again, audited(*errors)])


@pytest.mark.parametrize(
    ("made", "cause"),
    [
        ([death(2.0), away(1.5, 3.5)], "kill worker"),
        ([death(2.0, "c"), away(1.5, 3.5)], "kill store"),
        ([death(2.0, "c")], NO_FAULT),
        ([away(7.0, 9.0)], NO_FAULT),
        ([], NO_FAULT),
    ],
)
def test_an_effect_repeated_after_a_recorded_expiry(made: list[Made], cause: str) -> None:
    """It is explained; by what was done to its worker, or else by what was in the way (A4)."""
    found = duplicates(repeated((1, "lease_expired")), made, LEASE_S)
    assert (found.effects, found.repeated, found.causes) == (2, 1, {cause: 1})
    assert found.unexplained == 0


@pytest.mark.parametrize("errors", [[], [(2, "lease_expired")], [(1, "failure")]])
def test_an_effect_repeated_without_one(errors: list[tuple[int, ErrorKind]]) -> None:
    """Without the expiry of the attempt that took effect there is no explanation (I5, I6)."""
    found = duplicates(repeated(*errors), [death(2.0)], LEASE_S)
    assert found.causes == {UNEXPLAINED: 1}
    assert found.unexplained == 1


def test_spreads() -> None:
    """Percentiles are values that were seen; the p99 of few cases is the worst of them."""
    assert Spread.of([]) == Spread(0, 0.0, 0.0, 0.0)
    assert Spread.of([3.0, 1.0, 2.0]) == Spread(3, 2.0, 3.0, 3.0)
    assert Spread.of([float(n) for n in range(200)]).p99 == 198.0
