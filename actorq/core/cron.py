"""Cron expressions: the instants at which they come due in a time zone, clock changes included.

The expression is read by a library; where its times lie on the real line is reckoned here, a calendar
day at a time, so that every zone has the same rule (docs/how-to/schedules.md):

- An expression with fixed times (neither its minutes nor its hours begin with ``*``) keeps its number of
  runs a day. A time that is skipped when clocks go forward comes when the gap ends; a time
  that happens twice when they go back comes the first time.
- Any other follows the clock on the wall: it comes at each minute that matches, as often as that minute
  happens. So one that comes every minute never pauses, and never stands still for an hour.
"""

from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from actorq.core.instants import LATEST_US, SECOND_US
from actorq.errors import InvalidInput

HORIZON_DAYS: Final = 50 * 366
"""How far ahead a next tick is looked for; what has none by then is taken for never."""

FIELDS: Final = 5
"""Minute, hour, day of the month, month, day of the week."""

_MINUTE_US: Final = 60 * SECOND_US
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY: Final = timedelta(days=1)
_NAMES: Final = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_LAST_DAY: Final = date(9990, 1, 1)


class Cron:
    """One expression: on which days it comes, and at which minutes of them."""

    def __init__(self, text: str) -> None:
        """Read ``text``; raises ``InvalidInput`` at ``/cron``."""
        fields = _NAMES.get(text.strip().lower(), text).split()
        if len(fields) != FIELDS:
            raise InvalidInput(
                "/cron",
                "must have five fields (minute, hour, day of month, month, day of week) or be a "
                f"name like @daily: it has {len(fields)}",
            )
        try:
            read = CronSim(" ".join(fields), datetime(2000, 1, 1, tzinfo=UTC))
        except CronSimError as error:
            raise InvalidInput("/cron", str(error).lower()) from None
        self._read = read
        self.minutes = sorted(60 * hour + minute for hour in read.hours for minute in read.minutes)
        """Minutes of a day, counted from its midnight."""
        self.is_fixed = not any(field.startswith("*") for field in fields[:2])

    def comes_on(self, day: date) -> bool:
        """Tell whether a day of the calendar matches."""
        return day.month in self._read.months and self._read.match_day(day)

    def next_after(self, instant: int, zone: ZoneInfo) -> int | None:
        """Return the first tick after ``instant``; None if there is none for fifty years."""
        # A day earlier than that of the wall: there what a gap has pushed on may still come.
        for day in _days(_day_of(instant, zone) - _DAY, 1):
            if self.comes_on(day):
                tick = self._first_after(day, zone, instant)
                if tick is not None:
                    return tick if tick <= LATEST_US else None
        return None

    def last_until(self, instant: int, zone: ZoneInfo) -> int | None:
        """Return the last tick that is not after ``instant``."""
        found: int | None = None
        first = _day_of(instant, zone)
        for day in _days(first + _DAY, -1):
            if self.comes_on(day):
                found = max(self._last_until(day, zone, instant) or 0, found or 0) or None
            # A gap may push a tick beyond those of the day that follows: no further than that.
            if found is not None and day < first:
                break
        return found

    def _first_after(self, day: date, zone: ZoneInfo, instant: int) -> int | None:
        midnight = _midnight(day, zone)
        if midnight is None:
            ticks = odd_day(self, day, zone)
            place = bisect_right(ticks, instant)
            return ticks[place] if place < len(ticks) else None
        place = bisect_right(self.minutes, (instant - midnight) // _MINUTE_US)
        return midnight + self.minutes[place] * _MINUTE_US if place < len(self.minutes) else None

    def _last_until(self, day: date, zone: ZoneInfo, instant: int) -> int | None:
        midnight = _midnight(day, zone)
        if midnight is None:
            ticks = odd_day(self, day, zone)
            place = bisect_right(ticks, instant)
            return ticks[place - 1] if place else None
        place = bisect_right(self.minutes, (instant - midnight) // _MINUTE_US)
        return midnight + self.minutes[place - 1] * _MINUTE_US if place else None


@lru_cache(maxsize=256)
def odd_day(cron: Cron, day: date, zone: ZoneInfo) -> list[int]:
    """Return the ticks of a matching day on which clocks may change, in order."""
    fits = _fixed if cron.is_fixed else _real
    return sorted({tick for minute in cron.minutes for tick in fits(_wall(day, minute, zone))})


@lru_cache(maxsize=1_024)
def read_cron(text: str) -> Cron:
    """Read an expression; raises ``InvalidInput`` at ``/cron``."""
    return Cron(text)


def _days(day: date, step: int) -> Iterator[date]:
    """Go through the calendar from ``day`` on, forwards or back, as far as it is looked at."""
    for _ in range(HORIZON_DAYS):
        if not date(1969, 1, 1) < day < _LAST_DAY:
            return
        yield day
        day += step * _DAY


def _day_of(instant: int, zone: ZoneInfo) -> date:
    return (_EPOCH + timedelta(microseconds=instant)).astimezone(zone).date()


def _wall(day: date, minute: int, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=zone)


def _instant(wall: datetime) -> int:
    # Through UTC: between two times of one zone the standard library subtracts what the clocks show.
    return (wall.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1)


@lru_cache(maxsize=4_096)
def _midnight(day: date, zone: ZoneInfo) -> int | None:
    """Return the instant at which a day begins; None if clocks change within it."""
    begin, end = _wall(day, 0, zone), _wall(day + _DAY, 0, zone)
    return _instant(begin) if begin.utcoffset() == end.utcoffset() else None


def _is_real(wall: datetime) -> bool:
    back = wall.astimezone(UTC).astimezone(wall.tzinfo)
    return back.replace(tzinfo=None) == wall.replace(tzinfo=None)


def _fixed(wall: datetime) -> list[int]:
    """Return the one instant of a fixed time: the first, or the end of the gap that it falls into."""
    while not _is_real(wall):
        wall += timedelta(minutes=1)
    return [_instant(wall)]


def _real(wall: datetime) -> list[int]:
    """Return every instant at which the clock on the wall shows this: none, one or two."""
    passes = (wall, wall.replace(fold=1))
    return [_instant(each) for each in passes if _is_real(each)]
