"""The picture of a chaos run."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from benchmarks.chaos.timeline import Mark, Timeline, draw

SVG = "{http://www.w3.org/2000/svg}"
MARKS = [Mark("kill worker", 1.0, 1.5), Mark("kill store", 2.0, 4.0), Mark("kill store", 7.0, 7.0)]


def parts(timeline: Timeline) -> ET.Element:
    return ET.fromstring(draw(timeline, "on <redis>", "a & b"))  # noqa: S314 - it is our own


@pytest.mark.parametrize("seconds", [1, 10, 900, 40_000])
def test_a_run_of_any_length(seconds: int) -> None:
    """The picture is well-formed SVG of one size, with as many points as can be told apart."""
    rates = [100] * seconds
    timeline = Timeline(accepted=rates, completed=rates, healed=seconds - 0.5, marks=MARKS)
    picture = parts(timeline)
    assert picture.get("width") == "1200"
    for curve in picture.iter(f"{SVG}polyline"):
        points = [point.split(",") for point in (curve.get("points") or "").split()]
        assert 1 <= len(points) <= 450
        assert all(0 <= float(x) <= 1200 and 0 <= float(y) <= 400 for x, y in points)


def test_every_fault_has_its_mark() -> None:
    """Each kind of fault is a lane with its name and its count, each fault a mark that can be seen."""
    timeline = Timeline(accepted=[50] * 9, completed=[40] * 9, healed=8.0, marks=MARKS)
    picture = parts(timeline)
    texts = [text.text for text in picture.iter(f"{SVG}text")]
    assert {"kill worker", "kill store", "1", "2", "on <redis>", "a & b"} <= set(texts)
    marks = [box for box in picture.iter(f"{SVG}rect") if box.get("fill-opacity") == "0.85"]
    assert len(marks) == len(MARKS)
    assert all(float(mark.get("width") or 0) >= 2 for mark in marks)


def test_nothing_happened() -> None:
    """A run without a job or a fault has a picture, too."""
    assert parts(Timeline(accepted=[], completed=[], healed=0.0, marks=[])) is not None
