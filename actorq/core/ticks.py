"""Ticks: when a schedule comes due, by cron expression or by interval. Pure: no clock in here."""

import re
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from actorq.core import bounds
from actorq.core.cron import read_cron
from actorq.core.instants import check_instant, to_us
from actorq.errors import InvalidInput

MIN_EVERY_S: Final = 1.0
MAX_EVERY_S: Final = 366 * 86_400.0
MAX_CRON: Final = 255
MAX_ZONE: Final = 64

ZONE_FORM: Final = r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*"
"""What the name of a time zone may be, whole, as a regular expression."""

_ZONE: Final = re.compile(ZONE_FORM, re.ASCII)
_NOT_A_ZONE: Final = frozenset({"localtime", "posixrules", "Factory"})
"""Files beside those of zones, which mean something else on each machine."""


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """When a schedule comes due: by exactly one of ``cron`` and ``every`` (seconds).

    ``zone`` is the time zone of the expression's clock. No tick comes before ``starts_at``
    nor after ``ends_at`` (instants); an interval counts from ``starts_at``, which is then its first tick.
    """

    cron: str | None = None
    every: float | None = None
    zone: str = "UTC"
    starts_at: int | None = None
    ends_at: int | None = None


def next_tick(timing: Timing, anchor: int, after: int) -> int | None:
    """Return the first tick after the instant ``after``; None when none will come.

    ``anchor`` is the instant from which an interval counts. Raises ``InvalidInput`` when this
    machine does not know the time zone.
    """
    if timing.starts_at is not None:
        after = max(after, timing.starts_at - 1)
    if timing.every is not None:
        step = to_us(timing.every)
        tick: int | None = anchor + max(0, (after - anchor) // step + 1) * step
    else:
        tick = read_cron(timing.cron or "").next_after(after, find_zone(timing.zone))
    if tick is None or (timing.ends_at is not None and tick > timing.ends_at):
        return None
    return tick


def last_tick(timing: Timing, anchor: int, until: int) -> int | None:
    """Return the last tick that is not after the instant ``until``, None if there was none."""
    if timing.ends_at is not None:
        until = min(until, timing.ends_at)
    if timing.every is not None:
        step = to_us(timing.every)
        tick: int | None = anchor + (until - anchor) // step * step if until >= anchor else None
    else:
        tick = read_cron(timing.cron or "").last_until(until, find_zone(timing.zone))
    if tick is None or (timing.starts_at is not None and tick < timing.starts_at):
        return None
    return tick


def next_ticks(timing: Timing, anchor: int, after: int, count: int) -> list[int]:
    """Return the next ``count`` ticks after an instant, or as many as will come."""
    found: list[int] = []
    tick = next_tick(timing, anchor, after)
    while tick is not None and len(found) < count:
        found.append(tick)
        tick = next_tick(timing, anchor, tick)
    return found


def check_timing(timing: Timing) -> Timing:
    """Return a timing that every server can reckon with; raises ``InvalidInput``."""
    if (timing.cron is None) == (timing.every is None):
        raise InvalidInput("/cron", "or every: say one of them, and not both")
    if timing.every is not None:
        every = bounds.seconds(timing.every, "/every", least=MIN_EVERY_S, most=MAX_EVERY_S)
        timing = msgspec.structs.replace(timing, every=every)
    if timing.cron is not None:
        read_cron(bounds.text(timing.cron, "/cron", longest=MAX_CRON))
    find_zone(bounds.text(timing.zone, "/zone", longest=MAX_ZONE))
    for name in ("starts_at", "ends_at"):
        instant: object = getattr(timing, name)
        if instant is not None:
            check_instant(instant, f"/{name}")
    starts_at, ends_at = timing.starts_at, timing.ends_at
    if starts_at is not None and ends_at is not None and ends_at < starts_at:
        raise InvalidInput("/ends_at", "must not be before starts_at")
    return timing


@lru_cache(maxsize=1_024)
def find_zone(name: str) -> ZoneInfo:
    """Return a time zone by its IANA name; raises ``InvalidInput`` at ``/zone`` for an unknown one."""
    first = name.partition("/")[0]
    if _ZONE.fullmatch(name) and name not in _NOT_A_ZONE and first not in {"posix", "right"}:
        try:
            return ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            # No such file, or one that is no zone.
            pass
    raise InvalidInput("/zone", "must be a time zone's IANA name, such as Europe/Berlin")
