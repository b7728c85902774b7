"""The operations on schedules, as they are described."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from actorq import errors as e
from actorq.core import schedule_intake, ticks
from actorq.core.wire import bodies as b
from actorq.core.wire import schedules as s
from actorq.core.wire.fields import QUEUE_NAME_PATTERN
from actorq.core.wire.views import JobView
from actorq.http.openapi import examples as x
from actorq.http.openapi.operation import Answer, Operation, Parameter

if TYPE_CHECKING:
    from collections.abc import Mapping

_ETAG: Final = {"ETag": "The version of its definition; ticks leave it alone."}
_TAG: Final = {"type": "string", "pattern": '^"[0-9]{1,9}"$'}
_INSTANT: Final = {"type": "string", "format": "date-time"}

_NEW_JOB: Final = {"queue_name": "reports", "task": "report", "payload": '{"of": "yesterday"}'}
_NEW: Final = {"job": _NEW_JOB, "cron": "0 3 * * *", "zone": "Europe/Berlin"}
_SCHEDULE: Final[dict[str, object]] = {
    "name": "nightly-report",
    "job": {
        **_NEW_JOB,
        "priority": 0,
        "max_retries": 3,
        "delivery": "at_least_once",
        "metadata": {},
        "backoff": {"base": 1.0, "factor": 2.0, "max": 3600.0},
        "timeout": None,
        "dedupe_key": None,
        "dedupe_window": 0.0,
        "on_duplicate": "return",
    },
    "cron": "0 3 * * *",
    "every": None,
    "zone": "Europe/Berlin",
    "starts_at": None,
    "ends_at": None,
    "catch_up": "last",
    "catch_up_window": 86400.0,
    "paused": False,
    "next_tick": "2026-02-01T02:00:00.000000Z",
    "last_tick": "2026-01-31T02:00:00.000000Z",
    "last_job_id": x.JOB_ID,
    "fired": 31,
    "declared": False,
    "created_at": x.NOW,
    "updated_at": x.NOW,
    "version": 1,
}
_TICKS: Final = {"ticks": ["2026-02-01T02:00:00.000000Z", "2026-02-02T02:00:00.000000Z"]}
_MATCH: Final = Parameter(
    name="If-Match",
    about="The ETag of the definition that you mean to change.",
    schema=_TAG,
    place="header",
)
_COUNT: Final = Parameter(
    name="count",
    about="How many ticks.",
    schema={
        "type": "integer",
        "minimum": 1,
        "maximum": schedule_intake.MAX_TICKS,
        "default": 10,
    },
)


def _shown(about: str, example: object = _SCHEDULE) -> Mapping[int, Answer]:
    answer = Answer(about=about, views=(s.ScheduleView,), example=example, headers=_ETAG)
    return {200: answer}


_MADE: Final = Answer(
    about="The schedule.",
    views=(s.ScheduleView,),
    example=_SCHEDULE,
    headers={"Location": "Where the schedule is.", **_ETAG},
)
_COMING: Final = {200: Answer(about="The instants.", views=(s.TicksView,), example=_TICKS)}

SCHEDULES: Final[Mapping[tuple[str, str], Operation]] = {
    ("GET", "/schedules"): Operation(
        about="List schedules",
        parameters=(
            Parameter(
                name="limit",
                about="How many schedules at most.",
                schema={"type": "integer", "minimum": 1, "maximum": 200, "default": 50},
            ),
            Parameter(
                name="cursor",
                about="Where the last page ended: its `next`.",
                schema={"type": "string", "pattern": QUEUE_NAME_PATTERN},
            ),
        ),
        answers={
            200: Answer(
                about="A page of schedules, by name.",
                views=(s.SchedulesView,),
                example={"schedules": [_SCHEDULE], "next": None},
                headers={"Link": "The next page, if there is one."},
            )
        },
        refusals=(e.InvalidInput,),
    ),
    ("POST", "/schedules"): Operation(
        about="Make a schedule",
        details="The name must be free. What is there exactly so already is answered as if just made.",
        body=s.ScheduleBody,
        must=True,
        example={"name": "nightly-report", **_NEW},
        answers={201: _MADE},
        refusals=(e.ScheduleExists,),
    ),
    ("GET", "/schedules/{name}"): Operation(
        about="Show a schedule",
        answers=_shown("The schedule."),
        refusals=(e.ScheduleNotFound, e.InvalidInput),
    ),
    ("PUT", "/schedules/{name}"): Operation(
        about="Make a schedule, or define it anew",
        details="What is absent gets its default. `If-None-Match: *` makes one that is not there yet.",
        body=s.ScheduleBody,
        must=True,
        example=_NEW,
        parameters=(
            _MATCH,
            Parameter(
                name="If-None-Match",
                about="`*`: only if there is no schedule of this name.",
                schema={"type": "string", "enum": ["*"]},
                place="header",
            ),
        ),
        answers={**_shown("The schedule, defined anew."), 201: _MADE},
        refusals=(e.ScheduleNotFound, e.ScheduleExists, e.StaleVersion),
    ),
    ("PATCH", "/schedules/{name}"): Operation(
        about="Change some of a schedule",
        details="A `cron` takes the place of `every`, and the other way round.",
        body=s.ScheduleEditBody,
        must=True,
        example={"cron": "30 3 * * 1-5"},
        parameters=(_MATCH,),
        answers=_shown("The schedule.", {**_SCHEDULE, "cron": "30 3 * * 1-5", "version": 2}),
        refusals=(e.ScheduleNotFound, e.StaleVersion),
    ),
    ("DELETE", "/schedules/{name}"): Operation(
        about="Remove a schedule",
        details="The jobs that it made stay.",
        parameters=(_MATCH,),
        answers={200: Answer(about="What it was.", views=(s.ScheduleView,), example=_SCHEDULE)},
        refusals=(e.ScheduleNotFound, e.StaleVersion, e.InvalidInput),
    ),
    ("POST", "/schedules/{name}/pause"): Operation(
        about="Pause a schedule",
        details="Its ticks pass, and are not made up for.",
        body=b.EmptyBody,
        answers=_shown(
            "The schedule.", {**_SCHEDULE, "paused": True, "next_tick": None, "version": 2}
        ),
        refusals=(e.ScheduleNotFound,),
    ),
    ("POST", "/schedules/{name}/resume"): Operation(
        about="Resume a schedule",
        body=b.EmptyBody,
        answers=_shown("The schedule.", {**_SCHEDULE, "version": 3}),
        refusals=(e.ScheduleNotFound,),
    ),
    ("POST", "/schedules/{name}/run"): Operation(
        about="Make a schedule's job now",
        details="Beside its ticks, which come as they would have.",
        body=b.EmptyBody,
        answers={
            201: Answer(
                about="The job.",
                views=(JobView,),
                example={**x.JOB, "schedule": "nightly-report"},
                headers={"Location": "Where the job is.", "ETag": "The job's version."},
            )
        },
        refusals=(e.ScheduleNotFound, e.DuplicateJob, e.QueueFull),
    ),
    ("GET", "/schedules/{name}/ticks"): Operation(
        about="Show when a schedule comes due next",
        parameters=(_COUNT,),
        answers=_COMING,
        refusals=(e.ScheduleNotFound, e.InvalidInput),
    ),
    ("GET", "/ticks"): Operation(
        about="Try out a timing",
        details="When a schedule would come due that said this; exactly one of `cron` and `every`.",
        parameters=(
            Parameter(
                name="cron",
                about="Five fields, or a name like `@daily`.",
                schema={"type": "string", "minLength": 1, "maxLength": ticks.MAX_CRON},
            ),
            Parameter(
                name="every",
                about="A duration.",
                schema={
                    "type": "number",
                    "minimum": ticks.MIN_EVERY_S,
                    "maximum": ticks.MAX_EVERY_S,
                },
            ),
            Parameter(
                name="zone",
                about="A time zone's IANA name.",
                schema={
                    "type": "string",
                    "maxLength": ticks.MAX_ZONE,
                    "pattern": f"^{ticks.ZONE_FORM}$",
                },
            ),
            Parameter(name="starts_at", about="No tick before.", schema=_INSTANT),
            Parameter(name="ends_at", about="No tick after.", schema=_INSTANT),
            _COUNT,
        ),
        answers=_COMING,
        refusals=(e.InvalidInput,),
    ),
}
