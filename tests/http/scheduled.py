"""What tests of schedules over HTTP share: a definition, and how a schedule is read and put."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from tests.http.door import Door
    from tests.http.shown import Answer

JOB = {"queue_name": "reports", "payload": "{}"}
NIGHTLY = {"job": JOB, "cron": "0 3 * * *", "zone": "Europe/Berlin"}


class MadeJob(msgspec.Struct):
    """What is read of the job that a schedule makes."""

    queue_name: str
    payload: str
    priority: int
    task: str | None
    backoff: dict[str, float]


class Shown(msgspec.Struct, forbid_unknown_fields=True):
    """A schedule, complete."""

    name: str
    job: MadeJob
    cron: str | None
    every: float | None
    zone: str
    starts_at: str | None
    ends_at: str | None
    catch_up: str
    catch_up_window: float
    paused: bool
    next_tick: str | None
    last_tick: str | None
    last_job_id: str | None
    fired: int
    declared: bool
    created_at: str
    updated_at: str
    version: int


def shown(answer: Answer, status: int = 200) -> Shown:
    """Read the schedule of an answer with this status."""
    assert answer.status == status, answer
    schedule = answer.read(Shown)
    assert answer.headers["etag"] == f'"{schedule.version}"'
    return schedule


async def put(door: Door, name: str = "nightly", **wish: object) -> Shown:
    """Define a schedule."""
    answer = await door.call("PUT", f"/schedules/{name}", {**NIGHTLY, **wish})
    return shown(answer, 201 if answer.status == 201 else 200)
