"""Instants and durations: integers of microseconds inside, RFC 3339 and seconds outside.

An *instant* is an ``int`` of microseconds since the Unix epoch, on the store's clock. A *duration*
is a ``float`` of seconds. Text is parsed and made here and nowhere else.
"""

import re
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from actorq.errors import InvalidInput

SECOND_US = 1_000_000
"""Microseconds in a second."""

LATEST_US = 253_402_300_800 * SECOND_US - 1
"""The end of the year 9999: RFC 3339 has no later instant."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INSTANT = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_DURATION = re.compile(
    r"(?=[0-9.])(?:(\d{1,9}(?:\.\d{1,6})?)d)?(?:(\d{1,9}(?:\.\d{1,6})?)h)?"
    r"(?:(\d{1,9}(?:\.\d{1,6})?)m)?(?:(\d{1,12}(?:\.\d{1,6})?)s?)?",
    re.ASCII,
)
_UNIT_SECONDS = (86_400, 3_600, 60, 1)


def to_us(seconds: float) -> int:
    """Convert a duration in seconds to whole microseconds, rounded."""
    return round(seconds * SECOND_US)


@lru_cache(maxsize=4096)
def _whole_second(second: int) -> str:
    # Most instants of one batch share their second, so the costly half is made once.
    return (_EPOCH + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%S")


@lru_cache(maxsize=4096)
def format_instant(instant: int) -> str:
    """Write an instant as RFC 3339 in UTC, always with six decimals and ``Z``."""
    # A new job has the same one three times, and so have all that were written with it.
    second, micros = divmod(instant, SECOND_US)
    return f"{_whole_second(second)}.{micros:06d}Z"


def parse_instant(text: str, pointer: str) -> int:
    """Read an RFC 3339 instant; raise ``InvalidInput`` at ``pointer`` otherwise.

    Six decimals at most: the seventh could not be kept, and nothing is cut short silently.
    """
    moment: datetime | None = None
    if _INSTANT.fullmatch(text) is not None:
        # What has the form may still be no day, such as the 31st of April.
        with suppress(ValueError):
            moment = datetime.fromisoformat(text.upper())
    if moment is None:
        raise InvalidInput(
            pointer,
            "must be an RFC 3339 instant with its offset and at most six decimals, "
            "like 2026-01-31T12:00:00Z",
        )
    return check_instant(_since_epoch(moment), pointer)


def _since_epoch(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def check_instant(instant: object, pointer: str) -> int:
    """Return ``instant`` if it lies between 1970 and 9999; raise ``InvalidInput`` otherwise."""
    if not isinstance(instant, int) or isinstance(instant, bool):
        raise InvalidInput(
            pointer,
            "must be whole microseconds since the Unix epoch: actorq.from_datetime makes them",
        )
    if not 0 <= instant <= LATEST_US:
        raise InvalidInput(pointer, "must lie between the years 1970 and 9999")
    return instant


def from_datetime(moment: datetime) -> int:
    """Return the instant of ``moment``, which must say its offset from UTC."""
    if moment.tzinfo is None or moment.utcoffset() is None:
        raise InvalidInput("/datetime", "must have a time zone: datetime.now(UTC), not now()")
    return check_instant(_since_epoch(moment), "/datetime")


def to_datetime(instant: int) -> datetime:
    """Return the moment of an instant, in UTC."""
    return _EPOCH + timedelta(microseconds=instant)


def parse_duration(value: float | str, pointer: str) -> float:
    """Read a duration: seconds as a number, or text such as ``"300s"``, ``"5m"``, ``"1h30m"``.

    Returns seconds, finite and not negative. Raises ``InvalidInput`` at ``pointer`` otherwise.
    """
    if isinstance(value, str):
        match = _DURATION.fullmatch(value.strip())
        if match is None or not any(match.groups()):
            raise InvalidInput(pointer, 'must be seconds, or text like "300s", "5m" or "1h30m"')
        groups = zip(match.groups(), _UNIT_SECONDS, strict=True)
        return sum(float(number) * unit for number, unit in groups if number)
    if isinstance(value, bool) or not 0 <= value <= sys.float_info.max:
        raise InvalidInput(pointer, "must be a finite number of seconds, 0 or more")
    return float(value)
