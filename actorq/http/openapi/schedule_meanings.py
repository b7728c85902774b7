"""What the fields of schedules mean: their types say only what may stand in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_TIMING: Final = {
    "starts_at": "No tick comes before; an interval counts from here.",
    "ends_at": "No tick comes after.",
    "paused": "It makes no jobs for now.",
}
_JOB: Final = {
    "queue": "The same as `queue_name`, shorter.",
    "backoff": "The delays between retries.",
    "timeout": "How long an attempt may take, for the worker to keep.",
    "dedupe_key": "With it a tick makes no job while one of the queue with this key waits or runs.",
    "dedupe_window": "How long the key is held at least, also beyond the job's life.",
}

SCHEDULE_MEANINGS: Final[Mapping[str, Mapping[str, str]]] = {
    "ScheduleBody": {
        **_TIMING,
        "job": "The job that each tick makes.",
        "declared": "With `PUT`: a program's code says so. It is taken over when the code says something "
        "else than it last did; until then edits stay, and a pause stays whatever the code says.",
    },
    "ScheduleEditBody": {**_TIMING, "job": "The job that each tick makes, whole."},
    "ScheduledJobBody": _JOB,
    "ScheduledJobView": {
        "queue_name": "The queue.",
        "payload": "The caller's text, as it was sent.",
        "priority": "Higher goes first.",
        "max_retries": "Retries after the first attempt.",
        "delivery": "How often the job may be started.",
        "metadata": "The caller's own notes.",
        "task": "The handler that is meant.",
        "backoff": "The delays between retries, in seconds.",
        "timeout": "How long an attempt may take, in seconds, for the worker to keep.",
        "dedupe_key": "At most one live job of the queue has this key.",
        "dedupe_window": "How long the key is held at least, in seconds.",
        "on_duplicate": "What a tick does that meets the key: nothing (return, reject), or replace.",
    },
    "ScheduleView": {
        **_TIMING,
        "name": "The schedule's name.",
        "job": "The job that each tick makes.",
        "cron": "When it comes due, unless `every` says so.",
        "every": "Seconds from tick to tick, unless `cron` says so.",
        "zone": "The time zone in which the expression is read.",
        "catch_up": "Which ticks are made up for that passed while no server was there.",
        "catch_up_window": "How late a tick is made up for at most, in seconds.",
        "next_tick": "When it comes due next; null while it is paused, and at its end.",
        "last_tick": "When it came due last.",
        "last_job_id": "The job of that tick.",
        "fired": "How many jobs its ticks have made.",
        "declared": "Whether a program's code declares it.",
        "created_at": "When it was made.",
        "updated_at": "When it was defined last.",
        "version": "Rises with every definition: the ETag.",
    },
    "SchedulesView": {
        "schedules": "By name.",
        "next": "The `cursor` of the next page; null at the end.",
    },
    "TicksView": {"ticks": "In order."},
}
"""By schema and field."""
