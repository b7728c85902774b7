"""SIGTERM under load: nothing is lost, and no job is the worse for it (row A8; I1, I8)."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from tests.e2e.history import History
from tests.e2e.judging import drain, judge
from tests.e2e.load import Load
from tests.e2e.server_process import ACTORQ, PATIENCE_S, Server

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
            load.end()
            jobs = judge(url, history)
    finally:
        load.end()
    assert len(jobs) == len(history.accepted)
    for job in jobs.values():
        assert (job.status, job.expiries, job.retry_count, job.errors) == ("completed", 0, 0, [])
        assert job.attempt == job.interruptions + 1
