"""Schedules over HTTP that are refused: unknown, wrong, or without a tick to come."""

from __future__ import annotations

import pytest

from tests.http.door import open_door
from tests.http.scheduled import JOB, NIGHTLY


@pytest.mark.parametrize(
    ("method", "tail"),
    [
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("POST", "/pause"),
        ("POST", "/resume"),
        ("POST", "/run"),
        ("GET", "/ticks"),
    ],
)
async def test_an_unknown_schedule_is_not_found(method: str, tail: str) -> None:
    """404 for a name that no schedule has, 422 for one that none can have (§9)."""
    async with open_door() as door:
        body: dict[str, object] | None = {} if method == "PATCH" else None
        answer = await door.call(method, f"/schedules/none{tail}", body)
        answer.problem(404, "schedule_not_found")
        answer = await door.call(method, f"/schedules/no%20name{tail}", body)
        assert answer.places() == ["/name"]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"job": {"payload": "x"}}, "/job/queue_name"),
        ({"job": {**JOB, "priority": 2**31}}, "/job/priority"),
        ({"job": {**JOB, "delay": 5}}, "/job/delay"),
        ({"job": {**JOB, "payload": {}}}, "/job/payload"),
        ({"cron": "61 * * * *"}, "/cron"),
        ({"cron": None}, "/cron"),
        ({"every": "1h"}, "/cron"),
        ({"cron": None, "every": "often"}, "/every"),
        ({"zone": "Mars/Base"}, "/zone"),
        ({"starts_at": "soon"}, "/starts_at"),
        ({"ends_at": "2026-01-01T00:00:00"}, "/ends_at"),
        ({"catch_up": "some"}, "/catch_up"),
        ({"catch_up_window": "40d"}, "/catch_up_window"),
        ({"name": "other"}, "/name"),
        ({"color": "red"}, "/color"),
    ],
)
async def test_what_is_wrong_is_named(change: dict[str, object], pointer: str) -> None:
    """422 with the place of what is wrong, and nothing is kept (§1, §9)."""
    async with open_door() as door:
        answer = await door.call("PUT", "/schedules/nightly", {**NIGHTLY, **change})
        assert answer.places() == [pointer]
        assert (await door.call("GET", "/schedules/nightly")).status == 404


async def test_a_timing_without_a_tick_is_refused() -> None:
    """A schedule that would never come due: 422 (§9)."""
    async with open_door() as door:
        body = {**NIGHTLY, "ends_at": "2025-01-01T00:00:00Z"}
        answer = await door.call("PUT", "/schedules/nightly", body)
        answer.problem(422, "invalid_input")
        (await door.call("POST", "/schedules", NIGHTLY)).problem(422, "invalid_input")
        tag = {"If-None-Match": '"1"'}
        answer = await door.call("PUT", "/schedules/nightly", NIGHTLY, headers=tag)
        answer.problem(422, "invalid_input")
