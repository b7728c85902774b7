"""Instants and durations: integers of microseconds inside, RFC 3339 and seconds outside.

An *instant* is an ``int`` of microseconds since the Unix epoch, on the store's clock. A *duration*
is a ``float`` of seconds. Text is parsed and made here and nowhere else.
"""

import math
import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from actorq.errors import InvalidInput

SECOND_US = 1_000_000
"""Microseconds in a second."""

LATEST_US = 253_402_300_799 * SECOND_US
"""The end of the year 9999: RFC 3339 has no later instant."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
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


def format_instant(instant: int) -> str:
    """Write an instant as RFC 3339 in UTC, always with six decimals and ``Z``."""
    second, micros = divmod(instant, SECOND_US)
    return f"{_whole_second(second)}.{micros:06d}Z"


def parse_instant(text: str, pointer: str) -> int:
    """Read an RFC 3339 instant with an offset; raise ``InvalidInput`` at ``pointer`` otherwise."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(
            pointer, "must be an RFC 3339 instant like 2026-01-31T12:00:00Z"
        ) from None
    if moment.tzinfo is None:
        raise InvalidInput(pointer, "must say its offset from UTC, for example by a final Z")
    instant = (moment - _EPOCH) // timedelta(microseconds=1)
    return check_instant(instant, pointer)


def check_instant(instant: int, pointer: str) -> int:
    """Return ``instant`` if it lies between 1970 and 9999; raise ``InvalidInput`` otherwise."""
    if not 0 <= instant <= LATEST_US:
        raise InvalidInput(pointer, "must lie between the years 1970 and 9999")
    return instant


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
    if isinstance(value, bool) or not math.isfinite(value) or value < 0:
        raise InvalidInput(pointer, "must be a finite number of seconds, 0 or more")
    return float(value)
