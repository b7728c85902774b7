"""A server that starts before its store: it is there, says what it waits for, and then goes on (C14)."""

from __future__ import annotations

import json
import secrets
import signal
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.e2e.doors import Door
from tests.e2e.places import SERVED
from tests.e2e.server_process import ACTORQ, ROOT, Server
from tests.e2e.victims import Victim

if TYPE_CHECKING:
    from pathlib import Path

ODD = str(ROOT / "tests" / "e2e" / "odd_server.py")
DOORS = [
    pytest.param({"EVENT_LOOP": "asyncio"}, id="hypercorn-asyncio"),
    pytest.param({"EVENT_LOOP": "trio"}, id="hypercorn-trio"),
    pytest.param({"HTTP_SERVER": "uvicorn"}, id="uvicorn"),
]
LONG = {"STORE_PATIENCE": "1h", "GRACE": "5s"}
BUSY_S = 3.0


def waiting(server: Server) -> Door:
    """Return the door of a server once it says that it waits; it is not ready, so it does not say that."""
    event = json.loads(server.logged("waiting for the store"))
    assert event["level"] == "warning"
    return Door(str(event["address"]))


@pytest.mark.parametrize("store", SERVED)
def test_a_server_waits_for_its_store(store: str, tmp_path: Path) -> None:
    """Until its store is there a server refuses with 503 and a time, then it works by itself (C14)."""
    with closing(Victim(store)) as victim:
        victim.kill()
        settings = {**victim.settings(f"wait-{secrets.token_hex(4)}"), **LONG}
        with Server(tmp_path, *ACTORQ, settings=settings) as server:
            door = waiting(server)
            assert door.ask("GET", "/healthz").status == 200
            for method, path in (("GET", "/readyz"), ("POST", "/jobs"), ("GET", "/nowhere")):
                answer = door.ask(method, path)
                assert (answer.status, answer.headers["retry-after"]) == (503, "1"), answer
            victim.start()
            assert server.url() == door.url
            assert door.ask("GET", "/readyz").status == 200
            assert door.put("q").id == door.taken("q").id
            server.send(signal.SIGTERM)
            assert server.end()[0] == 0


@pytest.mark.parametrize("settings", DOORS)
def test_a_server_that_waits_stops_in_order(tmp_path: Path, settings: dict[str, str]) -> None:
    """SIGTERM ends a server that still waits for its store at once, with exit code 0."""
    with Server(tmp_path, ODD, "unavailable", settings={**settings, **LONG}) as server:
        door = waiting(server)
        assert door.ask("GET", "/readyz").status == 503
        sent = server.send(signal.SIGTERM)
        assert server.end()[0] == 0
        assert time.monotonic() - sent < BUSY_S
        assert server.said() == ""


def test_patience_ends(tmp_path: Path) -> None:
    """A store that does not come within the patience is one more line, and exit code 1."""
    with Server(tmp_path, ODD, "unavailable", settings={"STORE_PATIENCE": "1s"}) as server:
        code, lines = server.end()
        assert code == 1
        assert [json.loads(line)["event"].split(":")[0] for line in lines] == [
            "waiting for the store",
            "cannot start",
        ]
