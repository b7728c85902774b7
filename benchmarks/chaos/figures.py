"""Figures: how fast work went on after each death, and why anything was done twice."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.chaos.conductor import Performance
    from benchmarks.chaos.diary import Made
    from benchmarks.chaos.lives import Attempt, Life, Lives

SHARE: Final = 0.9
"""The part of the usual rate at which work counts as going on again."""

_STEP_S: Final = 0.1
_LASTING_S: Final = 1.0
_AFTERMATH_S: Final = 2.0
"""For so long after its end a lease may lie before its job is claimed again."""

UNEXPLAINED: Final = "unexplained"
NO_FAULT: Final = "no fault near"


class Spread(msgspec.Struct, frozen=True):
    """Seconds of several cases: how many, and how they are spread; zeros when there were none."""

    count: int
    p50: float
    p99: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Sum up some values."""
        ranked = sorted(values)
        if not ranked:
            return cls(0, 0.0, 0.0, 0.0)
        last = len(ranked) - 1
        # The nearest rank at or above: a p99 of few cases is the worst of them.
        at = (min(last, int(share * len(ranked))) for share in (0.5, 0.99))
        p50, p99 = (round(ranked[place], 3) for place in at)
        return cls(len(ranked), p50, p99, round(ranked[-1], 3))


class Recovery(msgspec.Struct, frozen=True):
    """Seconds from the death of a worker until what it held was claimed again.

    ``calm`` are those cases during which nothing was done to the store.
    """

    calm: Spread
    all: Spread


def recoveries(lives: Lives, made: Sequence[Made]) -> Recovery:
    """Look at every job that was held by a worker when it was killed."""
    calm: list[float] = []
    everything: list[float] = []
    for death in (fault for fault in made if fault.kind == "kill worker"):
        for again in _claims_after(lives, death):
            seconds = again - death.began
            everything.append(seconds)
            if not any(_meets_store(fault, death.began, again) for fault in made):
                calm.append(seconds)
    return Recovery(Spread.of(calm), Spread.of(everything))


def _claims_after(lives: Lives, death: Made) -> Iterator[float]:
    """Yield when each job that the dead one held was claimed again; at-most-once jobs never are."""
    for job_id, held in lives.by_worker[death.targets[0]]:
        life = lives.jobs[job_id]
        if held.settled <= death.began or life.delivery == "at_most_once":
            continue
        following = next_of(life, held)
        # One that comes later was not the next: that one's answer reached nobody, so its time is not known.
        if following is not None and following.claimed > death.began:
            yield following.claimed


def next_of(life: Life, attempt: Attempt) -> Attempt | None:
    """Return the attempt right after another, if its claim was answered."""
    following = (one for one in life.attempts.values() if one.number == attempt.number + 1)
    return next(following, None)


def _meets_store(fault: Made, since: float, until: float) -> bool:
    return fault.is_of_store and fault.began < until and fault.ended > since


# ── the rate after the store was away ───────────────────────────────────────────────────────────


class Returns(msgspec.Struct, frozen=True):
    """Seconds from when a killed or restarted store answered until work went on as usual.

    ``usual`` is the rate, in jobs a second, of which nine tenths count as that; ``unknown`` how often
    the next fault of the store came before.
    """

    usual: float
    seconds: Spread
    unknown: int


def returns(lives: Lives, performance: Performance) -> Returns:
    """Look at every death of the store."""
    done = sorted(lives.completed)
    usual = _usual_rate(done, performance)
    of_store = [f for f in performance.made if f.is_of_store]
    seconds: list[float] = []
    unknown = 0
    for fault in of_store:
        if fault.kind in {"kill store", "restart store", "fail over"}:
            begins = (f.began for f in of_store if f.began > fault.ended)
            end = min(begins, default=performance.healed)
            found = _return(done, fault.ended, end, SHARE * usual)
            if found is None:
                unknown += 1
            else:
                seconds.append(found)
    return Returns(round(usual, 1), Spread.of(seconds), unknown)


def _usual_rate(done: Sequence[float], performance: Performance) -> float:
    """Return the median over the seconds of the run."""
    return median(per_second(done, performance.began, performance.healed) or [0])


def per_second(moments: Sequence[float], since: float, until: float) -> list[int]:
    """Count what happened in each whole second of a span; ``moments`` are in order."""
    edges = [bisect_left(moments, since + second) for second in range(int(until - since) + 1)]
    return [later - earlier for earlier, later in pairwise(edges)]


def _return(done: Sequence[float], since: float, until: float, rate: float) -> float | None:
    """Return the end of the first second with that rate, counted from ``since``."""
    start = since
    while start + 1.0 <= until:
        if bisect_left(done, start + 1.0) - bisect_left(done, start) >= rate:
            return start + 1.0 - since
        start += _STEP_S
    return None


# ── what was done twice ─────────────────────────────────────────────────────────────────────────


class Duplicates(msgspec.Struct, frozen=True):
    """Effects that were not the last of their job, by why their lease had ended before the ack."""

    effects: int
    repeated: int
    causes: dict[str, int]

    @property
    def unexplained(self) -> int:
        """How many have no recorded expiry."""
        return self.causes.get(UNEXPLAINED, 0)


def duplicates(lives: Lives, made: Sequence[Made], lease: float) -> Duplicates:
    """Look at every effect of an attempt that was followed by another effect."""
    effects = 0
    causes: Counter[str] = Counter()
    for life in lives.jobs.values():
        done = [attempt for attempt in life.attempts.values() if attempt.took_effect]
        done.sort(key=lambda attempt: attempt.number)
        effects += len(done)
        for attempt, again in pairwise(done):
            has_end = attempt.number in _expired(life)
            span = (again.claimed - lease - _AFTERMATH_S, again.claimed)
            causes[_cause(attempt, made, *span) if has_end else UNEXPLAINED] += 1
    return Duplicates(effects, causes.total(), dict(causes.most_common()))


def _expired(life: Life) -> set[int]:
    """Return the attempts whose lease ran out, as the job's record says."""
    errors = (life.end.errors if life.end else None) or ()
    return {error.attempt for error in errors if error.kind == "lease_expired"}


def _cause(attempt: Attempt, made: Sequence[Made], since: float, until: float) -> str:
    """Say which fault most likely cost an attempt the lease that ran out in a span.

    What was done to its own worker; or else to the store, if that lasted; or else what lasted longest.
    """
    near = [fault for fault in made if fault.began < until and fault.ended > since]
    for fault in near:
        if attempt.worker in fault.targets:
            return fault.kind

    def weight(fault: Made) -> tuple[bool, float]:
        seconds = min(fault.ended, until) - max(fault.began, since)
        return fault.is_of_store and seconds >= _LASTING_S, seconds

    others = [fault for fault in near if not fault.kind.endswith(("worker", "producer"))]
    return max(others, key=weight).kind if others else NO_FAULT
