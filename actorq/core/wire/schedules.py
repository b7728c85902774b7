"""Schedules on the wire: the bodies that define them, and how they are shown."""

from typing import Annotated, Final, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

from actorq.core import schedule_intake, ticks
from actorq.core.instants import format_instant, parse_duration, parse_instant
from actorq.core.job import Backoff, NewJob, OnDuplicate
from actorq.core.policy import DAY_S, Policy
from actorq.core.schedule import CatchUp, NewSchedule, Schedule
from actorq.core.ticks import Timing
from actorq.core.wire import fields as f
from actorq.core.wire.bodies import (
    USUAL_DELIVERY,
    USUAL_ON_DUPLICATE,
    BackoffBody,
    EnqueueBody,
    duration,
)
from actorq.core.wire.requests import new_job
from actorq.core.wire.views import DeliveryName, Instant, MaybeInstant
from actorq.errors import InvalidInput

T = TypeVar("T")

_EVERY: Final = {"minimum": ticks.MIN_EVERY_S, "maximum": ticks.MAX_EVERY_S, "minLength": 1}
_CRON_TEXT: Final = Meta(
    description="Minute, hour, day of the month, month and day of the week, or a name like @daily.",
    extra_json_schema={"minLength": 1, "maxLength": ticks.MAX_CRON, "examples": ["0 3 * * *"]},
)
_EVERY_TEXT: Final = Meta(
    description='Instead of cron: from tick to tick, 1 s to 366 days, like 90 or "1h30m".',
    extra_json_schema={**_EVERY, "examples": ["5m"]},
)
_ZONE_TEXT: Final = Meta(
    description="The IANA name of the time zone in which the expression is read.",
    extra_json_schema={
        "minLength": 1,
        "maxLength": ticks.MAX_ZONE,
        "pattern": f"^{ticks.ZONE_FORM}$",
        "examples": ["Europe/Berlin"],
    },
)
_CATCH_UP_TEXT: Final = Meta(
    description="Which ticks are made up for that passed while no server was there.",
    extra_json_schema={"enum": [*CatchUp]},
)
_WINDOW_TEXT: Final = Meta(
    description="How late a tick is made up for, at most.",
    extra_json_schema={
        "minimum": 0,
        "maximum": schedule_intake.MAX_WINDOW_S,
        "minLength": 1,
        "examples": ["6h"],
    },
)
_NAME_TEXT: Final = Meta(
    description="The schedule's name.", extra_json_schema={"pattern": f.QUEUE_NAME_PATTERN}
)
OnDuplicateName = Annotated[str, Meta(extra_json_schema={"enum": [*OnDuplicate]})]


class _Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A JSON object that holds no member beyond those that it knows."""


class ScheduledJobBody(_Body, frozen=True):
    """The job that each tick makes: a job's body, without what a schedule itself says."""

    payload: f.Payload
    queue_name: f.MaybeQueueName = None
    queue: f.MaybeQueueName = None
    priority: f.Priority = 0
    max_retries: f.MaxRetries = 3
    delivery: f.DeliveryName = USUAL_DELIVERY
    metadata: f.MaybeMetadata = None
    task: f.MaybeTask = None
    backoff: BackoffBody | None = None
    timeout: f.MaybeSeconds = None
    dedupe_key: f.MaybeDedupeKey = None
    dedupe_window: f.MaybeSeconds = None
    on_duplicate: f.OnDuplicateName = USUAL_ON_DUPLICATE


class ScheduleBody(_Body, frozen=True):
    """A schedule, whole. ``name`` may be left out where the path says it."""

    job: ScheduledJobBody
    name: Annotated[str | None, _NAME_TEXT] = None
    cron: Annotated[str | None, _CRON_TEXT] = None
    every: Annotated[f.Duration | None, _EVERY_TEXT] = None
    zone: Annotated[str, _ZONE_TEXT] = "UTC"
    starts_at: f.MaybeInstant = None
    ends_at: f.MaybeInstant = None
    catch_up: Annotated[str, _CATCH_UP_TEXT] = CatchUp.LAST.value
    catch_up_window: Annotated[f.Duration, _WINDOW_TEXT] = DAY_S
    paused: bool = False
    declared: bool = False


class ScheduleEditBody(_Body, frozen=True):
    """Changes to a schedule; what is absent stays, and a ``job`` replaces the whole job."""

    job: ScheduledJobBody | UnsetType = UNSET
    cron: Annotated[str | UnsetType | None, _CRON_TEXT] = UNSET
    every: Annotated[f.Duration | UnsetType | None, _EVERY_TEXT] = UNSET
    zone: Annotated[str | UnsetType, _ZONE_TEXT] = UNSET
    starts_at: Annotated[str | UnsetType | None, f.INSTANT] = UNSET
    ends_at: Annotated[str | UnsetType | None, f.INSTANT] = UNSET
    catch_up: Annotated[str | UnsetType, _CATCH_UP_TEXT] = UNSET
    catch_up_window: Annotated[f.Duration | UnsetType, _WINDOW_TEXT] = UNSET
    paused: bool | UnsetType = UNSET


class ScheduledJobView(msgspec.Struct, frozen=True, kw_only=True):
    """The job that each tick makes."""

    queue_name: str
    payload: str
    priority: int
    max_retries: int
    delivery: DeliveryName
    metadata: dict[str, str]
    task: str | None
    backoff: Backoff
    timeout: float | None
    dedupe_key: str | None
    dedupe_window: float
    on_duplicate: OnDuplicateName


class ScheduleView(msgspec.Struct, frozen=True, kw_only=True):
    """A schedule as JSON shows it."""

    name: str
    job: ScheduledJobView
    cron: str | None
    every: float | None
    zone: str
    starts_at: MaybeInstant
    ends_at: MaybeInstant
    catch_up: Annotated[str, Meta(extra_json_schema={"enum": [*CatchUp]})]
    catch_up_window: float
    paused: bool
    next_tick: MaybeInstant
    last_tick: MaybeInstant
    last_job_id: str | None
    fired: int
    declared: bool
    created_at: Instant
    updated_at: Instant
    version: int


class SchedulesView(msgspec.Struct, frozen=True):
    """Some schedules, by name; ``next`` is the cursor of the next page, null at the end."""

    schedules: list[ScheduleView]
    next: str | None


class TicksView(msgspec.Struct, frozen=True):
    """When a schedule comes due."""

    ticks: list[Instant]


def new_schedule(body: ScheduleBody, name: str, policy: Policy) -> NewSchedule:
    """Return the definition that ``body`` asks for, under ``name``."""
    wanted = NewSchedule(
        name=name,
        job=_job(body.job, policy),
        timing=Timing(
            cron=body.cron,
            every=duration(body.every, "/every"),
            zone=body.zone,
            starts_at=_instant(body.starts_at, "/starts_at"),
            ends_at=_instant(body.ends_at, "/ends_at"),
        ),
        catch_up=schedule_intake.catch_up(body.catch_up),
        catch_up_window=parse_duration(body.catch_up_window, "/catch_up_window"),
        paused=body.paused,
    )
    return schedule_intake.check(wanted, policy)


def edited(body: ScheduleEditBody, before: NewSchedule, policy: Policy) -> NewSchedule:
    """Return a definition with the changes of ``body``; what replaces an interval ends it."""
    old = before.timing
    cron, every = body.cron, body.every
    if cron is not UNSET and every is UNSET and cron is not None:
        every = None
    elif every is not UNSET and cron is UNSET and every is not None:
        cron = None
    timing = Timing(
        cron=_or(cron, old.cron),
        every=old.every if isinstance(every, UnsetType) else duration(every, "/every"),
        zone=_or(body.zone, old.zone),
        starts_at=_instant_or(body.starts_at, "/starts_at", old.starts_at),
        ends_at=_instant_or(body.ends_at, "/ends_at", old.ends_at),
    )
    window = before.catch_up_window
    if not isinstance(body.catch_up_window, UnsetType):
        window = parse_duration(body.catch_up_window, "/catch_up_window")
    wanted = msgspec.structs.replace(
        before,
        job=before.job if isinstance(body.job, UnsetType) else _job(body.job, policy),
        timing=timing,
        catch_up=schedule_intake.catch_up(_or(body.catch_up, before.catch_up)),
        catch_up_window=window,
        paused=_or(body.paused, before.paused),
    )
    return schedule_intake.check(wanted, policy)


def schedule_view(schedule: Schedule) -> ScheduleView:
    """Show a schedule."""
    job, timing = schedule.job, schedule.timing
    shown = {name: getattr(job, name) for name in ScheduledJobView.__struct_fields__}
    return ScheduleView(
        name=schedule.name,
        job=ScheduledJobView(**shown),
        cron=timing.cron,
        every=timing.every,
        zone=timing.zone,
        starts_at=_shown(timing.starts_at),
        ends_at=_shown(timing.ends_at),
        catch_up=schedule.catch_up,
        catch_up_window=schedule.catch_up_window,
        paused=schedule.paused,
        next_tick=_shown(schedule.next_tick),
        last_tick=_shown(schedule.last_tick),
        last_job_id=schedule.last_job_id,
        fired=schedule.fired,
        declared=schedule.declared is not None,
        created_at=format_instant(schedule.created_at),
        updated_at=format_instant(schedule.updated_at),
        version=schedule.version,
    )


def _job(body: ScheduledJobBody, policy: Policy) -> NewJob:
    whole = EnqueueBody(**msgspec.structs.asdict(body))
    try:
        made = new_job(whole, "", policy, header_key=None, caller="")
    except InvalidInput as error:
        raise InvalidInput(f"/job{error.pointer}", error.message) from None
    # One in a store is read as the plain class, and two that are compared must be of one.
    return NewJob(**msgspec.structs.asdict(made))


def _instant(text: str | None, pointer: str) -> int | None:
    return None if text is None else parse_instant(text, pointer)


def _instant_or(text: str | UnsetType | None, pointer: str, old: int | None) -> int | None:
    return old if isinstance(text, UnsetType) else _instant(text, pointer)


def _or(new: T | UnsetType, old: T) -> T:
    return old if isinstance(new, UnsetType) else new


def _shown(instant: int | None) -> str | None:
    return None if instant is None else format_instant(instant)
