"""SIGTERM under load: nothing is lost, and no job is the worse for it (row A8; I1, I8)."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import msgspec
import pytest

from tests.e2e.history import History
from tests.e2e.judging import drain, read_all
from tests.e2e.load import QUEUE, Load
from tests.e2e.server_process import ACTORQ, PATIENCE_S, Server, call

if TYPE_CHECKING:
    from pathlib import Path

DOORS = [
    pytest.param({"EVENT_LOOP": "asyncio"}, id="hypercorn-asyncio"),
    pytest.param({"EVENT_LOOP": "trio"}, id="hypercorn-trio"),
    pytest.param({"HTTP_SERVER": "uvicorn"}, id="uvicorn"),
]
STOPS = 3
NOTES = 300
"""How much the clients have seen of a server when it is told to stop."""

HOUR_S = 3_600.0
"""No lease ends by itself within the test: what went into the void would never be finished."""


class Lived(msgspec.Struct):
    """What is read of a job that has ended."""

    id: str
    status: str
    attempt: int
    expiries: int
    interruptions: int
    retry_count: int
    errors: list[object]


class Page(msgspec.Struct):
    """What is read of a listing."""

    jobs: list[Lived]
    next: str | None = None


def lives(url: str) -> list[Lived]:
    """Return how every job of the queue has lived."""
    found: list[Lived] = []
    cursor = ""
    while True:
        _, answer = call(url, "GET", f"/jobs?queue_name={QUEUE}&limit=200{cursor}")
        page = msgspec.convert(answer, Page)
        found += page.jobs
        if page.next is None:
            return found
        cursor = f"&cursor={page.next}"


@pytest.mark.parametrize("door", DOORS)
def test_a_stop_under_load_costs_nothing(tmp_path: Path, door: dict[str, str]) -> None:
    """Stopped among waiting and working clients: exit 0, each job done once, no retry spent (A8)."""
    history = History()
    load = Load(history, visibility=HOUR_S)
    settings = {**door, "LOG_LEVEL": "warning"}
    load.produce()
    load.consume("worker")
    try:
        for _ in range(STOPS):
            with Server(tmp_path, *ACTORQ, settings=settings) as server:
                load.address.set(server.url())
                history.wait_for_more(NOTES, PATIENCE_S)
                load.address.set(None)
                server.send(signal.SIGTERM)
                code, events = server.end()
                assert (code, events) == (0, [])
        with Server(tmp_path, *ACTORQ, settings=settings) as server:
            url = server.url()
            # Whoever held a job when its server went away is done with it on the next one.
            load.address.set(url)
            load.enough()
            drain(url, history)
            history.judge(read_all(url))
            jobs = lives(url)
    finally:
        load.end()
    assert len(jobs) == len(history.accepted)
    for job in jobs:
        assert (job.status, job.expiries, job.retry_count, job.errors) == ("completed", 0, 0, [])
        assert job.attempt == job.interruptions + 1
