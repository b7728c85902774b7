"""Timings: intervals on their grid, bounds, zones, and what is no timing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actorq.core.instants import LATEST_US, SECOND_US, to_us
from actorq.core.ticks import (
    MAX_CRON,
    MAX_EVERY_S,
    Timing,
    check_timing,
    find_zone,
    last_tick,
    next_tick,
    next_ticks,
)
from actorq.errors import InvalidInput

NOW = 1_800_000_000 * SECOND_US


@given(
    every=st.floats(1.0, 1e6).map(lambda s: round(s, 6)),
    anchor=st.integers(0, 2 * NOW),
    at=st.integers(0, 2 * NOW),
)
def test_an_interval_has_a_grid(every: float, anchor: int, at: int) -> None:
    """Ticks lie whole intervals after the anchor; the next and the last one enclose every instant."""
    timing, step = Timing(every=every), to_us(every)
    following = next_tick(timing, anchor, at)
    assert following is not None
    assert following > at
    assert (following - anchor) % step == 0
    last = last_tick(timing, anchor, at)
    assert last == (following - step if at >= anchor else None)
    assert at >= anchor or following == anchor


@given(
    cron=st.sampled_from([None, "*/5 * * * *"]),
    starts=st.integers(NOW - 10**10, NOW + 10**10),
    length=st.integers(0, 10**10),
    at=st.integers(NOW - 2 * 10**10, NOW + 2 * 10**10),
)
def test_bounds_hold(cron: str | None, starts: int, length: int, at: int) -> None:
    """No tick comes before ``starts_at`` nor after ``ends_at``, whichever way one looks."""
    timing = Timing(
        cron=cron, every=None if cron else 300.0, starts_at=starts, ends_at=starts + length
    )
    for tick in (next_tick(timing, starts, at), last_tick(timing, starts, at)):
        assert tick is None or starts <= tick <= starts + length
    for tick in next_ticks(timing, starts, at, 5):
        assert tick > at
        assert starts <= tick <= starts + length


def test_an_interval_that_starts_has_its_first_tick_there() -> None:
    """``starts_at`` itself is the first tick of an interval."""
    timing = Timing(every=60.0, starts_at=NOW)
    assert next_ticks(timing, NOW, NOW - 1, 2) == [NOW, NOW + 60 * SECOND_US]


def test_nothing_comes_after_the_end_of_time() -> None:
    """A cron expression ends where instants do."""
    timing = Timing(cron="0 0 1 1 *")
    assert next_tick(timing, 0, LATEST_US - SECOND_US) is None


@pytest.mark.parametrize(
    ("timing", "pointer"),
    [
        (Timing(), "/cron"),
        (Timing(cron="* * * * *", every=5.0), "/cron"),
        (Timing(cron="often"), "/cron"),
        (Timing(cron="*" * (MAX_CRON + 1)), "/cron"),
        (Timing(every=0.5), "/every"),
        (Timing(every=MAX_EVERY_S + 1.0), "/every"),
        (Timing(every=float("nan")), "/every"),
        (Timing(every=5.0, starts_at=-1), "/starts_at"),
        (Timing(every=5.0, ends_at=LATEST_US + 1), "/ends_at"),
        (Timing(every=5.0, starts_at=2, ends_at=1), "/ends_at"),
        (Timing(every=5.0, zone="Mars/Base"), "/zone"),
    ],
)
def test_what_is_no_timing_is_refused(timing: Timing, pointer: str) -> None:
    """What no server could reckon with is refused, naming the place (§1)."""
    with pytest.raises(InvalidInput) as refused:
        check_timing(timing)
    assert refused.value.pointer == pointer


@pytest.mark.parametrize(
    "name",
    ["", "Europe", "../etc/passwd", "/etc/localtime", "localtime", "posixrules", "right/UTC",
     "posix/UTC", "Europe/Berlin ", "Europe//Berlin", "europe/nowhere", "Factory", "a" * 65, "UTC\0"],
)  # fmt: skip
def test_a_zone_is_known_everywhere_or_nowhere(name: str) -> None:
    """Only names of the zone database count, never files that each machine has its own of."""
    with pytest.raises(InvalidInput):
        check_timing(Timing(every=5.0, zone=name))


@pytest.mark.parametrize("name", ["UTC", "Europe/Berlin", "Etc/GMT+5", "America/Port-au-Prince"])
def test_zones_have_their_names(name: str) -> None:
    """A zone is found by its name in the zone database."""
    assert find_zone(name).key == name
