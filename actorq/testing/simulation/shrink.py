"""Shrinking: from all choices of a failed run to the few that make it fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from actorq.testing.simulation.cases import Case, harmful
from actorq.testing.simulation.profiles import PROFILES
from actorq.testing.simulation.running import simulate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from actorq.testing.simulation.choices import Choice
    from actorq.testing.simulation.director import Parts
    from actorq.testing.simulation.running import Report

T = TypeVar("T")

RUNS: Final = 800
"""How many times a failure is run again, at most, to make it smaller."""


class Shrinker:
    """Makes one failure smaller: it stays one as long as the same invariant is broken."""

    def __init__(self, case: Case, invariant: str, parts: Parts | None, runs: int) -> None:
        """Start with all choices of ``case``; run it at most ``runs`` times."""
        self.left = runs
        self._case = case
        self._invariant = invariant
        self._parts = parts
        self._seen: set[tuple[Choice, ...]] = set()
        self.choices = list(case.choices)

    def shrink(self) -> list[Choice]:
        """Return the choices that are left: without any of them it does not fail, or not so simply."""
        before = None
        while before != self.choices and self.left:
            before = self.choices
            self._without_labels()
            self._without_choices()
            self._with_smaller_values()
        return self.choices

    def _fails(self, choices: Sequence[Choice]) -> bool:
        """Tell whether these choices break the invariant; those that were made in fact are kept."""
        key = tuple(choices)
        if not self.left or key in self._seen:
            return False
        self._seen.add(key)
        self.left -= 1
        report = simulate(PROFILES[self._case.profile], record=choices, parts=self._parts)
        if self._invariant not in {violation.invariant for violation in report.violations}:
            return False
        # What was not asked for any more is not needed.
        self.choices = harmful(report.record)
        return True

    def _without_labels(self) -> None:
        labels = list(dict.fromkeys(choice.label for choice in self.choices))

        def fails(kept: Sequence[str]) -> bool:
            names = set(kept)
            return self._fails([choice for choice in self.choices if choice.label in names])

        minimal(labels, fails)

    def _without_choices(self) -> None:
        minimal(self.choices, self._fails)

    def _with_smaller_values(self) -> None:
        for choice in list(self.choices):
            low, high = 0, choice.value
            while high - low > 1 and self.left:
                middle = (low + high) // 2
                smaller = choice._replace(value=middle)
                if self._fails([smaller if _same(each, choice) else each for each in self.choices]):
                    high = middle
                else:
                    low = middle


def _same(one: Choice, other: Choice) -> bool:
    return (one.label, one.nth) == (other.label, other.nth)


def minimal(items: Sequence[T], fails: Callable[[Sequence[T]], bool]) -> list[T]:
    """Return a part of ``items`` that still fails, and none of whose single items can be spared.

    It is Zeller's ddmin: leave out halves, then quarters, and so on.
    """
    kept = list(items)
    parts = 2
    while kept:
        size = max(1, len(kept) // parts)
        for start in range(0, len(kept), size):
            rest = kept[:start] + kept[start + size :]
            if fails(rest):
                kept = rest
                parts = max(2, parts - 1)
                break
        else:
            if size == 1:
                break
            parts = min(len(kept), parts * 2)
    return kept


def shrunk(report: Report, parts: Parts | None = None, runs: int = RUNS) -> Case:
    """Return the smallest case that could be found of a failed run."""
    first = report.violations[0]
    case = Case(
        profile=report.profile,
        seed=report.seed,
        violation=str(first),
        choices=tuple(harmful(report.record)),
    )
    choices = Shrinker(case, first.invariant, parts, runs).shrink()
    again = simulate(PROFILES[report.profile], record=choices, parts=parts)
    broken = [str(each) for each in again.violations if each.invariant == first.invariant]
    return Case(
        profile=case.profile,
        seed=case.seed,
        violation=(broken or [case.violation])[0],
        choices=tuple(choices),
    )
