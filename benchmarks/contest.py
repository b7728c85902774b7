"""A contest: a subject and its floors, measured in turns, compared within each turn.

A machine is never twice the same: its clock rate, its disk and its neighbours drift by tens of
percent in minutes. So one round measures the subject and every floor, one right after the other,
and what is compared is the ratio within a round. The median over the rounds is the answer.
"""

from __future__ import annotations

import gc
from statistics import median
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Round = Callable[[], Mapping[str, float]]


class BenchmarkError(Exception):
    """Something was refused or went wrong, so that the figure would be a lie."""


class Contender(msgspec.Struct, frozen=True):
    """Somebody who can be measured: ``run`` does one round and answers its figures by unit."""

    name: str
    run: Round


class Contest(msgspec.Struct, frozen=True, kw_only=True):
    """What is measured against what, and under which title."""

    scenario: str
    store: str
    door: str
    shape: str
    subject: Contender
    floors: tuple[Contender, ...] = ()


class Series(msgspec.Struct, frozen=True):
    """The figures of one contender in one unit, round by round."""

    name: str
    rounds: list[float]

    @property
    def median(self) -> float:
        """The figure that stands for all."""
        return median(self.rounds)


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One unit's figures of a contest: the subject's, and those of the floors that have it."""

    scenario: str
    store: str
    door: str
    shape: str
    unit: str
    subject: Series
    floors: list[Series]

    def ratio(self, floor: Series) -> float | None:
        """Return the median, over the rounds, of subject to floor; None where a floor is zero."""
        if not all(floor.rounds):
            return None
        pairs = zip(self.subject.rounds, floor.rounds, strict=True)
        return median(ours / theirs for ours, theirs in pairs)

    def floor(self, name: str) -> Series:
        """Return the floor of that name."""
        return next(floor for floor in self.floors if floor.name == name)


def hold(contest: Contest, rounds: int) -> list[Result]:
    """Measure everybody ``rounds`` times in turns; one result a unit."""
    everybody = (contest.subject, *contest.floors)
    figures: list[list[Mapping[str, float]]] = [[] for _ in everybody]
    for number in range(rounds):
        # Nobody is always the first after a pause, or always the last.
        shift = number % len(everybody)
        places = [*range(shift, len(everybody)), *range(shift)]
        for place in places:
            # What the last one left behind is not the next one's burden.
            gc.collect()
            figures[place].append(everybody[place].run())
    return [_result(contest, unit, figures) for unit in figures[0][0]]


def _result(contest: Contest, unit: str, figures: list[list[Mapping[str, float]]]) -> Result:
    series = [
        Series(contender.name, [figure[unit] for figure in rounds])
        for contender, rounds in zip((contest.subject, *contest.floors), figures, strict=True)
        if unit in rounds[0]
    ]
    return Result(
        scenario=contest.scenario,
        store=contest.store,
        door=contest.door,
        shape=contest.shape,
        unit=unit,
        subject=series[0],
        floors=series[1:],
    )
