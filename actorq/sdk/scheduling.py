"""Schedules in code: a call of a task, and when it is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, TypedDict

from actorq.core import schedule_intake
from actorq.core.policy import DAY_S, Policy
from actorq.core.schedule import CatchUp
from actorq.errors import ActorqError, InvalidInput
from actorq.sdk.durations import Duration, Instant, instant, seconds
from actorq.sdk.errors import TaskError

if TYPE_CHECKING:
    from actorq.core.schedule import NewSchedule
    from actorq.sdk.task import Call

_POLICY: Final = Policy(max_payload_bytes=2**40)
"""The bounds that are checked here. How large a payload may be is the store's to say."""

_NOT_FOR_TICKS: Final = (
    "delay",
    "available_at",
    "expires_at",
    "idempotency_key",
    "depends_on",
    "on_parent_failure",
)


class ScheduleOptions(TypedDict, total=False):
    """Options of ``app.schedule``; one of ``cron`` and ``every`` is needed, the others may be left out.

    ``cron`` is five fields (minute, hour, day of month, month, day of week) or a name like ``@daily``, read
    in the time zone ``zone`` (an IANA name, UTC by default). ``every`` is a duration, 1 s to 366 days. No
    tick comes before ``starts_at`` nor after ``ends_at`` (moments). ``catch_up`` says which ticks are made up
    for that passed while no server was there, if they are no older than ``catch_up_window``: ``none``,
    ``last`` (the default, within a day) or ``all``. ``name`` is the schedule's, the task's by default.
    """

    name: str
    cron: str | None
    every: Duration | None
    zone: str
    starts_at: Instant | None
    ends_at: Instant | None
    catch_up: CatchUp | Literal["none", "last", "all"]
    catch_up_window: Duration
    paused: bool


def plan(call: Call[Any], options: ScheduleOptions) -> NewSchedule:
    """Return the definition that makes ``call`` at each of its ticks; raises ``TaskError``."""
    task = call.task.name
    try:
        return _planned(call, options)
    except ActorqError as error:
        raise TaskError(f"the schedule of task {task}: {error}") from None


def _planned(call: Call[Any], options: ScheduleOptions) -> NewSchedule:
    said: dict[str, Any] = dict(call.draft.options)
    for name in _NOT_FOR_TICKS:
        if said.pop(name, None) is not None:
            raise InvalidInput(f"/{name}", "is not for a call that is made again and again")
    every, window = options.get("every"), options.get("catch_up_window", DAY_S)
    starts_at, ends_at = options.get("starts_at"), options.get("ends_at")
    return schedule_intake.new_schedule(
        options.get("name", call.task.name),
        call.draft.queue_name,
        call.draft.payload,
        _POLICY,
        cron=options.get("cron"),
        every=None if every is None else seconds(every, "/every"),
        zone=options.get("zone", "UTC"),
        starts_at=None if starts_at is None else instant(starts_at, "/starts_at"),
        ends_at=None if ends_at is None else instant(ends_at, "/ends_at"),
        catch_up=options.get("catch_up", CatchUp.LAST),
        catch_up_window=seconds(window, "/catch_up_window"),
        paused=options.get("paused", False),
        **said,
    )
