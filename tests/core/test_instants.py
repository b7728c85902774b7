"""Instants and durations: exact inside, RFC 3339 and lenient text outside (contract §1, §3)."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actorq.core.instants import (
    LATEST_US,
    check_instant,
    format_instant,
    from_datetime,
    parse_duration,
    parse_instant,
    to_datetime,
    to_us,
)
from actorq.errors import InvalidInput

DAY = timedelta(days=1)


@given(st.integers(0, LATEST_US))
def test_an_instant_survives_the_round_trip(instant: int) -> None:
    """Text in UTC, six decimals and Z, and back again: not a microsecond is lost (§1)."""
    text = format_instant(instant)
    assert parse_instant(text, "/x") == instant
    assert len(text) == 27
    assert text.endswith("Z")


@given(st.integers(0, LATEST_US), st.integers(0, LATEST_US))
def test_instants_sort_as_text(first: int, second: int) -> None:
    """The order of the texts is the order of the instants (§1)."""
    assert (format_instant(first) < format_instant(second)) == (first < second)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00.000000Z"),
        ("2026-01-31t12:00:00z", "2026-01-31T12:00:00.000000Z"),
        ("2026-01-31 12:00:00Z", "2026-01-31T12:00:00.000000Z"),
        ("2026-01-31T12:00:00.5Z", "2026-01-31T12:00:00.500000Z"),
        ("2026-01-31T12:00:00.000001Z", "2026-01-31T12:00:00.000001Z"),
        ("2026-01-31T13:30:00+01:30", "2026-01-31T12:00:00.000000Z"),
        ("2026-01-31T00:00:00-12:00", "2026-01-31T12:00:00.000000Z"),
        ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000000Z"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
    ],
)
def test_rfc_3339_is_read(text: str, same: str) -> None:
    """Offsets, small letters, a space and up to six decimals are all RFC 3339 (§1)."""
    assert format_instant(parse_instant(text, "/x")) == same


@pytest.mark.parametrize(
    "text",
    [
        "", "now", "2026-01-31", "2026-01-31T12:00:00", "2026-01-31T12:00Z", "12:00:00Z",
        "20260131T120000Z", "2026-W05-6T12:00:00Z", "2026-02-30T12:00:00Z", "2026-01-31T24:00:01Z",
        "2026-01-31T12:00:60Z", "2026-01-31T12:00:00.1234567Z", "2026-01-31T12:00:00+01",
        "2026-01-31T12:00:00+01:00:30", "2026-01-31T12:00:00,5Z", " 2026-01-31T12:00:00Z",
        "2026-01-31T12:00:00Z\n", "\u0662\u0660\u0662\u0666-01-31T12:00:00Z", "1969-12-31T23:59:59Z",
        "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-01:00", "2026-01-31T12:00:00 Z",
        "2026-01-31\x0012:00:00Z", "1769860800",
    ],
)  # fmt: skip
def test_anything_else_is_refused(text: str) -> None:
    """What is not RFC 3339, or lies outside of 1970 to 9999, is refused at its place (§1)."""
    with pytest.raises(InvalidInput) as caught:
        parse_instant(text, "/available_at")
    assert caught.value.pointer == "/available_at"


@pytest.mark.parametrize("instant", [-1, LATEST_US + 1, True, 1.0, "0", None])
def test_an_instant_is_a_whole_number_of_its_range(instant: object) -> None:
    """An embedded caller's instant is checked like the text of an HTTP client (§1)."""
    with pytest.raises(InvalidInput):
        check_instant(instant, "/x")


def test_the_ends_of_the_range_are_instants() -> None:
    """The first and the last instant are allowed."""
    assert [check_instant(instant, "/x") for instant in (0, LATEST_US)] == [0, LATEST_US]


@given(st.integers(0, LATEST_US), st.integers(-14 * 60, 14 * 60))
def test_instants_and_datetimes_are_the_same_moments(instant: int, minutes: int) -> None:
    """A datetime of any time zone becomes its instant, and back: not a microsecond is lost (§1)."""
    moment = to_datetime(instant)
    assert moment.utcoffset() == timedelta(0)
    assert from_datetime(moment) == instant
    if DAY < moment - to_datetime(0) < to_datetime(LATEST_US) - to_datetime(0) - DAY:
        assert from_datetime(moment.astimezone(timezone(timedelta(minutes=minutes)))) == instant


@pytest.mark.parametrize(
    "moment",
    [to_datetime(0).replace(tzinfo=None), datetime(1969, 12, 31, 23, 59, tzinfo=UTC)],
)
def test_a_datetime_has_a_zone_and_lies_in_the_range(moment: datetime) -> None:
    """A datetime that does not say its offset could be any of a day; before 1970 there is none (§1)."""
    with pytest.raises(InvalidInput) as caught:
        from_datetime(moment)
    assert caught.value.pointer == "/datetime"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("300s", 300.0), ("5m", 300.0), ("1h30m", 5_400.0), ("1d", 86_400.0), ("1d1h1m1s", 90_061.0),
        ("90", 90.0), ("0", 0.0), ("0.5s", 0.5), ("1.5h", 5_400.0), (" 5m ", 300.0), (300, 300.0),
        (0, 0.0), (0.25, 0.25), ("1h30", 3_630.0), (10**300, 1e300),
    ],
)  # fmt: skip
def test_durations_are_read_leniently(value: float | str, seconds: float) -> None:
    """Seconds as a number or text with units (§1)."""
    assert parse_duration(value, "/delay") == seconds


@pytest.mark.parametrize(
    "value",
    [
        "", " ", "s", "m", "-1", "-5m", "+5", "5 m", "5M", "1m1h", "1s1s", "1e3", "5µ", "inf", "nan",
        "\u0665", "1_000", ".", ".5s", "1..5s", "5m junk", "0x10", "1h 30m", "9" * 400, "5m\x00",
        -1, -0.001, math.nan, math.inf, -math.inf, True, False, 10**400, -(10**400),
    ],
)  # fmt: skip
def test_no_nonsense_is_a_duration(value: float | str) -> None:
    """Signs, infinities, NaN, booleans and unknown units are refused at their place (§1)."""
    with pytest.raises(InvalidInput) as caught:
        parse_duration(value, "/delay")
    assert caught.value.pointer == "/delay"


@given(st.floats(0.0, 3.2e9))
def test_seconds_become_the_nearest_microsecond(seconds: float) -> None:
    """A duration is off by at most half a microsecond (§3)."""
    assert abs(to_us(seconds) - seconds * 1e6) <= 0.5
