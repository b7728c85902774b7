"""The timeline of a run as a picture: the rate over time, and below it every fault that was made."""

from __future__ import annotations

from html import escape
from math import ceil
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_WIDTH: Final = 1200
_LEFT: Final = 150
_RIGHT: Final = 50
_TOP: Final = 78
_RATE_HEIGHT: Final = 240
_LANES_TOP: Final = _TOP + _RATE_HEIGHT + 46
_LANE: Final = 19
_BOTTOM: Final = 20
_MOST_BINS: Final = 450
"""More than so many points would be closer than the eye can tell apart."""

_LEAST_MARK: Final = 2.5
_AWAY: Final = frozenset({"kill store", "pause store", "restart store", "fail over", "kill node"})
"""Faults during which no store answers, or not all of it: shaded through the whole height."""

_INK: Final = "#1f2933"
_FAINT: Final = "#7b8794"
_GRID: Final = "#e4e7eb"
_DONE: Final = "#4a7fb5"
_ASKED: Final = "#c77b30"
_SHADE: Final = "#c0392b"
_COLORS: Final = {
    "worker": "#5b7f4a",
    "producer": "#5b7f4a",
    "server": "#6f5499",
    "deploy": "#6f5499",
    "clients": "#2f7f86",
    "replies": "#2f7f86",
}


class Mark(msgspec.Struct, frozen=True):
    """A fault, in seconds from the begin."""

    kind: str
    began: float
    ended: float


class Timeline(msgspec.Struct, frozen=True, kw_only=True):
    """What is drawn: jobs accepted and completed in each second, and the faults."""

    accepted: list[int]
    completed: list[int]
    healed: float
    marks: list[Mark]


def draw(timeline: Timeline, title: str, subtitle: str) -> str:
    """Return the picture as SVG."""
    return "\n".join(_Drawing(timeline).parts(title, subtitle)) + "\n"


class _Drawing:
    """One picture, with the scales that all its parts share."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._seconds = max(1, len(timeline.completed))
        self._bin = ceil(self._seconds / _MOST_BINS)
        self._done = _binned(timeline.completed, self._bin)
        self._asked = _binned(timeline.accepted, self._bin)
        self._step = _nice(max([*self._done, *self._asked, 1.0]) / 4)
        self._most = self._step * ceil(max([*self._done, *self._asked, 1.0]) / self._step)
        self._kinds = _in_order({mark.kind for mark in timeline.marks})
        self._bottom = _LANES_TOP + _LANE * len(self._kinds)

    def parts(self, title: str, subtitle: str) -> Iterator[str]:
        height = self._bottom + _BOTTOM
        yield (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
            f'viewBox="0 0 {_WIDTH} {height}" font-family="Helvetica, Arial, sans-serif">'
        )
        yield f'<rect width="{_WIDTH}" height="{height}" fill="white"/>'
        yield _text(20, 28, title, size=17, weight="bold")
        yield _text(20, 48, subtitle, size=12, color=_FAINT)
        yield from self._grid()
        yield from self._shades()
        yield from self._rates()
        yield from self._lanes()
        yield "</svg>"

    def _x(self, second: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * min(second, self._seconds) / self._seconds

    def _y(self, rate: float) -> float:
        return _TOP + _RATE_HEIGHT * (1 - rate / self._most)

    def _grid(self) -> Iterator[str]:
        rate = 0.0
        while rate <= self._most:
            y = self._y(rate)
            yield _line(_LEFT, y, _WIDTH - _RIGHT, y, _GRID)
            yield _text(_LEFT - 8, y + 4, f"{rate:g}", size=11, color=_FAINT, anchor="end")
            rate += self._step
        y = _TOP + _RATE_HEIGHT
        for second in _ticks(self._seconds):
            x = self._x(second)
            yield _line(x, y, x, self._bottom, _GRID)
            yield _text(x, y + 17, _clock(second), size=11, color=_FAINT, anchor="middle")
        x = self._x(self._timeline.healed)
        yield _line(x, _TOP - 4, x, self._bottom, _FAINT, dash="3 3")
        yield _text(x, _TOP - 9, "healed", size=11, color=_FAINT, anchor="middle")

    def _shades(self) -> Iterator[str]:
        for mark in self._timeline.marks:
            if mark.kind in _AWAY:
                x = self._x(mark.began)
                width = max(1.0, self._x(mark.ended) - x)
                yield _box(x, _TOP, width, _RATE_HEIGHT, _SHADE, opacity=0.16)

    def _rates(self) -> Iterator[str]:
        base = self._y(0)
        done = self._points(self._done)
        start, end = f"{self._x(0):.1f},{base:.1f}", f"{self._x(self._seconds):.1f},{base:.1f}"
        yield f'<polygon points="{start} {done} {end}" fill="{_DONE}" fill-opacity="0.35"/>'
        yield _curve(done, _DONE)
        yield _curve(self._points(self._asked), _ASKED)
        x = _LEFT
        for color, label in ((_DONE, "completed"), (_ASKED, "accepted")):
            yield _box(x, _TOP - 18, 14, 4, color)
            yield _text(x + 20, _TOP - 12, f"{label}, jobs/s", size=11)
            x += 130
        yield _box(x, _TOP - 22, 14, 12, _SHADE, opacity=0.16)
        yield _text(x + 20, _TOP - 12, "store away", size=11)

    def _points(self, rates: Sequence[float]) -> str:
        middles = ((place + 0.5) * self._bin for place in range(len(rates)))
        return " ".join(
            f"{self._x(second):.1f},{self._y(rate):.1f}"
            for second, rate in zip(middles, rates, strict=True)
        )

    def _lanes(self) -> Iterator[str]:
        for place, kind in enumerate(self._kinds):
            y = _LANES_TOP + _LANE * place
            marks = [mark for mark in self._timeline.marks if mark.kind == kind]
            color = _color(kind)
            yield _line(_LEFT, y + _LANE / 2, _WIDTH - _RIGHT, y + _LANE / 2, _GRID)
            yield _text(_LEFT - 8, y + 14, kind, size=12, anchor="end")
            for mark in marks:
                x = self._x(mark.began)
                width = max(_LEAST_MARK, self._x(mark.ended) - x)
                yield _box(x, y + 4, width, _LANE - 8, color, opacity=0.85)
            count = str(len(marks))
            yield _text(_WIDTH - _RIGHT + 8, y + 14, count, size=11, color=_FAINT)


def _binned(counts: Sequence[int], size: int) -> list[float]:
    """Return the mean of every ``size`` seconds."""
    bins = (counts[place : place + size] for place in range(0, len(counts), size))
    return [sum(one) / len(one) for one in bins]


def _nice(value: float) -> float:
    """Return the least of 1, 2, 5, 10, 20, 50 … that is not below ``value``."""
    size = 1.0
    while True:
        for factor in (1, 2, 5):
            if size * factor >= value:
                return size * factor
        size *= 10


def _ticks(seconds: int) -> Iterator[int]:
    step = next(step for step in (5, 10, 30, 60, 120, 300, 600, 3600) if seconds / step <= 16)  # noqa: PLR2004 - as many labels as stand side by side
    yield from range(0, seconds + 1, step)


def _clock(second: int) -> str:
    return f"{second // 60}:{second % 60:02}"


def _in_order(kinds: set[str]) -> list[str]:
    """Return the store's faults first, then those of servers, of workers, and of the network."""
    order = ("store", "over", "node", "slots", "server", "deploy", "worker", "producer")
    ranks = {word: rank for rank, word in enumerate(order)}
    return sorted(kinds, key=lambda kind: (ranks.get(kind.rpartition(" ")[2], len(order)), kind))


def _color(kind: str) -> str:
    return _COLORS.get(kind.rpartition(" ")[2], _SHADE)


# ── parts of a picture ──────────────────────────────────────────────────────────────────────────


def _text(
    x: float,
    y: float,
    text: str,
    *,
    size: int,
    color: str = _INK,
    anchor: str = "start",
    weight: str = "normal",
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{color}" '
        f'text-anchor="{anchor}" font-weight="{weight}">{escape(text)}</text>'
    )


def _line(x: float, y: float, x2: float, y2: float, color: str, *, dash: str = "none") -> str:
    return (
        f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{color}" '
        f'stroke-dasharray="{dash}"/>'
    )


def _box(
    x: float, y: float, width: float, height: float, color: str, *, opacity: float = 1.0
) -> str:
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" '
        f'fill="{color}" fill-opacity="{opacity}"/>'
    )


def _curve(points: str, color: str) -> str:
    return f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="1.5"/>'
