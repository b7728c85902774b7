"""Cron expressions across clock changes: the rule, in tables and against a count of every minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import given, settings
from hypothesis import strategies as st

from actorq.core.cron import Cron, odd_day, read_cron
from actorq.core.instants import SECOND_US, from_datetime, to_datetime
from actorq.errors import InvalidInput

MINUTE_US = 60 * SECOND_US
DAY_US = 24 * 60 * MINUTE_US

BERLIN = "Europe/Berlin"
NEW_YORK = "America/New_York"
LORD_HOWE = "Australia/Lord_Howe"
CAIRO = "Africa/Cairo"
APIA = "Pacific/Apia"

# The day on which clocks go forward, and the day on which they go back, as UTC midnights before them.
FORWARD = {
    BERLIN: datetime(2026, 3, 28, 12, tzinfo=UTC),
    NEW_YORK: datetime(2026, 3, 8, 0, tzinfo=UTC),
    LORD_HOWE: datetime(2026, 10, 3, 0, tzinfo=UTC),
    CAIRO: datetime(2026, 4, 23, 12, tzinfo=UTC),
}
BACK = {
    BERLIN: datetime(2026, 10, 24, 12, tzinfo=UTC),
    NEW_YORK: datetime(2026, 11, 1, 0, tzinfo=UTC),
    LORD_HOWE: datetime(2026, 4, 4, 0, tzinfo=UTC),
    CAIRO: datetime(2026, 10, 29, 12, tzinfo=UTC),
}


def walls(cron: str, zone: str, start: datetime, hours: float) -> list[str]:
    """Return what the clock on the wall shows at each tick after ``start``, with its offset."""
    place = ZoneInfo(zone)
    found: list[str] = []
    tick = read_cron(cron).next_after(from_datetime(start), place)
    while tick is not None and to_datetime(tick) <= start + timedelta(hours=hours):
        found.append(to_datetime(tick).astimezone(place).strftime("%d %H:%M %z"))
        tick = read_cron(cron).next_after(tick, place)
    return found


@pytest.mark.parametrize(
    ("zone", "cron", "expected"),
    [
        (BERLIN, "30 2 * * *", ["29 03:00 +0200"]),
        (BERLIN, "0,30 2 * * *", ["29 03:00 +0200"]),
        (BERLIN, "30 1,2,3 * * *", ["29 01:30 +0100", "29 03:00 +0200", "29 03:30 +0200"]),
        (BERLIN, "0 2,3 * * *", ["29 03:00 +0200"]),
        (BERLIN, "30 */2 * * *", [f"29 {h:02}:30 {o}" for h, o in [(0, "+0100"), (4, "+0200")]]),
        (NEW_YORK, "30 2 * * *", ["08 03:00 -0400"]),
        (LORD_HOWE, "15 2 * * *", ["04 02:30 +1100"]),
        (LORD_HOWE, "0,45 2 * * *", ["04 02:30 +1100", "04 02:45 +1100"]),
        (CAIRO, "30 0 * * *", ["24 01:00 +0300"]),
        (CAIRO, "0 0 * * *", ["24 01:00 +0300"]),
    ],
)
def test_a_time_in_a_gap_comes_at_its_end(zone: str, cron: str, expected: list[str]) -> None:
    """A fixed time that is skipped comes once, when the gap ends; a step's is left out (faults D6)."""
    seen = walls(cron, zone, FORWARD[zone], 24)
    day = expected[0][:2]
    assert [wall for wall in seen if wall.startswith(day)][: len(expected)] == expected


@pytest.mark.parametrize(
    ("zone", "cron", "expected"),
    [
        (BERLIN, "30 2 * * *", ["25 02:30 +0200"]),
        (BERLIN, "0,30 2 * * *", ["25 02:00 +0200", "25 02:30 +0200"]),
        (BERLIN, "0 3 * * *", ["25 03:00 +0100"]),
        (NEW_YORK, "30 1 * * *", ["01 01:30 -0400"]),
        (LORD_HOWE, "45 1 * * *", ["05 01:45 +1100"]),
        (CAIRO, "30 23 29 * *", ["29 23:30 +0300"]),
    ],
)
def test_a_time_that_comes_twice_counts_once(zone: str, cron: str, expected: list[str]) -> None:
    """A fixed time of an overlap comes the first time only (faults D6)."""
    seen = walls(cron, zone, BACK[zone], 28)
    day = expected[0][:2]
    assert [wall for wall in seen if wall.startswith(day)] == expected


@pytest.mark.parametrize("zone", sorted(FORWARD))
@pytest.mark.parametrize("when", ["forward", "back"])
@pytest.mark.parametrize(
    ("cron", "minutes"), [("* * * * *", 1), ("*/15 * * * *", 15), ("*/5 * * * *", 5)]
)
def test_every_so_many_minutes_never_pauses(zone: str, when: str, cron: str, minutes: int) -> None:
    """An expression that follows the wall comes evenly through gap and overlap (faults D6)."""
    start = (FORWARD if when == "forward" else BACK)[zone]
    place = ZoneInfo(zone)
    tick = read_cron(cron).next_after(from_datetime(start), place)
    for _ in range(30 * 60 // minutes):
        assert tick is not None
        following = read_cron(cron).next_after(tick, place)
        assert following is not None
        assert following - tick == minutes * MINUTE_US
        tick = following


@pytest.mark.parametrize("zone", [BERLIN, NEW_YORK, CAIRO])
def test_hourly_comes_each_hour_that_there_is(zone: str) -> None:
    """``0 * * * *`` has 23 ticks on the short day and 25 on the long one (faults D6)."""
    place = ZoneInfo(zone)
    for starts, count in ((FORWARD, 23), (BACK, 25)):
        day = (starts[zone] + timedelta(hours=12)).astimezone(place).date()
        days = [day + timedelta(days=n) for n in (-1, 0, 1)]
        assert count in [len(odd_day(read_cron("0 * * * *"), one, place)) for one in days]
        assert sum(len(odd_day(read_cron("30 4 * * *"), one, place)) for one in days) == 3


def test_a_day_that_never_was() -> None:
    """Samoa had no 30 December 2011: its noon came when the next day began (faults D6)."""
    seen = walls("0 12 * * *", APIA, datetime(2011, 12, 29, 0, tzinfo=UTC), 60)
    assert seen == ["29 12:00 -1000", "31 00:00 +1400", "31 12:00 +1400"]


FIELDS = st.tuples(
    st.sampled_from(["*", "*/7", "0", "30", "5,35", "15-45/10", "59"]),
    st.sampled_from(["*", "*/2", "0", "1", "2", "3", "1-3", "23", "0,2,5"]),
    st.sampled_from(["*", "1", "*/2", "28-31", "L"]),
    st.sampled_from(["*", "3,10", "4-11", "*/3"]),
    st.sampled_from(["*", "sun", "mon-fri", "0,6", "5#2", "6L"]),
)
CHANGES = [(zone, start) for table in (FORWARD, BACK) for zone, start in table.items()]


def by_counting(cron: str, zone: str, start: int, minutes: int) -> list[int]:
    """Look at every minute of a span, and return the ticks by the rule."""
    place, read = ZoneInfo(zone), Cron(cron)
    times = set(read.minutes)
    found: set[int] = set()
    seen: set[datetime] = set()
    last: datetime | None = None
    for number in range(minutes):
        instant = start + number * MINUTE_US
        wall = to_datetime(instant).astimezone(place).replace(tzinfo=None)
        shown = [wall]
        if read.is_fixed and last is not None:
            # What was skipped comes now.
            skipped = last + timedelta(minutes=1)
            while skipped < wall:
                shown.append(skipped)
                skipped += timedelta(minutes=1)
        for each in shown:
            is_new = each not in seen or not read.is_fixed
            if is_new and each.hour * 60 + each.minute in times and read.comes_on(each.date()):
                found.add(instant)
            seen.add(each)
        last = wall
    return sorted(found)


@settings(max_examples=60)
@given(fields=FIELDS, change=st.sampled_from(CHANGES), offset=st.integers(0, 1_500))
def test_ticks_are_those_that_counting_finds(
    fields: tuple[str, ...], change: tuple[str, datetime], offset: int
) -> None:
    """Around every clock change the ticks are those of the rule, found minute by minute (faults D6)."""
    zone, at = change
    cron = " ".join(fields)
    begin = from_datetime(at) - DAY_US
    counted = by_counting(cron, zone, begin, 3 * 24 * 60)
    start = begin + DAY_US // 2 + offset * MINUTE_US
    end = start + DAY_US
    found: list[int] = []
    tick = read_cron(cron).next_after(start, ZoneInfo(zone))
    while tick is not None and tick < end:
        found.append(tick)
        tick = read_cron(cron).next_after(tick, ZoneInfo(zone))
    assert found == [instant for instant in counted if start < instant < end]


@given(fields=FIELDS, change=st.sampled_from(CHANGES), offset=st.integers(0, 3_000))
def test_back_is_the_way_forward(
    fields: tuple[str, ...], change: tuple[str, datetime], offset: int
) -> None:
    """The last tick until an instant is the one that comes before its next (I19)."""
    zone, at = change
    cron, place = read_cron(" ".join(fields)), ZoneInfo(zone)
    instant = from_datetime(at) + offset * MINUTE_US
    last = cron.last_until(instant, place)
    if last is not None:
        assert last <= instant
        following = cron.next_after(last, place)
        assert following is None or following > instant
        assert cron.next_after(last - 1, place) == last


@given(fields=FIELDS, days=st.integers(0, 20_000))
def test_without_clock_changes_it_is_the_library_s(fields: tuple[str, ...], days: int) -> None:
    """In UTC the next tick is that of the library which reads the expression."""
    start = datetime(1990, 1, 1, tzinfo=UTC) + timedelta(days=days, minutes=days)
    cron = " ".join(fields)
    tick = read_cron(cron).next_after(from_datetime(start), ZoneInfo("UTC"))
    assert tick == from_datetime(next(CronSim(cron, start)))


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("@hourly", "0 * * * *"),
        ("@Daily", "0 0 * * *"),
        ("@midnight", "0 0 * * *"),
        ("@weekly", "0 0 * * 0"),
        ("@monthly", "0 0 1 * *"),
        ("@yearly", "0 0 1 1 *"),
        ("@annually", "0 0 1 1 *"),
        (" 0  3 * * MON ", "0 3 * * mon"),
    ],
)
def test_names_stand_for_expressions(text: str, same: str) -> None:
    """A name means what it says, and case and blanks nothing."""
    at, place = from_datetime(datetime(2026, 5, 5, tzinfo=UTC)), ZoneInfo(BERLIN)
    assert read_cron(text).next_after(at, place) == read_cron(same).next_after(at, place)


@pytest.mark.parametrize(
    "text",
    ["", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * 31 2 *", "x",
     "@every 5m", "* * * * 8", "*/0 * * * *", "5-1 * * * *", "1,, * * * *", "-1 * * * *"],
)  # fmt: skip
def test_what_is_no_expression_is_refused(text: str) -> None:
    """An expression that cannot be read is refused where it stands (§1)."""
    with pytest.raises(InvalidInput) as refused:
        Cron(text)
    assert refused.value.pointer == "/cron"


def test_never_is_found_out() -> None:
    """An expression that comes on no day for fifty years never comes."""
    at, place = from_datetime(datetime(2026, 1, 1, tzinfo=UTC)), ZoneInfo("UTC")
    assert read_cron("0 0 */30 2 1L").next_after(at, place) is None
    leap = read_cron("0 0 29 2 *").next_after(at, place)
    assert leap == from_datetime(datetime(2028, 2, 29, tzinfo=UTC))
