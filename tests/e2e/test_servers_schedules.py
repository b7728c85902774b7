"""Schedules on two real servers: no leader, one job a tick, and the other goes on alone (I19)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import msgspec

from tests.e2e.doors import Door, Pair
from tests.e2e.server_process import ACTORQ, Server

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PATIENCE_S: Final = 20.0
NEW: Final = {"job": {"queue_name": "ticks", "payload": "x"}, "every": 1, "catch_up": "all"}


class Made(msgspec.Struct):
    """What is read of a job that a schedule made."""

    tick: datetime
    schedule: str


class Listed(msgspec.Struct):
    """A page of such jobs."""

    jobs: list[Made]


def ticks(door: Door) -> list[datetime]:
    """Return for which ticks there are jobs, the earliest first."""
    answer = door.ask("GET", "/jobs?queue=ticks&limit=200")
    assert answer.status == 200, answer
    return sorted(job.tick for job in msgspec.convert(answer.body, Listed).jobs)


def test_two_servers_fire_each_tick_once(place: Mapping[str, str], tmp_path: Path) -> None:
    """Both see to the schedule, each tick has one job, and the death of one skips none (I19)."""
    with Server(tmp_path, *ACTORQ, settings=place) as first:
        with Server(tmp_path, *ACTORQ, settings=place) as second:
            pair = Pair.of([first.url(), second.url()])
            assert pair.there.ask("PUT", "/schedules/s", NEW).status == 201
            pair.here.wait_until("ticks", lambda f: f.pending >= 2, PATIENCE_S)
        pair.here.wait_until("ticks", lambda f: f.pending >= 4, PATIENCE_S)
        assert pair.here.ask("POST", "/schedules/s/pause").status == 200
        seen = ticks(pair.here)
    assert seen == [seen[0] + timedelta(seconds=n) for n in range(len(seen))]
