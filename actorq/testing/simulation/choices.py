"""Every choice of a simulated world, drawn in one place: recorded, and made again from the record."""

from __future__ import annotations

from collections import defaultdict
from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

T = TypeVar("T")

STEPS: Final = 4096
"""Into how many steps a span is cut: a latency is one of so many."""


class Choice(NamedTuple):
    """The ``nth`` choice (from 0) under a label: ``value`` of ``most`` possible ones."""

    label: str
    nth: int
    most: int
    value: int


class Choices:
    """Where a world's choices come from: a seed, or the record of an earlier run.

    The smallest value is always the harmless one: no fault, the shortest time, the first option. A
    record is replayed label by label, so that the choices of one actor stay what they were when another
    actor makes more or fewer of them; whatever the record does not know is 0.
    """

    def __init__(self, seed: int | None, record: Iterable[Choice] = ()) -> None:
        """Draw by ``seed``; with None, make the choices of ``record`` again."""
        # Reproducible on purpose: nothing secret is drawn here.
        self._random = None if seed is None else Random(seed)  # noqa: S311 - a seed is the point
        self._replayed = {(choice.label, choice.nth): choice.value for choice in record}
        self._made: defaultdict[str, int] = defaultdict(int)
        self.record: list[Choice] = []
        """All that was chosen so far, in order."""

    def choose(self, label: str, n: int) -> int:
        """Return a whole number from 0 to ``n`` - 1."""
        drawn = 0 if self._random is None else int(self._random.random() * n)
        return self._take(label, n, drawn)

    def chance(self, label: str, p: float) -> bool:
        """Return True with the probability ``p``; where there is none, nothing is recorded."""
        if p <= 0.0:
            return False
        drawn = self._random is not None and self._random.random() < p
        return self._take(label, 2, int(drawn)) == 1

    def weigh(self, label: str, odds: Sequence[float]) -> int:
        """Return the number of one of the things whose probabilities are ``odds``, from 1; 0 for none.

        Where there are no odds, nothing is recorded.
        """
        if not odds:
            return 0
        drawn = 0
        if self._random is not None:
            point = self._random.random()
            for number, probability in enumerate(odds, 1):
                point -= probability
                if point < 0.0:
                    drawn = number
                    break
        return self._take(label, len(odds) + 1, drawn)

    def pick(self, label: str, options: Sequence[T]) -> T:
        """Return one of ``options``; the first is the harmless one."""
        return options[self.choose(label, len(options))]

    def span(self, label: str, low: float, high: float) -> float:
        """Return seconds between ``low`` (above 0) and ``high``, most of them near ``low``.

        The chance of a longer span falls with its length: half are below twice ``low``, and one of
        a thousand is near ``high``.
        """
        step = self.choose(label, STEPS) / STEPS
        return low / (1.0 - step * (1.0 - low / high))

    def _take(self, label: str, most: int, drawn: int) -> int:
        nth = self._made[label]
        self._made[label] = nth + 1
        # A record may come from a world in which there was more to choose from.
        value = drawn if self._random else min(self._replayed.get((label, nth), 0), most - 1)
        self.record.append(Choice(label, nth, most, value))
        return value
