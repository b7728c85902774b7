"""Defining schedules: what a change makes of a record, or why it is refused; pure, for every store."""

from typing import NamedTuple, assert_never

from msgspec.structs import replace

from actorq.core.schedule import (
    DeclareSchedule,
    DeleteSchedule,
    NewSchedule,
    PauseSchedule,
    PutSchedule,
    Schedule,
    ScheduleChange,
    digest,
)
from actorq.core.ticks import next_tick
from actorq.errors import ActorqError, InvalidInput, ScheduleExists, ScheduleNotFound, StaleSchedule


class Changed(NamedTuple):
    """What is there afterwards (None: nothing), and what the caller is told."""

    after: Schedule | None
    answer: Schedule | ActorqError


def change(before: Schedule | None, wish: ScheduleChange, now: int) -> Changed:
    """Decide one change at the store's instant ``now``. What it leaves alone is the same object."""
    match wish:
        case PutSchedule():
            return _put(before, wish, now)
        case DeclareSchedule():
            return _declare(before, wish.new, now)
        case PauseSchedule():
            return _pause(before, wish, now)
        case DeleteSchedule():
            return _delete(before, wish)
        case _:
            assert_never(wish)


def _put(before: Schedule | None, wish: PutSchedule, now: int) -> Changed:
    # What is there as it is wanted has been put already: a repeat of this very call, perhaps.
    if before is not None and before.definition == wish.new:
        return Changed(before, before)
    if before is None and wish.version is not None:
        return Changed(before, ScheduleNotFound(wish.name))
    if before is not None and wish.must_be_new:
        return Changed(before, ScheduleExists(wish.name))
    if before is not None and wish.version not in {None, before.version}:
        return Changed(before, StaleSchedule(wish.name, before.version))
    return _define(before, wish.new, now)


def _declare(before: Schedule | None, new: NewSchedule, now: int) -> Changed:
    declared = digest(new)
    if before is not None:
        if before.declared == declared:
            return Changed(before, before)
        # Whoever paused it had a reason that a new version of the code does not know.
        new = replace(new, paused=before.paused)
    changed = _define(before, new, now)
    if changed.after is None:
        return changed
    after = replace(changed.after, declared=declared)
    return Changed(after, after)


def _pause(before: Schedule | None, wish: PauseSchedule, now: int) -> Changed:
    if before is None:
        return Changed(None, ScheduleNotFound(wish.name))
    if before.paused is wish.paused:
        return Changed(before, before)
    return _define(before, replace(before.definition, paused=wish.paused), now)


def _delete(before: Schedule | None, wish: DeleteSchedule) -> Changed:
    if before is None:
        return Changed(None, ScheduleNotFound(wish.name))
    if wish.version not in {None, before.version}:
        return Changed(before, StaleSchedule(wish.name, before.version))
    return Changed(None, before)


def _define(before: Schedule | None, new: NewSchedule, now: int) -> Changed:
    """Make the record of a definition: new, or in the place of ``before``."""
    try:
        after = _made(new, now) if before is None else _replaced(before, new, now)
    except InvalidInput as error:
        return Changed(before, error)
    is_new = before is None or before.timing != new.timing
    if is_new and after.next_tick is None and not after.paused:
        return Changed(before, InvalidInput("", "has no tick that is still to come"))
    return Changed(after, after)


def _made(new: NewSchedule, now: int) -> Schedule:
    timing = new.timing
    anchor = now if timing.starts_at is None else timing.starts_at
    return Schedule(
        name=new.name,
        job=new.job,
        timing=timing,
        catch_up=new.catch_up,
        catch_up_window=new.catch_up_window,
        paused=new.paused,
        anchor=anchor,
        next_tick=None if new.paused else next_tick(timing, anchor, now),
        created_at=now,
        updated_at=now,
    )


def _replaced(before: Schedule, new: NewSchedule, now: int) -> Schedule:
    timing, anchor = new.timing, before.anchor
    if timing.starts_at is not None:
        anchor = timing.starts_at
    elif timing.every != before.timing.every or before.timing.starts_at is not None:
        anchor = now
    next_at = before.next_tick
    if new.paused:
        next_at = None
    elif before.paused or timing != before.timing:
        # What has not fired of the old timing does not; and no tick fires twice, whatever the clock does.
        next_at = next_tick(timing, anchor, max(now, before.last_tick or 0))
    return replace(
        before,
        job=new.job,
        timing=timing,
        catch_up=new.catch_up,
        catch_up_window=new.catch_up_window,
        paused=new.paused,
        anchor=anchor,
        next_tick=next_at,
        held_until=None,
        updated_at=max(now, before.updated_at),
        version=before.version + 1,
    )
