"""The end of a server: signals, the grace, and what happens when something hangs or crashes."""

from __future__ import annotations

import json
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from typing import TYPE_CHECKING

import pytest

from tests.e2e.server_process import ROOT, Server, call

if TYPE_CHECKING:
    from concurrent.futures import Future
    from pathlib import Path

ODD = str(ROOT / "tests" / "e2e" / "odd_server.py")
GRACE_S = 1.0
DOORS = [
    pytest.param({"EVENT_LOOP": "asyncio"}, id="hypercorn-asyncio"),
    pytest.param({"EVENT_LOOP": "trio"}, id="hypercorn-trio"),
    pytest.param({"HTTP_SERVER": "uvicorn"}, id="uvicorn"),
]
BOTH = [signal.SIGTERM, signal.SIGINT]


def start(folder: Path, mode: str, door: dict[str, str]) -> Server:
    """Start an odd server with a grace of one second."""
    return Server(
        folder, ODD, mode, settings={**door, "GRACE": f"{GRACE_S}", "STORE_PATIENCE": "0"}
    )


def request(pool: ThreadPoolExecutor, server: Server, path: str) -> Future[tuple[int, object]]:
    """Send a request from a thread; return once the application has taken it."""
    answer = pool.submit(call, server.url(), "GET", path)
    assert server.said() == "taken\n"
    return answer


def assert_cut(answer: Future[tuple[int, object]]) -> None:
    """See that a request came to no answer of its application."""
    try:
        status, _ = answer.result()
    except (OSError, HTTPException):
        return
    assert status >= 500


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("number", BOTH)
def test_a_signal_stops_an_idle_server_at_once(
    tmp_path: Path, door: dict[str, str], number: signal.Signals
) -> None:
    """SIGTERM and SIGINT end a server that has nothing to do with exit code 0, before its grace."""
    with start(tmp_path, "sound", door) as server:
        server.url()
        sent = server.send(number)
        code, events = server.end()
        assert time.monotonic() - sent < GRACE_S
        assert code == 0, events
        assert json.loads(events[-1])["signal"] == number.name


@pytest.mark.parametrize("door", DOORS)
def test_waiting_consumers_are_answered_at_once(tmp_path: Path, door: dict[str, str]) -> None:
    """A long poll is answered when the stop begins, not cut when the grace ends (contract §9)."""
    with start(tmp_path, "sound", door) as server, ThreadPoolExecutor() as pool:
        answer = request(pool, server, "/poll")
        sent = server.send(signal.SIGTERM)
        assert answer.result()[0] == 204
        assert server.end()[0] == 0
        assert time.monotonic() - sent < GRACE_S


@pytest.mark.parametrize("door", DOORS)
def test_a_request_that_hangs_is_cut_within_the_grace(tmp_path: Path, door: dict[str, str]) -> None:
    """A request that never ends delays the stop by the grace at most, and the exit code is 0."""
    with start(tmp_path, "sound", door) as server, ThreadPoolExecutor() as pool:
        answer = request(pool, server, "/sleep")
        sent = server.send(signal.SIGTERM)
        code, events = server.end()
        assert time.monotonic() - sent < GRACE_S + 1
        assert_cut(answer)
        assert code == 0, events


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("number", BOTH)
def test_a_second_signal_skips_to_the_end(
    tmp_path: Path, door: dict[str, str], number: signal.Signals
) -> None:
    """The second signal does not wait for requests; the exit code is 128 + its number."""
    with start(tmp_path, "sound", {**door, "GRACE": "1h"}) as server, ThreadPoolExecutor() as pool:
        answer = request(pool, server, "/sleep")
        server.send(signal.SIGTERM)
        server.logged('"stopping"')
        sent = server.send(number)
        code, events = server.end()
        assert time.monotonic() - sent < 1.0
        assert code == 128 + number, events
        assert_cut(answer)


@pytest.mark.parametrize("door", DOORS)
def test_a_frozen_store_does_not_hold_the_process(tmp_path: Path, door: dict[str, str]) -> None:
    """A driver that never returns cannot keep the process longer than a second past its grace."""
    with start(tmp_path, "frozen", door) as server, ThreadPoolExecutor() as pool:
        answer = request(pool, server, "/get")
        sent = server.send(signal.SIGTERM)
        code, events = server.end()
        assert time.monotonic() - sent < GRACE_S + 1
        assert code == 1
        assert "did not stop in time" in events[-1]
        assert_cut(answer)


@pytest.mark.parametrize("door", DOORS)
def test_an_actor_beyond_its_budget_ends_the_server(tmp_path: Path, door: dict[str, str]) -> None:
    """More crashes than an actor is allowed end the server with code 1 and one logged traceback."""
    with start(tmp_path, "sound", door) as server, ThreadPoolExecutor() as pool:
        answer = request(pool, server, "/crash")
        code, lines = server.end()
        events = [json.loads(line) for line in lines]
        assert code == 1
        assert_cut(answer)
        assert [e["event"] for e in events].count("actor crashed") == 6
        last = next(e for e in events if e["event"] == "the server crashed")
        assert last["level"] == "critical"
        assert "AssertionError" in last["exception"]


def test_a_store_that_is_away_is_one_clear_line(tmp_path: Path) -> None:
    """A store which does not answer at the start: one event, no traceback, exit code 1."""
    with start(tmp_path, "unavailable", {}) as server:
        assert server.said() == ""
        code, lines = server.end()
        assert code == 1
        assert [json.loads(line)["event"] for line in lines] == [
            "cannot start: the store is away\nfor now"
        ]
        assert "exception" not in lines[0]


def test_what_the_store_warns_of_is_logged_at_the_start(tmp_path: Path) -> None:
    """What a store says an operator should know is said at start-up (contract §10)."""
    with start(tmp_path, "sound", {}) as server:
        event = json.loads(server.logged("made for tests"))
        assert event["level"] == "warning"


def test_an_open_address_is_warned_of(tmp_path: Path) -> None:
    """A server that listens beyond loopback says what that means."""
    door = {"HOST": "0.0.0.0", "ALLOW_UNAUTHENTICATED": "true"}  # noqa: S104 - what is tested
    with start(tmp_path, "sound", door) as server:
        event = json.loads(server.logged("whoever reaches"))
        assert event["host"] == "0.0.0.0"  # noqa: S104 - what is tested
